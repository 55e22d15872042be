"""Edits that make, open, link and take apart groups. See `studio.graph.groups`."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from studio.fields import FieldError
from studio.graph.errors import CycleError, DuplicateError, GroupError
from studio.graph.geometry import COLUMN, NODE_HEIGHT, NODE_WIDTH, PITCH, extent, size_of, snap
from studio.graph.groups import (
    BOUNDARY,
    Exposed,
    Group,
    GroupInput,
    GroupOutput,
    GroupUse,
    check_ends,
    definitions,
    has_field,
    redefine,
    with_field,
    with_node,
)
from studio.graph.model import Graph, Link, Node
from studio.graph.names import check_class_name, check_name, fresh_id, fresh_name
from studio.graph.paths import find, flatten, join, level, local_id, scope_of, use_at, within


@dataclass(frozen=True)
class MakeGroup:
    """Put blocks into a new group that takes their place.

    Args:
        nodes: paths of the blocks; all stand in the same scope.
        name: of the group; empty for one that is free.
    """

    nodes: frozenset[str]
    name: str = ""

    def apply(self, graph: Graph) -> Graph:
        """The graph with the group in place of the blocks."""
        scopes = {scope_of(path) for path in self.nodes}
        if len(scopes) != 1:
            raise GroupError("Only blocks that stand beside each other can become a group.")
        (scope,) = scopes
        ids = frozenset(local_id(find(graph, path).id) for path in self.nodes)
        known = definitions(graph)
        name = check_class_name(self.name) if self.name else free_class_name("Group", known)
        _check_free_class_name(known, name, "")
        return within(graph, scope, lambda body: _grouped(body, ids, _free_key(known), name))


def group_made(graph: Graph, edit: MakeGroup) -> str:
    """Path of the group that an edit makes; before it is applied. Raises GraphError."""
    after = edit.apply(graph)
    scope = scope_of(next(iter(edit.nodes)))
    (made,) = set(level(after, scope).by_id) - set(level(graph, scope).by_id)
    return join(scope, made)


def free_class_name(stem: str, known: dict[str, Group]) -> str:
    """`Group1`, or the next number that is free."""
    taken, number = {group.name for group in known.values()}, 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def _check_free_class_name(known: dict[str, Group], name: str, key: str) -> None:
    if any(group.name == name for group in known.values() if group.key != key):
        raise DuplicateError(f"There is already a group named “{name}”.")


def _free_key(known: Container[str]) -> str:
    number = 1
    while f"g{number}" in known:
        number += 1
    return f"g{number}"


def _grouped(graph: Graph, ids: frozenset[str], key: str, name: str) -> Graph:
    chosen = [node for node in graph.nodes if node.id in ids]
    check_ends(Graph(tuple(chosen)))
    if any(isinstance(node.block, BOUNDARY) for node in chosen):
        raise GroupError("The ports of a group cannot be put into another group.")
    enters = sorted({(k.source, k.output) for k in graph.links if k.target in ids and k.source not in ids})
    leaves = sorted({(k.source, k.output) for k in graph.links if k.source in ids and k.target not in ids})
    open_ends = [(n.id, port) for n in chosen for port in range(len(n.block.outputs)) if not graph.links_out_of(n.id)]
    body = _body(graph, chosen, ids, enters, [*leaves, *open_ends])
    left, top, right, bottom = extent(Graph(tuple(chosen)))
    use = GroupUse(Group(key, name, body))
    taken, names = {*graph.by_id, *(note.id for note in graph.notes)}, graph.names - {node.name for node in chosen}
    node = Node(fresh_id(taken, len(graph.nodes) + 1), fresh_name("group", names), use, snap(left), snap(top))
    links = _outer_links(graph, ids, node.id, enters, leaves)
    position = min(i for i, other in enumerate(graph.nodes) if other.id in ids)
    others = [other for other in graph.nodes if other.id not in ids]
    result = replace(graph, nodes=(*others[:position], node, *others[position:]), links=links)
    _check_no_circle(result)
    place = (left, top, right - left, bottom - top)
    alone = not any(_overlaps(other, place) for other in others)
    return _resized(result, node.id, place, (NODE_WIDTH, NODE_HEIGHT)) if alone else result


def _overlaps(node: Node, place: tuple[float, float, float, float]) -> bool:
    left, top, width, height = place
    own = size_of(node)
    return node.x < left + width and left < node.x + own[0] and node.y < top + height and top < node.y + own[1]


def _body(
    graph: Graph, chosen: list[Node], ids: frozenset[str],
    enters: list[tuple[str, int]], leaves: list[tuple[str, int]],
) -> Graph:  # fmt: skip
    """The chosen blocks with the links between them, and a port for each tensor that enters or leaves, or will."""
    left, top, _, bottom = extent(Graph(tuple(chosen)))
    taken, names = set(ids), {node.name for node in chosen}
    links = [link for link in graph.links if link.source in ids and link.target in ids]
    ports: list[Node] = []

    def port(block: GroupInput | GroupOutput, stem: str, number: int, y: float) -> str:
        node = Node(fresh_id(taken, len(taken) + 1), fresh_name(stem, names), block, left + number * COLUMN, y)
        taken.add(node.id)
        names.add(node.name)
        ports.append(node)
        return node.id

    for number, (source, output) in enumerate(enters):
        entry = port(GroupInput(), "input", number, top - PITCH)
        fed = (k for k in graph.links if (k.source, k.output) == (source, output) and k.target in ids)
        links += [Link(entry, 0, k.target, k.input) for k in fed]
    for node in chosen:
        linked = {link.input for link in graph.links_into(node.id)}
        for number in range(len(node.block.inputs)):
            if number not in linked:
                links.append(Link(port(GroupInput(), "input", len(ports), top - PITCH), 0, node.id, number))
    for number, (source, output) in enumerate(leaves):
        links.append(Link(source, output, port(GroupOutput(), "output", number, bottom + PITCH - NODE_HEIGHT), 0))
    return Graph((*chosen, *ports), tuple(links))


def _outer_links(
    graph: Graph, ids: frozenset[str], group_id: str, enters: list[tuple[str, int]], leaves: list[tuple[str, int]]
) -> tuple[Link, ...]:
    outer = [k for k in graph.links if k.source not in ids and k.target not in ids]
    outer += [Link(source, output, group_id, number) for number, (source, output) in enumerate(enters)]
    for link in graph.links:
        if link.source in ids and link.target not in ids:
            outer.append(Link(group_id, leaves.index((link.source, link.output)), link.target, link.input))
    return tuple(outer)


def _check_no_circle(graph: Graph) -> None:
    try:
        assert graph.order is not None
    except CycleError as error:
        raise GroupError(
            "These blocks cannot become a group: data would leave it, pass other blocks and come back. "
            "Select the blocks in between too."
        ) from error


@dataclass(frozen=True)
class Ungroup:
    """Put the blocks of a group in its place."""

    node_id: str

    def apply(self, graph: Graph) -> Graph:
        """The graph without this use of the group."""
        node = find(graph, self.node_id)
        use_at(graph, self.node_id)
        if node.repeat > 1:
            raise GroupError(f"“{node.name}” is repeated {node.repeat} times. Set that to 1 first.")
        if node.bypassed:
            raise GroupError(f"“{node.name}” is bypassed. Let it work again first.")
        if not node.unfolded:
            graph = Unfold(self.node_id, unfolded=True).apply(graph)
        return within(graph, scope_of(self.node_id), lambda body: _ungrouped(body, node.id))


def _ungrouped(graph: Graph, node_id: str) -> Graph:
    node = graph.node(node_id)
    assert isinstance(node.block, GroupUse)
    opened = flatten(Graph((replace(node, unfolded=True),)))
    inner = [n for n in opened.nodes if scope_of(n.id) == node_id and not isinstance(n.block, BOUNDARY)]
    ids = {*graph.by_id, *(note.id for note in graph.notes)}
    names = set(graph.names - {node.name})
    renamed: dict[str, str] = {}
    spliced: list[Node] = []
    for item in inner:
        new_id = fresh_id(ids, len(ids) + 1)
        name = item.name if item.name not in names else fresh_name(item.block.kind, names)
        ids.add(new_id)
        names.add(name)
        renamed[local_id(item.id)] = new_id
        spliced.append(replace(item, id=new_id, name=name))
    position = [other.id for other in graph.nodes].index(node_id)
    nodes = (*graph.nodes[:position], *spliced, *graph.nodes[position + 1 :])
    return replace(graph, nodes=nodes, links=_spliced_links(graph, node, renamed))


def _spliced_links(graph: Graph, node: Node, renamed: dict[str, str]) -> tuple[Link, ...]:
    """Links of the graph and of a group's body, those through the group's ports joined."""
    assert isinstance(node.block, GroupUse)
    body, group = node.block.body, node.block.definition
    outside = {group.entries[k.input].id: (k.source, k.output) for k in graph.links_into(node.id)}

    def source_of(node_id: str, output: int) -> tuple[str, int] | None:
        return (renamed[node_id], output) if node_id in renamed else outside.get(node_id)

    links = [k for k in graph.links if node.id not in (k.source, k.target)]
    for k in body.links:
        source = source_of(k.source, k.output)
        if source and k.target in renamed:
            links.append(Link(*source, renamed[k.target], k.input))
    for k in graph.links_out_of(node.id):
        for inner in body.links_into(group.exits[k.output].id):
            source = source_of(inner.source, inner.output)
            if source:
                links.append(Link(*source, k.target, k.input))
    return tuple(links)


@dataclass(frozen=True)
class Unfold:
    """Show the blocks of a group on the canvas, or fold it into one block. What stands around makes room."""

    node_id: str
    unfolded: bool

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node changed."""
        use_at(graph, self.node_id)
        before = find(graph, self.node_id)
        if before.unfolded == self.unfolded:
            return graph
        after = replace(before, unfolded=self.unfolded)
        return within(graph, scope_of(self.node_id), lambda body: _made_room(with_node(body, after), before, after))


