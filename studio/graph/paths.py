"""Nodes in groups. A path such as "n3/n1" names node n1 in the body of group n3; its scope is "n3".

What stands on the canvas is one flat graph whose ids are such paths and whose positions are those of the canvas. Edits
speak of that graph; here they are led to the right body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from studio.graph.errors import BadLinkError, UnknownNodeError
from studio.graph.geometry import extent, inside_of
from studio.graph.groups import GroupInput, GroupOutput, GroupUse, redefine, with_node
from studio.graph.model import Graph, Link, Node

SEPARATOR = "/"


def join(scope: str, node_id: str) -> str:
    """The path of a node in a scope; the scope of the whole graph is empty."""
    return f"{scope}{SEPARATOR}{node_id}" if scope else node_id


def scope_of(path: str) -> str:
    """The path of the group in which a node stands; empty for the whole graph."""
    return path.rpartition(SEPARATOR)[0]


def local_id(path: str) -> str:
    """A node's id in the body in which it stands."""
    return path.rpartition(SEPARATOR)[2]


def contains(path: str, other: str) -> bool:
    """Whether a group holds a node, at any depth."""
    return other.startswith(path + SEPARATOR)


def outermost(paths: Iterable[str]) -> list[str]:
    """Paths without those that lie in a group which is among them too, in the same order."""
    wanted = list(paths)
    chosen = set(wanted)
    return [path for path in wanted if not any(scope in chosen for scope in scopes_of(path))]


def scopes_of(path: str) -> list[str]:
    """The groups in which a node stands, the innermost first."""
    found = []
    while scope := scope_of(path):
        found.append(scope)
        path = scope
    return found


def level(graph: Graph, scope: str) -> Graph:
    """The graph in which the nodes of a scope stand. Raises UnknownNodeError."""
    return use_at(graph, scope).body if scope else graph


def use_at(graph: Graph, scope: str) -> GroupUse:
    """The group at a path. Raises UnknownNodeError if there is none."""
    block = find(graph, scope).block
    if not isinstance(block, GroupUse):
        raise UnknownNodeError(scope)
    return block


def find(graph: Graph, path: str) -> Node:
    """The node at a path, as it is stored: with the id and position it has in its body. Raises UnknownNodeError."""
    return level(graph, scope_of(path)).node(local_id(path))


def offset(graph: Graph, scope: str) -> tuple[float, float]:
    """Where on the canvas the origin of a scope is."""
    if not scope:
        return 0.0, 0.0
    x, y = offset(graph, scope_of(scope))
    inner_x, inner_y = inside_of(find(graph, scope))
    return x + inner_x, y + inner_y


# Between the stored graph and the one that is shown


def flatten(graph: Graph, *, everything: bool = False) -> Graph:
    """What stands on the canvas: every block of an unfolded group beside the group's own node, which is its frame.

    Args:
        graph: as it is stored.
        everything: also the blocks of groups that are folded.
    """
    if not any(isinstance(node.block, GroupUse) for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    links: list[Link] = []
    _flatten_into(nodes, links, graph, "", (0.0, 0.0), everything)
    return Graph(tuple(nodes), tuple(links), graph.notes)


def _flatten_into(
    nodes: list[Node], links: list[Link], graph: Graph, scope: str, origin: tuple[float, float], everything: bool
) -> None:
    opened: dict[str, GroupUse] = {}
    for node in graph.nodes:
        place = replace(node, id=join(scope, node.id), x=node.x + origin[0], y=node.y + origin[1]) if scope else node
        nodes.append(place)
        if isinstance(node.block, GroupUse) and (node.unfolded or everything):
            opened[node.id] = node.block
            _flatten_into(nodes, links, node.block.body, place.id, inside_of(place), everything)
    for link in graph.links:
        source, output = _shown_end(opened, scope, link.source, link.output, is_source=True)
        target, input_ = _shown_end(opened, scope, link.target, link.input, is_source=False)
        links.append(Link(source, output, target, input_))


def _shown_end(opened: dict[str, GroupUse], scope: str, node_id: str, port: int, *, is_source: bool) -> tuple[str, int]:
    path = join(scope, node_id)
    if node_id not in opened:
        return path, port
    group = opened[node_id].definition
    return join(path, (group.exits if is_source else group.entries)[port].id), 0


def stored_link(graph: Graph, link: Link) -> tuple[str, Link]:
    """The scope in which a link of the shown graph is stored, and the link as it is stored there.

    Raises:
        UnknownNodeError: if an end is not there.
        BadLinkError: if it would lead into a group or out of one other than through its ports.
    """
    source_scope, source, output = _stored_end(graph, link.source, link.output, is_source=True)
    target_scope, target, input_ = _stored_end(graph, link.target, link.input, is_source=False)
    if source_scope != target_scope:
        raise BadLinkError(_crossing(graph, source_scope, target_scope))
    return source_scope, Link(source, output, target, input_)


def _stored_end(graph: Graph, path: str, port: int, *, is_source: bool) -> tuple[str, str, int]:
    """Scope, node id and port. The outer side of a group's port is a port of the group, where that stands."""
    scope, node = scope_of(path), find(graph, path)
    if scope and isinstance(node.block, GroupOutput if is_source else GroupInput):
        group = use_at(graph, scope).definition
        ports = group.exits if is_source else group.entries
        return scope_of(scope), local_id(scope), [other.id for other in ports].index(node.id)
    return scope, node.id, port


def _crossing(graph: Graph, source_scope: str, target_scope: str) -> str:
    inner = max(source_scope, target_scope, key=len)
    name = find(graph, inner).name
    if inner == target_scope:
        return f"A link from outside enters “{name}” only through a group input. Add one, or link to one that is there."
    return f"A link leaves “{name}” only through a group output. Add one, or link from one that is there."


def within(graph: Graph, scope: str, change: Callable[[Graph], Graph]) -> Graph:
    """A graph with the body of a group changed, and with it that of every linked group.

    Args:
        graph: as it is stored.
        scope: path of the group; empty to change the graph itself.
        change: from the body as it is defined to another.

    Raises:
        GraphError: from `change`, or if the group would contain itself or be too large.
    """
    if not scope:
        return change(graph)
    definition = use_at(graph, scope).definition
    body = change(definition.body)
    if body == definition.body:
        return graph
    return _kept_in_place(graph, redefine(graph, replace(definition, body=body)), scope)


def _kept_in_place(before: Graph, after: Graph, scope: str) -> Graph:
    """Move a frame so that the blocks in it stay where they are shown, though another is the first of them now."""
    while scope:
        node = find(after, scope)
        assert isinstance(node.block, GroupUse)
        old, new = extent(use_at(before, scope).definition.body), extent(node.block.definition.body)
        if old[:2] == new[:2] or not node.unfolded:
            return after
        moved = replace(node, x=node.x + new[0] - old[0], y=node.y + new[1] - old[1])
        scope = scope_of(scope)
        if not scope:
            return with_node(after, moved)
        parent = use_at(after, scope).definition
        plain = replace(parent.body.node(moved.id), x=moved.x, y=moved.y)
        after = redefine(after, replace(parent, body=with_node(parent.body, plain)))
    return after
