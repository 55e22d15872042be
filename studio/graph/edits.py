"""The one door for changes: an edit is checked, then gives a new graph. Refused, it changes nothing.

Edits name nodes by their paths and place them on the canvas; see `studio.graph.paths`. What an edit changes inside a
group, it changes in every linked one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from studio.blocks import Block
from studio.graph.errors import BadLinkError, CycleError, DuplicateError, GraphError, GroupError
from studio.graph.groups import (
    BOUNDARY,
    MAX_REPEAT,
    GroupUse,
    can_repeat,
    check_ends,
    check_linked,
    check_size,
    field_value,
    setting_specs,
    with_field,
    with_node,
)
from studio.graph.model import Graph, Link, Node, Note
from studio.graph.names import check_id, check_name, fresh_id, fresh_name
from studio.graph.paths import (
    SEPARATOR,
    find,
    join,
    local_id,
    offset,
    outermost,
    scope_of,
    stored_link,
    use_at,
    within,
)

MAX_COORDINATE = 1e7
MAX_NOTE = 10_000  # characters
SMALLEST_NOTE, LARGEST_NOTE = 32.0, 4_000.0


class Edit(Protocol):
    """Something that can be done to a graph."""

    def apply(self, graph: Graph) -> Graph:
        """The graph afterwards.

        Raises:
            GraphError: if it cannot be done.
        """
        ...


def new_node(graph: Graph, block: Block, x: float = 0.0, y: float = 0.0, scope: str = "") -> Node:
    """A node with an id and a name that are free where it is to stand; not yet in the graph.

    Args:
        graph: what stands on the canvas.
        block: what it does.
        x, y: position on the canvas.
        scope: path of the group in which to stand.
    """
    beside = [node for node in graph.nodes if scope_of(node.id) == scope] if scope else list(graph.nodes)
    taken = {local_id(node.id) for node in beside} | {note.id for note in graph.notes}
    names = {node.name for node in beside}
    return Node(join(scope, fresh_id(taken, len(beside) + 1)), fresh_name(block.kind, names), block, x, y)


@dataclass(frozen=True)
class AddNode:
    """Put a block on the canvas, or into the group that its id names."""

    node: Node

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node at the end."""
        _check_position(self.node.x, self.node.y)
        scope, stored = scope_of(self.node.id), self._stored(graph)
        if scope:
            check_ends(Graph((stored,)))
        elif isinstance(stored.block, BOUNDARY):
            raise GroupError(f"A {stored.block.title} stands only inside a group.")
        check_linked(graph, stored.block)
        result = within(graph, scope, lambda body: _with_added(body, stored))
        check_size(result)
        return result

    def _stored(self, graph: Graph) -> Node:
        x, y = offset(graph, scope_of(self.node.id))
        return replace(self.node, id=check_id(local_id(self.node.id)), x=self.node.x - x, y=self.node.y - y)


def _with_added(body: Graph, node: Node) -> Graph:
    check_name(node.name)
    _check_free_id(body, node.id)
    if node.name in body.names:
        raise DuplicateError(f"There is already a block named “{node.name}”.")
    return replace(body, nodes=(*body.nodes, node))


def _check_free_id(graph: Graph, new_id: str) -> None:
    if new_id in graph.by_id or any(note.id == new_id for note in graph.notes):
        raise DuplicateError(f"There is already something with the id “{new_id}”.")


@dataclass(frozen=True)
class AddFragment:
    """Put many blocks on the canvas at once, with links between them, and notes.

    Args:
        nodes: with the ids they get where they stand, but placed on the canvas.
        links: between these nodes.
        notes: only if the scope is empty.
        scope: path of the group in which to stand.
    """

    nodes: tuple[Node, ...]
    links: tuple[Link, ...] = ()
    notes: tuple[Note, ...] = ()
    scope: str = ""

    def apply(self, graph: Graph) -> Graph:
        """The graph with all of them at the end."""
        for node in self.nodes:
            _check_position(node.x, node.y)
            check_linked(graph, node.block)
        if self.scope:
            check_ends(Graph(self.nodes))
        elif any(isinstance(node.block, BOUNDARY) for node in self.nodes):
            raise GroupError("The ports of a group stand only inside a group.")
        x, y = offset(graph, self.scope)
        nodes = tuple(replace(node, x=node.x - x, y=node.y - y) for node in self.nodes)
        result = within(graph, self.scope, lambda body: self._added(body, nodes))
        for note in self.notes:
            result = AddNote(note).apply(result)
        check_size(result)
        return result

    def _added(self, body: Graph, nodes: tuple[Node, ...]) -> Graph:
        for node in nodes:
            _check_free_id(body, check_id(node.id))
        return replace(body, nodes=(*body.nodes, *nodes), links=(*body.links, *self.links)).check()