def _made_room(graph: Graph, before: Node, after: Node) -> Graph:
    place = (before.x, before.y, *size_of(before))
    return _resized(graph, after.id, place, size_of(after))


def _resized(graph: Graph, node_id: str, before: tuple[float, float, float, float], size: tuple[float, float]) -> Graph:
    """Everything right of a node, and what stands in its columns below it, moves by what the node grew or shrank.

    Args:
        graph: with the node as it is now.
        node_id: the node.
        before: left and top edge, width and height of the place that was taken.
        size: width and height of the node.
    """
    left, top, width, height = before

    def moved(node: Node) -> Node:
        beside = node.x >= left + width
        below = not beside and node.y >= top + height and node.x + size_of(node)[0] > left
        dx, dy = size[0] - width if beside else 0.0, size[1] - height if below else 0.0
        return replace(node, x=node.x + dx, y=node.y + dy) if node.id != node_id and (dx or dy) else node

    return replace(graph, nodes=tuple(moved(node) for node in graph.nodes))


@dataclass(frozen=True)
class Detach:
    """Make one use of a group a group of its own, no longer linked with the others."""

    node_id: str
    name: str = ""

    def apply(self, graph: Graph) -> Graph:
        """The graph with another definition at this place."""
        use, known = use_at(graph, self.node_id), definitions(graph)
        name = check_class_name(self.name) if self.name else free_class_name(use.definition.name, known)
        _check_free_class_name(known, name, "")
        own = replace(use, definition=replace(use.definition, key=_free_key(known), name=name))
        node_id = local_id(self.node_id)
        return within(
            graph, scope_of(self.node_id), lambda body: with_node(body, replace(body.node(node_id), block=own))
        )  # fmt: skip


