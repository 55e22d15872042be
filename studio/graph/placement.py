"""Where new blocks stand on the canvas. All takes the graph that is shown."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from studio.blocks import Block
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddLink, AddNode, Edit, Move, Remove, Several, append_after, insert_on, new_node
from studio.graph.geometry import COLUMN, NODE_HEIGHT, NODE_WIDTH, PITCH, is_frame, size_of, snap
from studio.graph.groups import GroupOutput, GroupUse
from studio.graph.paths import join, scope_of

_BESIDE = 24.0  # scene units to a block that stood in the way


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
    scope = scope_of(anchor.id)
    below = anchor.y + size_of(anchor)[1] + PITCH - NODE_HEIGHT
    node = new_node(graph, block, *free_place(graph, anchor.x, below, scope), scope)
    ends = _ends(anchor)
    return Placed(node, append_after(graph, ends[0] if ends else anchor.id, node))


def add(graph: Graph, block: Block, center_x: float, center_y: float, scope: str = "") -> Placed:
    """Put a block near a point, where nothing stands, without links; into a group if `scope` is its path."""
    place = snap(center_x - NODE_WIDTH / 2), snap(center_y - NODE_HEIGHT / 2)
    node = new_node(graph, block, *nearest_place(graph, *place, scope), scope)
    return Placed(node, AddNode(node))


def scope_at(graph: Graph, x: float, y: float) -> str:
    """Path of the innermost group whose frame holds a point of the canvas; empty for none."""
    found = ""
    for node in graph.nodes:
        width, height = size_of(node)
        inside = node.x <= x <= node.x + width and node.y <= y <= node.y + height
        if inside and is_frame(node) and len(node.id) > len(found):
            found = node.id
    return found


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
    node = new_node(graph, block, x, y, _scope_of_link(graph, link))
    edits = insert_on(graph, link, node).edits
    return Placed(node, Several((*edits, Move(_pushed(graph, link, x, y)))))


def insert_there(graph: Graph, link: Link, node_id: str, near: tuple[float, float] | None = None) -> Edit:
    """Put a block that is on the canvas already, but not linked, in the middle of a wire; see `insert`."""
    x, y = place_on(graph, link, near)
    return Several(
        (
            Move(((node_id, x, y),)),
            Remove(links=frozenset({link})),
            AddLink(Link(link.source, link.output, node_id, 0)),
            AddLink(Link(node_id, 0, link.target, link.input)),
            Move(_pushed(graph, link, x, y)),
        )
    )


def place_on(graph: Graph, link: Link, near: tuple[float, float] | None = None) -> tuple[float, float]:
    """Top left corner of a block that is inserted on a wire near a point."""
    source, target = graph.node(link.source), graph.node(link.target)
    if near is None:
        return source.x, source.y + PITCH
    same_column = abs(source.x - target.x) < NODE_WIDTH / 2
    x = source.x if same_column else snap(near[0] - NODE_WIDTH / 2)
    y = snap(near[1] - NODE_HEIGHT / 2)
    return x, max(y, source.y + PITCH) if same_column else y


def nearest_place(graph: Graph, x: float, y: float, scope: str = "") -> tuple[float, float]:
    """The place nearest to a top left corner where no block is covered: there, or beside what stands in the way."""
    if not is_taken(graph, x, y, (NODE_WIDTH, NODE_HEIGHT), scope):
        return x, y
    around = Graph(tuple(node for node in graph.nodes if scope_of(node.id) == scope and _is_near(node, x, y, 4.0)))
    boxes = [(node.x, node.y, *size_of(node)) for node in around.nodes if _is_near(node, x, y, 1.0)]
    columns = {x} | {
        side for left, _, width, _ in boxes for side in (left - NODE_WIDTH - _BESIDE, left + width + _BESIDE)
    }
    rows = {y} | {side for _, top, _, height in boxes for side in (top - PITCH, top + height + PITCH - NODE_HEIGHT)}
    places = sorted(itertools.product(columns, rows), key=lambda place: (math.dist(place, (x, y)), place))
    free = (place for place in places if not is_taken(around, *place, (NODE_WIDTH, NODE_HEIGHT), scope))
    return next(free, None) or free_place(graph, x, y, scope)


def _is_near(node: Node, x: float, y: float, reach: float) -> bool:
    """Whether a node stands within so many columns and four times as many rows of a place."""
    (width, height), across, down = size_of(node), reach * COLUMN, 4 * reach * PITCH
    return node.x - across - NODE_WIDTH < x < node.x + width + across and node.y - down < y < node.y + height + down


def free_place(graph: Graph, x: float, y: float, scope: str = "") -> tuple[float, float]:
    """The first place at or to the right of a top left corner where no block is covered."""
    while is_taken(graph, x, y, (NODE_WIDTH, NODE_HEIGHT), scope):
        x += COLUMN
    return x, y


def _scope_of_link(graph: Graph, link: Link) -> str:
    """Where a shown link is stored: beside its source, but the outer side of a group's port is outside."""
    scope = scope_of(link.source)
    return scope_of(scope) if isinstance(graph.node(link.source).block, GroupOutput) else scope


def _ends(node: Node) -> list[str]:
    """What on the canvas the links out of a node start at: itself, or the ports in its frame."""
    if is_frame(node):
        assert isinstance(node.block, GroupUse)
        return [join(node.id, port.id) for port in node.block.definition.exits]
    return [node.id] if node.block.outputs else []


def _last_open_end(graph: Graph) -> Node | None:
    for node in reversed(graph.order):
        ends = _ends(node)
        if not scope_of(node.id) and ends and not any(graph.links_out_of(end) for end in ends):
            return node
    return None


def _wire_at(graph: Graph, anchor: Node) -> Link | None:
    """The only wire that leaves a block; for an output of the network or of a group, the one that enters."""
    ends = [] if isinstance(anchor.block, GroupOutput) else _ends(anchor)
    wires = [link for end in ends for link in graph.links_out_of(end)] if ends else graph.links_into(anchor.id)
    return wires[0] if len(wires) == 1 else None


def _pushed(graph: Graph, link: Link, x: float, y: float) -> tuple[tuple[str, float, float], ...]:
    """New places of the blocks that a block at (x, y) on this wire pushes down."""
    scope = _scope_of_link(graph, link)
    column = [
        node
        for node in _downstream(graph, link.target)
        if scope_of(node.id) == scope and node.x < x + NODE_WIDTH and x < node.x + size_of(node)[0]
        and node.y > y - NODE_HEIGHT
    ]  # fmt: skip
    shift = y + PITCH - min((node.y for node in column), default=y + PITCH)
    return tuple((node.id, node.x, node.y + shift) for node in column) if shift > 0 else ()


def _downstream(graph: Graph, node_id: str) -> list[Node]:
    """A node and all that it leads to; with the blocks of a group comes the group's frame."""
    found, waiting = {node_id}, [node_id]
    while waiting:
        following = {link.target for link in graph.links_out_of(waiting.pop())} - found
        found |= following
        waiting.extend(following)
    frames = {scope_of(path) for path in found}
    return [node for node in graph.nodes if node.id in found or node.id in frames]


def is_taken(graph: Graph, x: float, y: float, size: tuple[float, float], scope: str) -> bool:
    """Whether something of the same scope stands where a block of this size would."""
    for node in graph.nodes:
        if scope_of(node.id) == scope:
            width, height = size_of(node)
            if node.x < x + size[0] and x < node.x + width and node.y < y + size[1] and y < node.y + height:
                return True
    return False
