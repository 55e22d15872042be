"""Shapes, parameters and problems of a graph, from the real layers.

Records are cached by block and input shapes, so after an edit only what lies downstream of it is run again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace

from studio.blocks import Input, Output, ShapeError
from studio.compile.analysis import ERROR, MAIN, SEVERITIES, WARNING, Analysis, NodeAnalysis, Problem
from studio.compile.meaning import meaning_problems
from studio.compile.output_problems import output_problems
from studio.compile.outputs import spoken_for
from studio.compile.record import record
from studio.compile.settings_problems import settings_problems
from studio.data.base import DataSpec
from studio.graph import Graph, Node
from studio.graph.groups import GroupInput, GroupOutput, GroupUse
from studio.graph.paths import join
from studio.settings import TrainingSettings
from studio.tensors import TensorSpec

_FIGURES = tuple(f.name for f in dataclasses.fields(NodeAnalysis) if f.type == "int")


def analyze(graph: Graph, data: DataSpec | None = None, training: TrainingSettings | None = None) -> Analysis:
    """Infer all shapes of a graph and list everything that is wrong with it.

    Args:
        graph: any graph, finished or not.
        data: what the dataset gives and wants; None checks the network alone.
        training: with what settings it is to be trained; None leaves out what depends on them.
    """
    level = _Level(graph)
    level.run({})
    problems = level.problems + _missing_ends(graph)
    if data is not None:
        problems += _data_problems(graph, level.nodes, data)
    problems += meaning_problems(graph, level.nodes, data, training)
    problems += settings_problems(graph, data, training)
    if (main := spoken_for(graph)) is not None:
        level.nodes[main.id] = replace(level.nodes[main.id], note=MAIN)
    return Analysis(level.nodes, tuple(sorted(problems, key=lambda p: SEVERITIES.index(p.severity))))


def problems_inside(body: Graph, given: Mapping[str, TensorSpec]) -> list[Problem]:
    """What is wrong with the body of a group for certain tensors that enter it; without what only data can tell.

    Args:
        body: any graph.
        given: the tensor that enters at each GroupInput, by its id; unknown ones are left out.
    """
    inner = _Level(body)
    inner.run(given)
    return inner.problems


def reaching_an_output(graph: Graph) -> frozenset[str]:
    """Ids of the nodes whose result takes part in an answer; the others are not compiled."""
    waiting = [node.id for node in graph.nodes if isinstance(node.block, Output | GroupOutput)]
    found = set(waiting)
    while waiting:
        node = graph.node(waiting.pop())
        links = graph.links_into(node.id)
        sources = {link.source for link in (links[:1] if node.bypassed else links)} - found
        found |= sources
        waiting.extend(sources)
    return frozenset(found)


class _Level:
    """Analyzes a graph or the body of a group.

    Args:
        graph: what to analyze.
        scope: path of the group; empty for the whole graph.
    """

    def __init__(self, graph: Graph, scope: str = "") -> None:
        self.graph = graph
        self.scope = scope
        self.nodes: dict[str, NodeAnalysis] = {}  # by path, with those in groups
        self.problems: list[Problem] = []
        self.used = reaching_an_output(graph)

    def run(self, given: Mapping[str, TensorSpec]) -> None:
        """Analyze every node.

        Args:
            given: the tensor that enters at each GroupInput, by its id; unknown ones are left out.
        """
        for node in self.graph.order:
            before, path = len(self.problems), self.path(node)
            analysis = self._analyze(node, given)
            if node.id not in self.used:
                analysis = NodeAnalysis(analysis.inputs, analysis.outputs)
                later = [replace(problem, severity=WARNING) for problem in self.problems[before:]]
                self.problems[before:] = later
            self.nodes[path] = analysis
        self.problems += self._unused()

    def path(self, node: Node) -> str:
        """The node's path in the whole graph."""
        return join(self.scope, node.id)

    def totals(self) -> dict[str, int]:
        """The sum of each figure over the nodes of this level; those of groups have that of their blocks."""
        own = [self.nodes[self.path(node)] for node in self.graph.nodes]
        return {name: sum(getattr(analysis, name) for analysis in own) for name in _FIGURES}

    def outputs(self) -> tuple[TensorSpec | None, ...]:
        """What arrives at each GroupOutput; None where that is unknown."""
        ends = [node for node in self.graph.nodes if isinstance(node.block, GroupOutput)]
        return tuple(next(iter(self.nodes[self.path(node)].outputs), None) for node in ends)

    def _analyze(self, node: Node, given: Mapping[str, TensorSpec]) -> NodeAnalysis:
        if isinstance(node.block, Input):
            return NodeAnalysis(outputs=(node.block.spec,))
        if isinstance(node.block, GroupInput):
            spec = (given[node.id],) if node.id in given else ()
            return NodeAnalysis(spec, spec)
        inputs = self._inputs(node)
        known = tuple(spec for spec in inputs.values() if spec is not None)
        complete = len(known) == len(inputs) >= (1 if node.bypassed else len(node.block.inputs))
        if isinstance(node.block, GroupUse) and not node.bypassed:
            return self._analyze_group(node, node.block, inputs, known)
        if not complete:
            return NodeAnalysis(inputs=known)  # told already, here or at an earlier block
        if node.bypassed or isinstance(node.block, GroupOutput):
            return NodeAnalysis(known, known[:1])
        return self._analyze_block(node, known)

    def _inputs(self, node: Node) -> dict[int, TensorSpec | None]:
        """What comes in by the number of the port; None where that is unknown. Tells what is not linked."""
        links = self.graph.links_into(node.id)
        linked = {link.input for link in links}
        missing = [name for number, name in enumerate(node.block.inputs) if number not in linked]
        if missing and len(links) < (1 if node.bypassed else len(node.block.inputs)):
            if len(node.block.inputs) == 1 or not links:
                message = f"“{node.name}” has nothing to work on: draw a wire to its input."
            else:
                message = f"“{node.name}” has nothing at its input “{missing[0]}”: draw a wire to it."
            self.problems.append(Problem(ERROR, message, self.path(node)))
        return {link.input: self._output_of(link.source, link.output) for link in links}

    def _output_of(self, node_id: str, port: int) -> TensorSpec | None:
        outputs = self.nodes[join(self.scope, node_id)].outputs
        return outputs[port] if port < len(outputs) else None

    def _analyze_block(self, node: Node, known: tuple[TensorSpec, ...]) -> NodeAnalysis:
        """A block, as often as it is repeated; each repetition takes what the one before it gives."""
        result = NodeAnalysis(known)
        inputs = known
        for number in range(node.repeat):
            try:
                one = record(node.block, inputs)
            except ShapeError as error:
                message = str(error) if number == 0 else f"At repetition {number + 1} of “{node.name}”: {error}"
                self.problems.append(Problem(ERROR, message, self.path(node), error.remedies if number == 0 else ()))
                return NodeAnalysis(known)
            if one.counts_padding and number == 0:
                self.problems.append(Problem(WARNING, _padding_message(node), self.path(node)))
            outputs = one.specs if node.block.outputs else ()
            same = outputs[:1] == inputs[:1]
            result = _added(
                result,
                NodeAnalysis((), outputs, one.parameters, one.flops, one.memory),
                node.repeat - number if same else 1,
            )
            if same:
                break
            inputs = (*outputs, *inputs[1:])
        return result

    def _analyze_group(
        self, node: Node, use: GroupUse, inputs: Mapping[int, TensorSpec | None], known: tuple[TensorSpec, ...]
    ) -> NodeAnalysis:
        entries = use.definition.entries
        given = {entries[port].id: spec for port, spec in inputs.items() if spec is not None and port < len(entries)}
        result = NodeAnalysis(known)
        for number in range(node.repeat):
            inner = _Level(use.body, self.path(node))
            inner.run(given)
            if number == 0:
                self.nodes.update(inner.nodes)
                self.problems += inner.problems
            elif wrong := [problem for problem in inner.problems if problem.severity == ERROR]:
                message = f"At repetition {number + 1} of “{node.name}”: {wrong[0].message}"
                self.problems.append(Problem(ERROR, message, self.path(node)))
                return NodeAnalysis(known)
            outputs = tuple(spec for spec in inner.outputs() if spec is not None)
            outputs = outputs if len(outputs) == len(use.outputs) else ()
            same = not outputs or not entries or given.get(entries[0].id) == outputs[0]
            part = NodeAnalysis((), outputs, **inner.totals())  # type: ignore[arg-type]  # names of numbers alone
            result = _added(result, part, node.repeat - number if same else 1)
            if same:
                break
            given[entries[0].id] = outputs[0]
        return result

    def _unused(self) -> list[Problem]:
        """One warning for each loose end; the blocks before it are meant too."""
        ends = [n for n in self.graph.nodes if n.id not in self.used and not self.graph.links_out_of(n.id)]
        left_out = "leads to no group output, so it is left out of the group" if self.scope else None
        left_out = left_out or "leads to no Output, so it is left out of the network"
        return [Problem(WARNING, f"“{node.name}” {left_out}.", self.path(node)) for node in ends]


def _padding_message(node: Node) -> str:
    return (
        f"“{node.name}” ({node.block.title}) works on the padding of short texts as if it were text, so their answers "
        "depend on the longest one. A recurrent layer, attention or global pooling leaves it out."
    )


def _added(total: NodeAnalysis, part: NodeAnalysis, times: int) -> NodeAnalysis:
    """The total with the figures of a part so many times, and its outputs."""
    figures = {name: getattr(total, name) + times * getattr(part, name) for name in _FIGURES}
    return NodeAnalysis(total.inputs, part.outputs, **figures)


def _missing_ends(graph: Graph) -> list[Problem]:
    problems = []
    if not graph.inputs:
        problems.append(Problem(ERROR, "The network has no Input: add one, so that data can enter."))
    if not graph.outputs:
        problems.append(Problem(ERROR, "The network has no Output: add one, so that it can be trained."))
    return problems


def _data_problems(graph: Graph, nodes: dict[str, NodeAnalysis], data: DataSpec) -> list[Problem]:
    if data.refusal:
        return [*_input_problems(graph, data), Problem(ERROR, data.refusal)]
    return _input_problems(graph, data) + output_problems(graph, nodes, data)


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