@dataclass(frozen=True)
class AddNote:
    """Put a note on the canvas."""

    note: Note

    def apply(self, graph: Graph) -> Graph:
        """The graph with the note at the end."""
        check_id(self.note.id)
        _check_free_id(graph, self.note.id)
        return replace(graph, notes=(*graph.notes, check_note(self.note)))


@dataclass(frozen=True)
class SetNote:
    """Change a note's text, place or size."""

    note: Note

    def apply(self, graph: Graph) -> Graph:
        """The graph with the note changed."""
        if not any(note.id == self.note.id for note in graph.notes):
            raise GraphError("There is no such note.")
        changed = check_note(self.note)
        return replace(graph, notes=tuple(changed if note.id == changed.id else note for note in graph.notes))


def check_note(note: Note) -> Note:
    """The note, if its text is not too long and it has a possible place and size. Raises GraphError."""
    _check_position(note.x, note.y)
    if len(note.text) > MAX_NOTE:
        raise GraphError(f"A note can have {MAX_NOTE:,} characters, not {len(note.text):,}.")
    if not all(SMALLEST_NOTE <= side <= LARGEST_NOTE for side in (note.width, note.height)):
        raise GraphError(f"The sides of a note are {SMALLEST_NOTE:.0f} to {LARGEST_NOTE:,.0f} long.")
    return note


@dataclass(frozen=True)
class Remove:
    """Take away nodes and notes, with every link at them, and further links."""

    nodes: frozenset[str] = frozenset()
    links: frozenset[Link] = frozenset()

    def apply(self, graph: Graph) -> Graph:
        """The graph without them."""
        notes = {note.id for note in graph.notes} & self.nodes
        nodes = self.nodes - notes
        links: dict[str, set[Link]] = {}
        for link in self.links:
            scope, stored = stored_link(graph, link)
            links.setdefault(_place(graph, scope), set()).add(stored)
        by_scope = _by_scope(graph, nodes)
        for scope in {**by_scope, **links}:
            gone = frozenset(by_scope.get(scope, ())), frozenset(links.get(scope, ()))
            graph = within(graph, scope, lambda body, gone=gone: _without(body, *gone))  # type: ignore[misc]
        return replace(graph, notes=tuple(note for note in graph.notes if note.id not in notes)) if notes else graph


def _without(graph: Graph, nodes: frozenset[str], links: frozenset[Link] = frozenset()) -> Graph:
    for node_id in nodes:
        graph.node(node_id)
    if not links <= set(graph.links):
        raise BadLinkError("There is no such link.")
    kept = tuple(n for n in graph.nodes if n.id not in nodes)
    left = (k for k in graph.links if k not in links and k.source not in nodes and k.target not in nodes)
    return replace(graph, nodes=kept, links=tuple(left))


def _by_scope(graph: Graph, paths: Iterable[str]) -> dict[str, list[str]]:
    """Ids of nodes by the scope in which they stand, one scope for all linked groups, the innermost first."""
    found: dict[str, list[str]] = {}
    for path in sorted(outermost(paths), key=lambda path: -path.count(SEPARATOR)):
        find(graph, path)
        ids = found.setdefault(_place(graph, scope_of(path)), [])
        if local_id(path) not in ids:
            ids.append(local_id(path))
    return found


def _place(graph: Graph, scope: str) -> str:
    """The first group in the graph that is linked with the one at `scope`; what is done to one, is done to both."""
    return _first_linked(graph, use_at(graph, scope).definition.key, "") or scope if scope else ""


def _first_linked(graph: Graph, key: str, scope: str) -> str:
    for node in graph.nodes:
        if isinstance(node.block, GroupUse):
            path = join(scope, node.id)
            if node.block.definition.key == key:
                return path
            inner = _first_linked(node.block.definition.body, key, path)
            if inner:
                return inner
    return ""


@dataclass(frozen=True)
class Dissolve:
    """Take away nodes and link what was before each to what came after it, where one input leads through it."""

    nodes: frozenset[str]

    def apply(self, graph: Graph) -> Graph:
        """The graph without them."""
        notes = {note.id for note in graph.notes} & self.nodes
        graph = Remove(frozenset(notes)).apply(graph)
        for scope, ids in _by_scope(graph, self.nodes - notes).items():
            graph = within(graph, scope, lambda body, ids=ids: _dissolved(body, ids))  # type: ignore[misc]
        return graph


def _dissolved(graph: Graph, node_ids: list[str]) -> Graph:
    for node_id in node_ids:
        into, out_of = graph.links_into(node_id), graph.links_out_of(node_id)
        graph = _without(graph, frozenset({node_id}))
        if len(into) == 1:
            bridges = (Link(into[0].source, into[0].output, k.target, k.input) for k in out_of)
            graph = replace(graph, links=(*graph.links, *bridges))
    return graph