@dataclass(frozen=True)
class RenameGroup:
    """Give a group another name, wherever it is used."""

    node_id: str
    name: str

    def apply(self, graph: Graph) -> Graph:
        """The graph with the group renamed."""
        definition = use_at(graph, self.node_id).definition
        _check_free_class_name(definitions(graph), check_class_name(self.name), definition.key)
        return redefine(graph, replace(definition, name=self.name))


@dataclass(frozen=True)
class Expose:
    """Let each use of a group choose a setting of one of its blocks.

    Args:
        node_id: path of the block in the group.
        field: the setting's name.
        name: what to call it; settings of the same name get the same value.
    """

    node_id: str
    field: str
    name: str

    def apply(self, graph: Graph) -> Graph:
        """The graph with the setting exposed."""
        scope, pair = scope_of(self.node_id), (local_id(self.node_id), self.field)
        if not scope:
            raise GroupError("Only settings of blocks in a group can be exposed.")
        group = use_at(graph, scope).definition
        check_name(self.name)
        if not has_field(group.body, *pair):
            raise GroupError(f"There is no setting named “{self.field[:40]}” to expose.")
        if any(pair in exposed.fields for exposed in group.exposed):
            raise GroupError(f"{group.name} exposes this setting already.")
        return redefine(graph, _exposing(group, pair, self.name))


