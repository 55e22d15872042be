"""Small graphs for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.blocks import Block, registry
from studio.graph import Graph, Link
from studio.graph.edits import AddLink, AddNode, append_after, new_node

if TYPE_CHECKING:
    import torch

    from studio.compile.plan import Plan


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


def add(graph: Graph, item: Block, *sources: str) -> Graph:
    """The graph with a block that takes its inputs from some nodes."""
    node = new_node(graph, item)
    graph = AddNode(node).apply(graph)
    for source in sources:
        graph = link(graph, source, node.id)
    return graph


def module_and_source(plan: Plan, seed: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The network of a plan, and the one of its Python source, each with fresh weights from the same seed."""
    import torch

    from studio.compile.network import build_network
    from studio.compile.source import class_source, source_imports

    namespace: dict[str, Any] = {"torch": torch, "nn": torch.nn}
    exec("\n".join([*source_imports(plan), class_source(plan, "Exported")]), namespace)
    torch.manual_seed(seed)
    module = build_network(plan)
    torch.manual_seed(seed)
    return module, namespace["Exported"]()