@dataclass(frozen=True)
class AddLink:
    """Wire an output to an input. A link that ends there already is replaced if `replace_existing`."""

    link: Link
    replace_existing: bool = False

    def apply(self, graph: Graph) -> Graph:
        """The graph with the link at the end."""
        scope, stored = stored_link(graph, self.link)
        return within(graph, scope, lambda body: self._linked(body, stored))

    def _linked(self, graph: Graph, link: Link) -> Graph:
        graph.check_ports(link)
        if link in graph.links:
            raise BadLinkError("These two ports are linked already.")
        rival = next((k for k in graph.links_into(link.target) if k.input == link.input), None)
        if rival and not self.replace_existing:
            name = graph.node(link.target).name
            raise BadLinkError(f"This input of “{name}” is taken. Remove the link that ends there first.")
        _check_no_cycle(graph, link)
        return replace(graph, links=(*(k for k in graph.links if k != rival), link))


def _check_no_cycle(graph: Graph, link: Link) -> None:
    """Raises CycleError if the link's source can be reached from its target."""
    waiting, seen = [link.target], {link.target}
    while waiting:
        node_id = waiting.pop()
        if node_id == link.source:
            source, target = graph.node(link.source).name, graph.node(link.target).name
            raise CycleError(
                f"“{source}” cannot feed “{target}”: data would go in a circle, because “{target}” already leads there."
                if source != target
                else f"“{source}” cannot feed itself."
            )
        following = {k.target for k in graph.links_out_of(node_id)} - seen
        seen |= following
        waiting.extend(following)


@dataclass(frozen=True)
class SetBlock:
    """Change what a node does: other settings, or another block with at least the ports in use.

    Inside a group, a setting that the group exposes is changed for this use of it alone.
    """

    node_id: str
    block: Block

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node changed."""
        node, scope = find(graph, self.node_id), scope_of(self.node_id)
        if not scope or type(node.block) is not type(self.block):
            if scope:
                check_ends(Graph((replace(node, block=self.block),)))
            return within(graph, scope, lambda body: _with_block(body, node.id, self.block))
        own: dict[str, object] = {}
        for spec in setting_specs(self.block):
            value = field_value(self.block, spec.name)
            if value == field_value(node.block, spec.name):
                continue
            exposed = _exposed_as(use_at(graph, scope), node.id, spec.name)
            if exposed is None:
                own[spec.name] = value
            else:
                graph = SetBlock(scope, use_at(graph, scope).with_value(exposed, value)).apply(graph)
        return within(graph, scope, lambda body: _with_fields(body, node.id, own))


def _exposed_as(use: GroupUse, node_id: str, field: str) -> str | None:
    return next((e.name for e in use.definition.exposed if (node_id, field) in e.fields), None)


def _with_fields(graph: Graph, node_id: str, values: dict[str, object]) -> Graph:
    node = graph.node(node_id)
    block = node.block
    for name, value in values.items():
        block = with_field(block, name, value)  # type: ignore[arg-type]
    return _with_block(graph, node_id, block)


def _with_block(graph: Graph, node_id: str, block: Block) -> Graph:
    node = graph.node(node_id)
    if (node.repeat > 1 or node.bypassed) and not can_repeat(block):
        raise GroupError(f"“{node.name}” is repeated or bypassed, which {block.title} cannot be.")
    changed = with_node(graph, replace(node, block=block))
    if type(node.block) is not type(block) or node.block.inputs != block.inputs or node.block.outputs != block.outputs:
        for link in (*changed.links_into(node.id), *changed.links_out_of(node.id)):
            changed.check_ports(link)
    return changed


@dataclass(frozen=True)
class Rename:
    """Give a node another name."""

    node_id: str
    name: str

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node renamed."""
        return within(graph, scope_of(self.node_id), self._renamed)

    def _renamed(self, graph: Graph) -> Graph:
        node = graph.node(local_id(self.node_id))
        check_name(self.name)
        if self.name != node.name and self.name in graph.names:
            raise DuplicateError(f"There is already a block named “{self.name}”.")
        return with_node(graph, replace(node, name=self.name))


