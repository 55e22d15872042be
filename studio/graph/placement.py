"""Where blocks stand on the canvas. The flow is from top to bottom; all numbers are in scene units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from studio.blocks import Block
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddLink, AddNode, Edit, Move, Several, append_after, insert_on, new_node
from studio.graph.names import fresh_id, fresh_name

NODE_WIDTH = 240.0
NODE_HEIGHT = 44.0
GRID = 8.0  # moved blocks snap to it
PITCH = 64.0  # from the top of a block to the top of the one below; leaves room for the shape on the wire
COLUMN = 288.0  # from the left edge of a block to that of one beside it


@dataclass(frozen=True)
class Placed:
    """An edit that puts a new block on the canvas, and the block's node."""

    node: Node
    edit: Edit


def append(graph: Graph, selected_id: str | None, block: Block, near: tuple[float, float] = (0.0, 0.0)) -> Placed:
    """Put a block after the selected one and link it; blocks below make room.

    Args:
        graph: where to.
        selected_id: None for "after the last block whose output is free".
        block: what to add.
        near: centre of the place to use if there is no block to come after.
    """
    anchor = graph.node(selected_id) if selected_id is not None else _last_open_end(graph)
    if anchor is None:
        return add(graph, block, *near)
    wire = _wire_at(graph, anchor)
    if wire is not None and block.inputs and block.outputs:
        return insert(graph, wire, block)
    node = new_node(graph, block, *free_place(graph, anchor.x, anchor.y + PITCH))
    return Placed(node, append_after(graph, anchor.id, node))


def add(graph: Graph, block: Block, center_x: float, center_y: float) -> Placed:
    """Put a block near a point, where nothing stands, without links."""
    x, y = free_place(graph, snap(center_x - NODE_WIDTH / 2), snap(center_y - NODE_HEIGHT / 2))
    node = new_node(graph, block, x, y)
    return Placed(node, AddNode(node))


def insert(graph: Graph, link: Link, block: Block, near: tuple[float, float] | None = None) -> Placed:
    """Put a block in the middle of a wire; what follows in the same column moves down if it must.

    Args:
        graph: where to.
        link: the wire.
        block: what to insert; needs an input and an output.
        near: centre of the wanted place; None for right below the wire's source.

    Raises:
        BadLinkError: if the block cannot carry on the wire.
    """
    x, y = place_on(graph, link, near)
    node = new_node(graph, block, x, y)
    edits = insert_on(graph, link, node).edits
    return Placed(node, Several((*edits, Move(_pushed(graph, link, x, y)))))


def place_on(graph: Graph, link: Link, near: tuple[float, float] | None = None) -> tuple[float, float]:
    """Top left corner of a block that is inserted on a wire near a point."""
    source, target = graph.node(link.source), graph.node(link.target)
    if near is None:
        return source.x, source.y + PITCH
    same_column = abs(source.x - target.x) < NODE_WIDTH / 2
    x = source.x if same_column else snap(near[0] - NODE_WIDTH / 2)
    y = snap(near[1] - NODE_HEIGHT / 2)
    return x, max(y, source.y + PITCH) if same_column else y


def duplicate(graph: Graph, node_ids: Iterable[str]) -> tuple[Edit, tuple[str, ...]]:
    """Copies of nodes with the links between them, beside the originals; and the ids of the copies."""
    chosen = set(node_ids)
    originals = [node for node in graph.nodes if node.id in chosen]
    shift = _free_shift(graph, originals)
    ids, names = set(graph.by_id), set(graph.names)
    copies: dict[str, Node] = {}
    for node in originals:
        node_id, name = fresh_id(ids, len(ids) + 1), fresh_name(node.block.kind, names)
        copies[node.id] = replace(node, id=node_id, name=name, x=node.x + shift)
        ids.add(node_id)
        names.add(name)
    inner = [
        AddLink(Link(copies[k.source].id, k.output, copies[k.target].id, k.input))
        for k in graph.links
        if k.source in copies and k.target in copies
    ]
    edits: list[Edit] = [*(AddNode(node) for node in copies.values()), *inner]
    return Several(tuple(edits)), tuple(node.id for node in copies.values())


def free_place(graph: Graph, x: float, y: float) -> tuple[float, float]:
    """The first place at or to the right of a top left corner where no block is covered."""
    while _is_taken(graph, x, y):
        x += COLUMN
    return x, y


def snap(value: float) -> float:
    """The nearest multiple of the grid."""
    return round(value / GRID) * GRID


def _last_open_end(graph: Graph) -> Node | None:
    open_ends = (n for n in reversed(graph.order) if n.block.outputs and not graph.links_out_of(n.id))
    return next(open_ends, None)


def _wire_at(graph: Graph, anchor: Node) -> Link | None:
    """The only wire that leaves a block; for an Output, which has none, the one that enters."""
    wires = graph.links_out_of(anchor.id) if anchor.block.outputs else graph.links_into(anchor.id)
    return wires[0] if len(wires) == 1 else None


def _pushed(graph: Graph, link: Link, x: float, y: float) -> tuple[tuple[str, float, float], ...]:
    """New places of the blocks that a block at (x, y) on this wire pushes down."""
    column = [
        node for node in _downstream(graph, link.target) if abs(node.x - x) < NODE_WIDTH and node.y > y - NODE_HEIGHT
    ]
    shift = y + PITCH - min((node.y for node in column), default=y + PITCH)
    return tuple((node.id, node.x, node.y + shift) for node in column) if shift > 0 else ()


def _downstream(graph: Graph, node_id: str) -> list[Node]:
    found, waiting = {node_id}, [node_id]
    while waiting:
        following = {link.target for link in graph.links_out_of(waiting.pop())} - found
        found |= following
        waiting.extend(following)
    return [node for node in graph.nodes if node.id in found]


def _free_shift(graph: Graph, originals: list[Node]) -> float:
    """How far copies go to the right so that none covers a block."""
    shift = COLUMN
    while any(_is_taken(graph, node.x + shift, node.y) for node in originals):
        shift += COLUMN
    return shift


def _is_taken(graph: Graph, x: float, y: float) -> bool:
    return any(abs(node.x - x) < NODE_WIDTH and abs(node.y - y) < NODE_HEIGHT for node in graph.nodes)
