"""Shapes, parameters and problems of a graph, from the real layers.

Records are cached by block and input shapes, so after an edit only what lies downstream of it is run again.
"""

from __future__ import annotations

from dataclasses import replace

from studio.blocks import Input, Output, ShapeError
from studio.compile.analysis import ERROR, WARNING, Analysis, NodeAnalysis, Problem
from studio.compile.record import record
from studio.data.base import DataSpec
from studio.graph import Graph, Node
from studio.tensors import TensorSpec


def analyze(graph: Graph, data: DataSpec | None = None) -> Analysis:
    """Infer all shapes of a graph and list everything that is wrong with it.

    Args:
        graph: any graph, finished or not.
        data: what the dataset gives and wants; None checks the network alone.
    """
    nodes: dict[str, NodeAnalysis] = {}
    problems: list[Problem] = []
    for node in graph.order:
        nodes[node.id] = _analyze_node(graph, node, nodes, problems)
    used = reaching_an_output(graph)
    problems = [p if p.node_id in used or p.node_id is None else replace(p, severity=WARNING) for p in problems]
    problems += _unused(graph, used) + _missing_ends(graph)
    if data is not None:
        problems += _data_problems(graph, nodes, data)
    counted = {key: value if key in used else replace(value, parameters=0) for key, value in nodes.items()}
    return Analysis(counted, tuple(sorted(problems, key=lambda p: p.severity != ERROR)))


def reaching_an_output(graph: Graph) -> frozenset[str]:
    """Ids of the nodes whose result takes part in an answer; the others are not compiled."""
    waiting = [node.id for node in graph.outputs]
    found = set(waiting)
    while waiting:
        sources = {link.source for link in graph.links_into(waiting.pop())} - found
        found |= sources
        waiting.extend(sources)
    return frozenset(found)


def _analyze_node(graph: Graph, node: Node, nodes: dict[str, NodeAnalysis], problems: list[Problem]) -> NodeAnalysis:
    if isinstance(node.block, Input):
        return NodeAnalysis(outputs=(node.block.spec,))
    links = graph.links_into(node.id)
    if len(links) < len(node.block.inputs):
        problems.append(Problem(ERROR, f"“{node.name}” has nothing to work on: draw a wire to its input.", node.id))
        return NodeAnalysis()
    inputs = [_output_of(nodes, link.source, link.output) for link in links]
    known = tuple(spec for spec in inputs if spec is not None)
    if len(known) < len(inputs):
        return NodeAnalysis(inputs=known)  # an earlier block tells why
    try:
        result = record(node.block, known)
    except ShapeError as error:
        problems.append(Problem(ERROR, str(error), node.id, error.remedies))
        return NodeAnalysis(inputs=known)
    outputs = (result.spec,) if node.block.outputs else ()
    return NodeAnalysis(known, outputs, result.parameters)


def _output_of(nodes: dict[str, NodeAnalysis], node_id: str, port: int) -> TensorSpec | None:
    outputs = nodes[node_id].outputs
    return outputs[port] if port < len(outputs) else None


def _unused(graph: Graph, used: frozenset[str]) -> list[Problem]:
    """One warning for each loose end; the blocks before it are meant too."""
    ends = [node for node in graph.nodes if node.id not in used and not graph.links_out_of(node.id)]
    return [
        Problem(WARNING, f"“{node.name}” leads to no Output, so it is left out of the network.", node.id)
        for node in ends
    ]


def _missing_ends(graph: Graph) -> list[Problem]:
    problems = []
    if not graph.inputs:
        problems.append(Problem(ERROR, "The network has no Input: add one, so that data can enter."))
    if not graph.outputs:
        problems.append(Problem(ERROR, "The network has no Output: add one, so that it can be trained."))
    return problems


def _data_problems(graph: Graph, nodes: dict[str, NodeAnalysis], data: DataSpec) -> list[Problem]:
    return _input_problems(graph, data) + _output_problems(graph, nodes, data)


def _input_problems(graph: Graph, data: DataSpec) -> list[Problem]:
    problems = []
    if graph.inputs and len(graph.inputs) != len(data.inputs):
        problems.append(
            Problem(ERROR, f"The network has {len(graph.inputs)} Inputs, but the dataset gives {len(data.inputs)}.")
        )
    for node, given in zip(graph.inputs, data.inputs, strict=False):
        assert isinstance(node.block, Input)
        if (node.block.spec.dims, node.block.spec.dtype) != (given.dims, given.dtype):
            problems.append(Problem(ERROR, _input_message(node.name, node.block.spec, given), node.id))
    return problems


def _input_message(name: str, expected: TensorSpec, given: TensorSpec) -> str:
    if expected.dims != given.dims:
        advice = f"Set its shape to {', '.join(map(str, given.dims))}."
        return f"“{name}” expects ({expected}), but the dataset gives ({given}). {advice}"
    wanted, came = ("tokens", "real numbers") if expected.dtype == "int" else ("real numbers", "tokens")
    return f"“{name}” expects {wanted}, but the dataset gives {came}. Set its values to “{came.split()[0]}”."


def _output_problems(graph: Graph, nodes: dict[str, NodeAnalysis], data: DataSpec) -> list[Problem]:
    if len(graph.outputs) > 1:
        return [Problem(ERROR, f"The network has {len(graph.outputs)} Outputs, but the dataset has one target.")]
    return [problem for node in graph.outputs for problem in _output_problem(node, nodes[node.id], data)]


def _output_problem(node: Node, analysis: NodeAnalysis, data: DataSpec) -> list[Problem]:
    assert isinstance(node.block, Output)
    target = data.target
    if node.block.task not in ("from data", target.task):
        message = f"“{node.name}” is set to {node.block.task}, but the dataset's target is for {target.task}."
        return [Problem(ERROR, message, node.id)]
    if not analysis.inputs or analysis.inputs[0].dims == (target.size,):
        return []
    wanted = f"{target.size} classes" if target.task == "classification" else f"{target.size} numbers to predict"
    message = (
        f"“{node.name}” gets ({analysis.inputs[0]}), but the dataset has {wanted}: it needs (N, {target.size} D). "
        f"End with a Dense of {target.size} units."
    )
    return [Problem(ERROR, message, node.id)]