@dataclass(frozen=True)
class SetRepeat:
    """Apply a block several times in a row, each time with weights of its own."""

    node_id: str
    times: int

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node changed."""
        node = find(graph, self.node_id)
        if not 1 <= self.times <= MAX_REPEAT:
            raise GroupError(f"A block can be repeated 1 to {MAX_REPEAT:,} times, not {self.times:,}.")
        if self.times > 1 and not can_repeat(node.block):
            raise GroupError(f"“{node.name}” cannot be repeated: only a block with an input and one output can.")
        result = _change_node(graph, self.node_id, lambda node: replace(node, repeat=self.times))
        check_size(result)
        return result


@dataclass(frozen=True)
class SetBypassed:
    """Let blocks hand on their first input as it came, or work again."""

    nodes: frozenset[str]
    bypassed: bool

    def apply(self, graph: Graph) -> Graph:
        """The graph with the nodes changed."""
        for node_id in sorted(self.nodes):
            node = find(graph, node_id)
            if self.bypassed and not can_repeat(node.block):
                raise GroupError(f"“{node.name}” cannot be bypassed: only a block with an input and one output can.")
            graph = _change_node(graph, node_id, lambda node: replace(node, bypassed=self.bypassed))
        return graph


@dataclass(frozen=True)
class SetFrozen:
    """Keep the weights of blocks as they are in training, or let them learn again."""

    nodes: frozenset[str]
    frozen: bool

    def apply(self, graph: Graph) -> Graph:
        """The graph with the nodes changed."""
        for node_id in sorted(self.nodes):
            find(graph, node_id)
            graph = _change_node(graph, node_id, lambda node: replace(node, frozen=self.frozen))
        return graph


def _change_node(graph: Graph, path: str, change: Callable[[Node], Node]) -> Graph:
    node_id = local_id(path)
    return within(graph, scope_of(path), lambda body: with_node(body, change(body.node(node_id))))


@dataclass(frozen=True)
class Move:
    """Put nodes and notes at other places: `(path, x, y)`, on the canvas. What is in a moved group moves with it."""

    positions: tuple[tuple[str, float, float], ...]

    def apply(self, graph: Graph) -> Graph:
        """The graph with the nodes moved."""
        wanted = {path: (x, y) for path, x, y in self.positions}
        for x, y in wanted.values():
            _check_position(x, y)
        notes = {n.id: replace(n, x=wanted[n.id][0], y=wanted[n.id][1]) for n in graph.notes if n.id in wanted}
        by_scope: dict[str, dict[str, tuple[float, float]]] = {}
        for path in outermost(path for path in wanted if path not in notes):
            x, y = offset(graph, scope_of(path))
            place = (wanted[path][0] - x, wanted[path][1] - y)
            by_scope.setdefault(scope_of(path), {})[local_id(path)] = place
        for scope in sorted(by_scope, key=lambda scope: -scope.count(SEPARATOR) - bool(scope)):
            places = by_scope[scope]
            graph = within(graph, scope, lambda body, places=places: _moved(body, places))  # type: ignore[misc]
        if notes:
            graph = replace(graph, notes=tuple(notes.get(note.id, note) for note in graph.notes))
        return graph


def _moved(graph: Graph, places: dict[str, tuple[float, float]]) -> Graph:
    moved = {i: replace(graph.node(i), x=x, y=y) for i, (x, y) in places.items()}
    return replace(graph, nodes=tuple(moved.get(node.id, node) for node in graph.nodes))


@dataclass(frozen=True)
class Several:
    """Edits in a row as one: all or none."""

    edits: tuple[Edit, ...]

    def apply(self, graph: Graph) -> Graph:
        """The graph after all of them."""
        for edit in self.edits:
            graph = edit.apply(graph)
        return graph


def append_after(graph: Graph, source_id: str | None, node: Node) -> Several:
    """Add a node, and link it to the first output of `source_id` if both have a port for that.

    Args:
        graph: what stands on the canvas.
        source_id: path of the block after which to add.
        node: what to add.
    """
    edits: list[Edit] = [AddNode(node)]
    if source_id is not None and graph.node(source_id).block.outputs and node.block.inputs:
        edits.append(AddLink(Link(source_id, 0, node.id, 0)))
    return Several(tuple(edits))


def insert_on(graph: Graph, link: Link, node: Node) -> Several:
    """Add a node in the middle of a link.

    Raises:
        GraphError: if the node has no input or no output.
    """
    if not node.block.inputs or not node.block.outputs:
        raise BadLinkError(
            f"{node.block.title} has no {'output' if node.block.inputs else 'input'} to carry on the wire."
        )
    return Several(
        (
            AddNode(node),
            Remove(links=frozenset({link})),
            AddLink(Link(link.source, link.output, node.id, 0)),
            AddLink(Link(node.id, 0, link.target, link.input)),
        )
    )


def _check_position(x: float, y: float) -> None:
    if not (math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) <= MAX_COORDINATE):
        raise GraphError(f"A block cannot stand at ({x}, {y}).")


__all__ = [
    "MAX_COORDINATE", "AddFragment", "AddLink", "AddNode", "AddNote", "Dissolve", "Edit", "Move", "Remove", "Rename",
    "SetBlock", "SetBypassed", "SetNote", "SetRepeat", "Several", "append_after", "check_note", "insert_on", "new_node",
]  # fmt: skip
