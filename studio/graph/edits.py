"""The one door for changes: an edit is checked, then gives a new graph. Refused, it changes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

from studio.blocks import Block
from studio.graph.errors import BadLinkError, CycleError, DuplicateError, GraphError
from studio.graph.model import Graph, Link, Node
from studio.graph.names import check_id, check_name, fresh_id, fresh_name

MAX_COORDINATE = 1e7


class Edit(Protocol):
    """Something that can be done to a graph."""

    def apply(self, graph: Graph) -> Graph:
        """The graph afterwards.

        Raises:
            GraphError: if it cannot be done.
        """
        ...


def new_node(graph: Graph, block: Block, x: float = 0.0, y: float = 0.0) -> Node:
    """A node with an id and a name that are free in `graph`; not yet in it."""
    return Node(fresh_id(graph.by_id, len(graph.nodes) + 1), fresh_name(block.kind, graph.names), block, x, y)


@dataclass(frozen=True)
class AddNode:
    """Put a block on the canvas."""

    node: Node

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node at the end."""
        check_id(self.node.id)
        check_name(self.node.name)
        _check_position(self.node.x, self.node.y)
        if self.node.id in graph.by_id:
            raise DuplicateError(f"There is already a block with the id “{self.node.id}”.")
        if self.node.name in graph.names:
            raise DuplicateError(f"There is already a block named “{self.node.name}”.")
        return replace(graph, nodes=(*graph.nodes, self.node))


@dataclass(frozen=True)
class Remove:
    """Take away nodes, with every link at them, and further links."""

    nodes: frozenset[str] = frozenset()
    links: frozenset[Link] = frozenset()

    def apply(self, graph: Graph) -> Graph:
        """The graph without them."""
        for node_id in self.nodes:
            graph.node(node_id)
        missing = self.links - set(graph.links)
        if missing:
            raise BadLinkError("There is no such link.")
        kept = (n for n in graph.nodes if n.id not in self.nodes)
        links = (
            link
            for link in graph.links
            if link not in self.links and link.source not in self.nodes and link.target not in self.nodes
        )
        return Graph(tuple(kept), tuple(links))


@dataclass(frozen=True)
class Dissolve:
    """Take away nodes and link what was before each to what came after it, where one input leads through it."""

    nodes: frozenset[str]

    def apply(self, graph: Graph) -> Graph:
        """The graph without them."""
        for node_id in self.nodes:
            into, out_of = graph.links_into(graph.node(node_id).id), graph.links_out_of(node_id)
            graph = Remove(frozenset({node_id})).apply(graph)
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
        graph.check_ports(self.link)
        if self.link in graph.links:
            raise BadLinkError("These two ports are linked already.")
        rival = next((k for k in graph.links_into(self.link.target) if k.input == self.link.input), None)
        if rival and not self.replace_existing:
            name = graph.node(self.link.target).name
            raise BadLinkError(f"This input of “{name}” is taken. Remove the link that ends there first.")
        _check_no_cycle(graph, self.link)
        return replace(graph, links=(*(k for k in graph.links if k != rival), self.link))


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
    """Change what a node does: other field values, or another block with at least the ports in use."""

    node_id: str
    block: Block

    def apply(self, graph: Graph) -> Graph:
        """The graph with the node changed."""
        node = graph.node(self.node_id)
        changed = _with_node(graph, replace(node, block=self.block))
        if type(node.block) is not type(self.block):
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
        node = graph.node(self.node_id)
        check_name(self.name)
        if self.name != node.name and self.name in graph.names:
            raise DuplicateError(f"There is already a block named “{self.name}”.")
        return _with_node(graph, replace(node, name=self.name))


@dataclass(frozen=True)
class Move:
    """Put nodes at other places: `{node id: (x, y)}`, in scene units."""

    positions: tuple[tuple[str, float, float], ...]

    def apply(self, graph: Graph) -> Graph:
        """The graph with the nodes moved."""
        moved: dict[str, Node] = {}
        for node_id, x, y in self.positions:
            _check_position(x, y)
            moved[node_id] = replace(graph.node(node_id), x=x, y=y)
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
    """Add a node, and link it to the first output of `source_id` if both have a port for that."""
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


def _with_node(graph: Graph, changed: Node) -> Graph:
    return replace(graph, nodes=tuple(changed if node.id == changed.id else node for node in graph.nodes))


def _check_position(x: float, y: float) -> None:
    if not (math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) <= MAX_COORDINATE):
        raise GraphError(f"A block cannot stand at ({x}, {y}).")