def _exposing(group: Group, pair: tuple[str, str], name: str) -> Group:
    others = tuple(e for e in group.exposed if e.name != name)
    if len(others) == len(group.exposed):
        return replace(group, exposed=(*group.exposed, Exposed(name, (pair,))))
    same = group.setting(name)
    # The blocks agree from now on.
    value = GroupUse(group).value(name)
    node = group.body.node(pair[0])
    try:
        body = with_node(group.body, replace(node, block=with_field(node.block, pair[1], value)))
    except FieldError as error:
        raise GroupError(f"It cannot share the setting “{name}”: {error}") from error
    exposed = tuple(replace(e, fields=(*e.fields, pair)) if e is same else e for e in group.exposed)
    return replace(group, body=body, exposed=exposed)


@dataclass(frozen=True)
class Hide:
    """Expose a setting no longer; every use takes the definition's value."""

    node_id: str
    name: str

    def apply(self, graph: Graph) -> Graph:
        """The graph with the setting hidden in the group at `node_id`."""
        group = use_at(graph, self.node_id).definition
        gone = group.setting(self.name)
        return redefine(graph, replace(group, exposed=tuple(e for e in group.exposed if e is not gone)))


def keys_in_use(graph: Graph) -> dict[str, int]:
    """How often each group is used, by its key."""
    counts: dict[str, int] = {}
    for node in flatten(graph, everything=True).nodes:
        if isinstance(node.block, GroupUse):
            counts[node.block.definition.key] = counts.get(node.block.definition.key, 0) + 1
    return counts


def with_fresh_groups(graph: Graph, nodes: Iterable[Node]) -> list[Node]:
    """Nodes from elsewhere whose groups can come into a graph: one that is another there gets a key of its own."""
    known = definitions(graph)
    result = Graph(tuple(nodes))
    for key, group in definitions(result).items():
        if known.get(key, group) != group:
            fresh = replace(group, key=_free_key({**known, **definitions(result)}))
            result = _rekeyed(result, key, fresh.key)
    taken = {group.name for group in known.values()}
    for key, group in definitions(result).items():
        if key not in known and group.name in taken:
            result = redefine(
                result, replace(group, name=free_class_name(group.name, {**known, **definitions(result)}))
            )
    return list(result.nodes)


def _rekeyed(graph: Graph, old: str, new: str) -> Graph:
    """A graph in which a group has another key."""

    def visit(level: Graph) -> Graph:
        nodes = []
        for node in level.nodes:
            if isinstance(node.block, GroupUse):
                group = node.block.definition
                changed = replace(group, key=new if group.key == old else group.key, body=visit(group.body))
                node = replace(node, block=replace(node.block, definition=changed))
            nodes.append(node)
        return replace(level, nodes=tuple(nodes))

    return visit(graph)
