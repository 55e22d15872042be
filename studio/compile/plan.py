"""A finished graph laid out for building: what comes in, which records in which order, what goes out."""

from __future__ import annotations

from dataclasses import dataclass

from studio.blocks import Input, Output
from studio.compile.record import BlockRecord, record
from studio.compile.shapes import analyze, reaching_an_output
from studio.graph import Graph, Link, Node
from studio.graph.names import fresh_name
from studio.tensors import TensorSpec


class CompileError(ValueError):
    """A graph cannot become a network; the message lists why."""


@dataclass(frozen=True)
class Step:
    """One block of the network, ready to be built.

    Args:
        layer_names: attribute of each of its layers.
        sources: names of the nodes it takes its inputs from.
    """

    node: Node
    record: BlockRecord
    layer_names: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A network in order of execution.

    Args:
        inputs: name and spec of each argument of forward.
        steps: every block that takes part in an answer, but Inputs and Outputs.
        outputs: name of the node that gives each answer.
    """

    inputs: tuple[tuple[str, TensorSpec], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Learned numbers in the network."""
        return sum(step.record.parameters for step in self.steps)


def make_plan(graph: Graph) -> Plan:
    """Lay out a graph.

    Raises:
        CompileError: if it has problems; the message lists them.
    """
    analysis = analyze(graph)
    if not analysis.trainable:
        raise CompileError("\n".join(p.message for p in analysis.problems if p.severity == "error"))
    used = reaching_an_output(graph)
    taken = set(graph.names)
    steps: list[Step] = []
    for node in graph.order:
        if node.id in used and not isinstance(node.block, Input | Output):
            steps.append(_step(graph, node, analysis.nodes[node.id].inputs, taken))
    inputs = tuple((node.name, node.block.spec) for node in graph.inputs if isinstance(node.block, Input))
    return Plan(inputs, tuple(steps), tuple(_source(graph, graph.links_into(n.id)[0]) for n in graph.outputs))


def _step(graph: Graph, node: Node, inputs: tuple[TensorSpec, ...], taken: set[str]) -> Step:
    result = record(node.block, inputs)
    sources = tuple(_source(graph, link) for link in graph.links_into(node.id))
    return Step(node, result, _layer_names(node.name, len(result.layers), taken), sources)


def _layer_names(name: str, count: int, taken: set[str]) -> tuple[str, ...]:
    if count == 1:
        return (name,)
    names = []
    for _ in range(count):
        names.append(fresh_name(name, taken))
        taken.add(names[-1])
    return tuple(names)


def _source(graph: Graph, link: Link) -> str:
    return graph.node(link.source).name
