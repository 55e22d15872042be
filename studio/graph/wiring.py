"""Links as they are drawn on the canvas: which are possible, and the edits that make, move and split them.

All but `LinkRules` and `why_not` take the graph that is shown; node ids are paths, see `studio.graph.paths`.
"""

from __future__ import annotations

from studio.blocks import Block
from studio.graph.edits import AddLink, Edit, Remove, Several
from studio.graph.errors import GraphError
from studio.graph.groups import GroupInput, GroupOutput
from studio.graph.model import Graph, Link
from studio.graph.paths import level, scope_of, stored_link
from studio.graph.placement import Placed, add


class LinkRules:
    """Which links at one port a graph allows. Made once for a port, each answer takes no time in a large graph either.

    It answers as `AddLink(link, replace_existing=True)` would, but for a link that is there already, which it allows.

    Args:
        graph: as it is stored.
        is_output: whether the port is one: whether the links asked for begin there, or end there.
    """

    def __init__(self, graph: Graph, *, is_output: bool) -> None:
        self._graph = graph
        self._is_output = is_output
        self._circles: dict[tuple[str, str], frozenset[str]] = {}

    def allows(self, link: Link) -> bool:
        """Whether a link of the shown graph can be made; all links asked for have the port in common."""
        try:
            scope, stored = stored_link(self._graph, link)
            body = level(self._graph, scope)
            body.check_ports(stored)
        except GraphError:
            return False
        fixed, free = (stored.source, stored.target) if self._is_output else (stored.target, stored.source)
        if (scope, fixed) not in self._circles:
            self._circles[scope, fixed] = _leading_to(body, fixed) if self._is_output else _following(body, fixed)
        return free not in self._circles[scope, fixed]


def why_not(graph: Graph, link: Link) -> str:
    """Why a link cannot be made, in plain words; empty if it can, or is there.

    Args:
        graph: as it is stored.
        link: as it would be shown.
    """
    try:
        scope, stored = stored_link(graph, link)
        if stored not in level(graph, scope).links:
            AddLink(link, replace_existing=True).apply(graph)
    except GraphError as error:
        return str(error)
    return ""


def _leading_to(graph: Graph, node_id: str) -> frozenset[str]:
    found, waiting = {node_id}, [node_id]
    while waiting:
        before = {link.source for link in graph.links_into(waiting.pop())} - found
        found |= before
        waiting.extend(before)
    return frozenset(found)


def _following(graph: Graph, node_id: str) -> frozenset[str]:
    found, waiting = {node_id}, [node_id]
    while waiting:
        after = {link.target for link in graph.links_out_of(waiting.pop())} - found
        found |= after
        waiting.extend(after)
    return frozenset(found)


def reroute(link: Link, wanted: Link) -> Edit:
    """Move one end of a link; a link that ends at the wanted input already is replaced."""
    return Several((Remove(links=frozenset({link})), AddLink(wanted, replace_existing=True)))


def add_after(graph: Graph, block: Block, node_id: str, output: int, place: tuple[float, float]) -> Placed:
    """Put a new block somewhere and link an output that is there to its first input.

    Args:
        graph: where to.
        block: what to add; needs an input.
        node_id, output: the output.
        place: centre of the wanted place, in scene units.
    """
    placed = add(graph, block, *place, _outside(graph, node_id, GroupOutput))
    return Placed(placed.node, Several((placed.edit, AddLink(Link(node_id, output, placed.node.id, 0)))))


def add_before(graph: Graph, block: Block, node_id: str, input_: int, place: tuple[float, float]) -> Placed:
    """Put a new block somewhere and link its first output to an input that is there, in place of what fed that."""
    placed = add(graph, block, *place, _outside(graph, node_id, GroupInput))
    link = AddLink(Link(placed.node.id, 0, node_id, input_), replace_existing=True)
    return Placed(placed.node, Several((placed.edit, link)))


def _outside(graph: Graph, node_id: str, boundary: type[Block]) -> str:
    """Where a block stands that is linked to a port: beside the port's block, or outside the group it leads out of."""
    scope = scope_of(node_id)
    return scope_of(scope) if isinstance(graph.node(node_id).block, boundary) else scope
