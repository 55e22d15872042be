"""How large things on the canvas are. The flow is from top to bottom; all numbers are in scene units."""

from __future__ import annotations

from studio.graph.groups import GroupUse
from studio.graph.model import Graph, Node

NODE_WIDTH = 240.0
NODE_HEIGHT = 44.0
GRID = 8.0  # moved blocks snap to it
PITCH = 64.0  # from the top of a block to the top of the one below; leaves room for the shape on the wire
COLUMN = 288.0  # from the left edge of a block to that of one beside it
FRAME_TOP = 40.0  # from the top of an unfolded group's frame to its blocks; its name stands there
FRAME_MARGIN = 24.0  # on the other three sides


def is_frame(node: Node) -> bool:
    """Whether a node is shown as a frame around its blocks: an unfolded group."""
    return node.unfolded and isinstance(node.block, GroupUse)


def size_of(node: Node) -> tuple[float, float]:
    """Width and height of a node as it is shown."""
    if not node.unfolded or not isinstance(node.block, GroupUse):
        return NODE_WIDTH, NODE_HEIGHT
    left, top, right, bottom = extent(node.block.definition.body)
    return right - left + 2 * FRAME_MARGIN, bottom - top + FRAME_TOP + FRAME_MARGIN


def extent(graph: Graph) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of the rectangle around all nodes; of an empty graph, that of one block."""
    if not graph.nodes:
        return 0.0, 0.0, NODE_WIDTH, NODE_HEIGHT
    boxes = [(node.x, node.y, *size_of(node)) for node in graph.nodes]
    return (
        min(x for x, _, _, _ in boxes),
        min(y for _, y, _, _ in boxes),
        max(x + width for x, _, width, _ in boxes),
        max(y + height for _, y, _, height in boxes),
    )


def inside_of(node: Node) -> tuple[float, float]:
    """What to add to the position of a block in a group's body to get where it is shown, beside the group's node."""
    assert isinstance(node.block, GroupUse)
    left, top, _, _ = extent(node.block.definition.body)
    return node.x + FRAME_MARGIN - left, node.y + FRAME_TOP - top


def snap(value: float) -> float:
    """The nearest multiple of the grid."""
    return round(value / GRID) * GRID
