"""What is known of a graph after its shapes were inferred. No torch here: the window shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.blocks import Remedy
from studio.graph.edits import Edit
from studio.graph.paths import scope_of
from studio.tensors import TensorSpec

ERROR = "error"  # the network cannot be trained
WARNING = "warning"  # it can, but something is off
HINT = "hint"  # it could be better
MAIN = "main"  # what is said of the Output among several whose answers are those of the network
SEVERITIES = (ERROR, WARNING, HINT)  # the worst first


@dataclass(frozen=True)
class Repair:
    """A way out of a problem that was tried and helps.

    Args:
        text: what it does, for a button.
        edit: what to do to the graph, as one step.
    """

    text: str
    edit: Edit


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in plain words.

    Args:
        severity: one of SEVERITIES.
        message: what is wrong, with the shapes in question, and what to do.
        node_id: the node it is about; None for the whole graph.
        remedies: what the block itself suggests; not tried yet.
        repairs: what was tried and helps, the best first.
    """

    severity: str
    message: str
    node_id: str | None = None
    remedies: tuple[Remedy, ...] = ()
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class NodeAnalysis:
    """What was inferred of one node.

    Args:
        inputs: the tensors that come in, in order of the ports.
        outputs: the tensors that go out, one per port; empty if they are unknown.
        parameters: learned numbers in it.
        flops: floating-point operations for one sample.
        memory: bytes of all that it makes of one sample; training keeps most of them for the way back.
        note: what else there is to say of it, in a word.
    """

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    parameters: int = 0
    flops: int = 0
    memory: int = 0
    note: str = ""

    @property
    def output_size(self) -> int:
        """Numbers that go out for one sample."""
        return sum(spec.numel for spec in self.outputs)


@dataclass(frozen=True)
class Analysis:
    """All shapes, counts and problems of a graph; its nodes by their paths, also those in groups."""

    nodes: dict[str, NodeAnalysis] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def parameters(self) -> int:
        """Learned numbers in the whole network."""
        return sum(node.parameters for node in self._outermost)

    @property
    def flops(self) -> int:
        """Floating-point operations for one sample."""
        return sum(node.flops for node in self._outermost)

    @property
    def memory(self) -> int:
        """Bytes of all that the network makes of one sample."""
        return sum(node.memory for node in self._outermost)

    @property
    def _outermost(self) -> list[NodeAnalysis]:
        """Nodes that are in no group; a group has the sum of its blocks."""
        return [node for path, node in self.nodes.items() if not scope_of(path)]

    @property
    def trainable(self) -> bool:
        """Whether no problem prevents training."""
        return all(problem.severity != ERROR for problem in self.problems)
