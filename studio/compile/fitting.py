"""Whether blocks would fit where someone is about to link them. No torch here until something is tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.blocks import Block, Output
from studio.compile.analysis import ERROR, Analysis
from studio.data.base import DataSpec
from studio.graph import Graph, Link, Node
from studio.graph.groups import BOUNDARY, GroupInput, GroupOutput, GroupUse
from studio.tensors import TensorSpec

_TRIED = "tried"  # id of the block in question in a graph of its own


@dataclass(frozen=True)
class Trial:
    """A block and what would come in.

    Args:
        node: what is tried.
        inputs: number of an input port and the tensor that comes in there, by number.
    """

    node: Node
    inputs: tuple[tuple[int, TensorSpec], ...]


def trial_of_link(graph: Graph, analysis: Analysis, link: Link) -> Trial | None:
    """What to try before a link is made; None if it cannot be told whether the shapes fit.

    Args:
        graph: what stands on the canvas, without the link.
        analysis: what is known of it.
        link: the link in question.
    """
    target = graph.node(link.target)
    came = _output_of(analysis, link)
    if came is None or isinstance(target.block, BOUNDARY):
        return None
    others = [(other.input, _output_of(analysis, other)) for other in graph.links_into(link.target)]
    inputs = {port: spec for port, spec in others if spec is not None} | {link.input: came}
    return Trial(target, tuple(sorted(inputs.items())))


def trial_of_block(block: Block, came: TensorSpec) -> Trial:
    """What to try before a new block is linked to an output that gives `came`."""
    return Trial(Node("new", block.kind, block), ((0, came),))


def misfit(trial: Trial, data: DataSpec | None = None) -> str:
    """Why the shapes would not fit, in plain words; empty if they do, or if that cannot be told yet.

    Args:
        trial: what to try, on fake tensors.
        data: what the dataset wants of an Output; None if that is not to be looked at.
    """
    block = trial.node.block
    if not trial.inputs:
        return ""
    if not isinstance(block, GroupUse) and len(trial.inputs) < (2 if block.many_inputs else len(block.inputs)):
        return ""  # more wires are to come
    from studio.compile.output_problems import problems_of
    from studio.compile.shapes import problems_inside

    problems = problems_inside(_body(trial), {f"in{port}": spec for port, spec in trial.inputs})
    if isinstance(block, Output) and data is not None:
        problems += [replace(p, node_id=_TRIED) for p in problems_of(trial.node, (trial.inputs[0][1],), data)]
    complete = len(trial.inputs) >= len(block.inputs)  # or it would be told that an input is missing
    about = [p for p in problems if p.node_id and (p.node_id.startswith(f"{_TRIED}/") or complete)]
    return next((problem.message for problem in about if problem.severity == ERROR), "")


def _body(trial: Trial) -> Graph:
    """The block alone, as the body of a group: what comes in enters at GroupInputs."""
    node, block = replace(trial.node, id=_TRIED), trial.node.block
    entries = [Node(f"in{port}", f"in{port}", GroupInput()) for port, _ in trial.inputs]
    exits = [Node(f"out{port}", f"out{port}", GroupOutput()) for port in range(len(block.outputs))]
    into = [Link(f"in{port}", 0, _TRIED, port) for port, _ in trial.inputs]
    out = [Link(_TRIED, port, f"out{port}", 0) for port in range(len(block.outputs))]
    return Graph((*entries, node, *exits), (*into, *out))


def _output_of(analysis: Analysis, link: Link) -> TensorSpec | None:
    known = analysis.nodes.get(link.source)
    outputs = known.outputs if known is not None else ()
    return outputs[link.output] if link.output < len(outputs) else None
