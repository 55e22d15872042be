"""Where new blocks stand on the canvas. All but `fragment_of` and `paste` take the graph that is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from studio.blocks import Block
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddFragment, AddNode, Edit, Move, Several, append_after, insert_on, new_node
from studio.graph.geometry import COLUMN, GRID, NODE_HEIGHT, NODE_WIDTH, PITCH, extent, is_frame, size_of, snap
from studio.graph.group_edits import with_fresh_groups
from studio.graph.groups import BOUNDARY, GroupOutput, GroupUse
from studio.graph.names import fresh_id, fresh_name
from studio.graph.paths import flatten, join, level, local_id, outermost, scope_of


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
    node = new_node(graph, block, *free_place(graph, *place, scope), scope)
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


def place_on(graph: Graph, link: Link, near: tuple[float, float] | None = None) -> tuple[float, float]:
    """Top left corner of a block that is inserted on a wire near a point."""
    source, target = graph.node(link.source), graph.node(link.target)
    if near is None:
        return source.x, source.y + PITCH
    same_column = abs(source.x - target.x) < NODE_WIDTH / 2
    x = source.x if same_column else snap(near[0] - NODE_WIDTH / 2)
    y = snap(near[1] - NODE_HEIGHT / 2)
    return x, max(y, source.y + PITCH) if same_column else y


def free_place(graph: Graph, x: float, y: float, scope: str = "") -> tuple[float, float]:
    """The first place at or to the right of a top left corner where no block is covered."""
    while _is_taken(graph, x, y, (NODE_WIDTH, NODE_HEIGHT), scope):
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


def _is_taken(graph: Graph, x: float, y: float, size: tuple[float, float], scope: str) -> bool:
    for node in graph.nodes:
        if scope_of(node.id) == scope:
            width, height = size_of(node)
            if node.x < x + size[0] and x < node.x + width and node.y < y + size[1] and y < node.y + height:
                return True
    return False


# Copies


def fragment_of(graph: Graph, paths: Iterable[str]) -> Graph:
    """Copies of blocks and notes with the links between them, as a graph of their own, at their places on the canvas.

    Args:
        graph: as it is stored.
        paths: what to copy; what does not exist is left out. Ports of groups stay with their group.
    """
    wanted = set(outermost(paths))
    shown = flatten(graph, everything=True)
    chosen = [n for n in shown.nodes if n.id in wanted and not isinstance(n.block, BOUNDARY)]
    ids = {node.id: f"n{number + 1}" for number, node in enumerate(chosen)}
    nodes: list[Node] = []
    for node in chosen:
        names = {other.name for other in nodes}
        name = node.name if node.name not in names else fresh_name(node.block.kind, names)
        nodes.append(replace(node, id=ids[node.id], name=name))
    links = [
        Link(ids[source], link.output, ids[target], link.input)
        for scope in sorted({scope_of(path) for path in ids})
        for link in level(graph, scope).links
        if (source := join(scope, link.source)) in ids and (target := join(scope, link.target)) in ids
    ]
    notes = [note for note in graph.notes if note.id in wanted]
    notes = [replace(note, id=f"t{number + 1}") for number, note in enumerate(notes)]
    return Graph(tuple(nodes), tuple(links), tuple(notes))


def paste(graph: Graph, fragment: Graph, scope: str, shift: tuple[float, float]) -> tuple[Edit, tuple[str, ...]]:
    """The edit that adds a fragment, and the paths of what it adds.

    Args:
        graph: as it is stored.
        fragment: what to add. Its groups are linked with those of the graph that are the same.
        scope: path of the group into which to paste; empty for none.
        shift: how far from the fragment's own place.
    """
    beside = level(graph, scope)
    ids = {*beside.by_id, *(note.id for note in graph.notes)}
    names = set(beside.names)
    new_ids: dict[str, str] = {}
    nodes: list[Node] = []
    for node in with_fresh_groups(graph, fragment.nodes):
        name = node.name if node.name not in names else fresh_name(node.block.kind, names)
        names.add(name)
        new_id = new_ids[node.id] = _fresh(ids)
        nodes.append(replace(node, id=new_id, name=name, x=node.x + shift[0], y=node.y + shift[1]))
    links = (Link(new_ids[k.source], k.output, new_ids[k.target], k.input) for k in fragment.links)
    notes = tuple(replace(n, id=_fresh(ids), x=n.x + shift[0], y=n.y + shift[1]) for n in fragment.notes)
    edit = AddFragment(tuple(nodes), tuple(links), notes, scope)
    return edit, (*(join(scope, node.id) for node in nodes), *(note.id for note in notes))


def _fresh(ids: set[str]) -> str:
    new_id = fresh_id(ids, len(ids) + 1)
    ids.add(new_id)
    return new_id


def duplicate(graph: Graph, paths: Iterable[str]) -> tuple[Edit, tuple[str, ...]]:
    """Copies of blocks and notes beside the originals, with the links between them; and the paths of the copies.

    Args:
        graph: as it is stored.
        paths: what to copy; all of it stands where the first of them does.
    """
    chosen = outermost(paths)
    scope = scope_of(chosen[0]) if chosen else ""
    fragment = fragment_of(graph, (path for path in chosen if scope_of(path) == scope))
    return paste(graph, fragment, scope, (_free_shift(flatten(graph), fragment, scope), 0.0))


def _free_shift(graph: Graph, fragment: Graph, scope: str) -> float:
    """How far copies go to the right so that none covers a block."""
    shift = COLUMN
    while any(_is_taken(graph, node.x + shift, node.y, size_of(node), scope) for node in fragment.nodes):
        shift += COLUMN
    return shift


def center_of(fragment: Graph) -> tuple[float, float]:
    """The middle of the rectangle around a fragment's blocks and notes."""
    boxes = [extent(Graph(fragment.nodes))] if fragment.nodes else []
    boxes += [(note.x, note.y, note.x + note.width, note.y + note.height) for note in fragment.notes]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return (left + right) / 2, (top + bottom) / 2


__all__ = [
    "COLUMN", "GRID", "NODE_HEIGHT", "NODE_WIDTH", "PITCH", "Placed", "add", "append", "center_of", "duplicate",
    "fragment_of", "free_place", "insert", "local_id", "paste", "place_on", "scope_at", "size_of", "snap",
]  # fmt: skip
