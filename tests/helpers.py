"""Small graphs for tests."""

from __future__ import annotations

from typing import Any

from studio.blocks import Block, registry
from studio.graph import Graph, Link
from studio.graph.edits import AddLink, append_after, new_node


def block(kind: str, **fields: Any) -> Block:
    """A block of a kind."""
    return registry.get(kind)(**fields)


def chain(*blocks: Block) -> Graph:
    """Blocks one after the other; ids are n1, n2, ..."""
    graph, previous = Graph(), None
    for item in blocks:
        node = new_node(graph, item)
        graph = append_after(graph, previous, node).apply(graph)
        previous = node.id
    return graph


def link(graph: Graph, source: str, target: str) -> Graph:
    """The graph with a link to the first free input of a node."""
    port = graph.free_input(target)
    assert port is not None
    return AddLink(Link(source, 0, target, port)).apply(graph)
