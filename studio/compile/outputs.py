"""What each Output of a network is compared with, how, and which of them speaks for the network. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

from studio.blocks import Output
from studio.blocks.terminals import FROM_DATA, FROM_SETTINGS
from studio.data.base import DataSpec, Target
from studio.graph import Graph, Node
from studio.settings import Loss, losses
from studio.settings.losses import NUMBERS, ByTask, KLDivergence


def is_of_data(node: Node) -> bool:
    """Whether an Output is compared with the target of the data."""
    return isinstance(node.block, Output) and node.block.target == FROM_DATA


def main_output(outputs: Sequence[Node]) -> int:
    """Number of the Output whose answers are those of the network: the first that is compared with the data's target.

    Args:
        outputs: those of a graph, in order; where none is compared with it, the first one counts.
    """
    return next((number for number, node in enumerate(outputs) if is_of_data(node)), 0)


def compared_input(data: DataSpec) -> int | None:
    """Number of the input that an Output with the target “input” is compared with: the first one of real numbers."""
    return next((number for number, tensor in enumerate(data.inputs) if tensor.dtype == "float"), None)


def target_of(node: Node, data: DataSpec) -> Target | None:
    """What an Output has to answer; None if that is the input, and the data has none of real numbers."""
    if is_of_data(node) or data.target.is_input:
        return data.target
    number = compared_input(data)
    if number is None:
        return None
    return Target("regression", ("input",), data.inputs[number].dims, is_input=True, limits=data.limits)


def own_loss(node: Node) -> Loss | None:
    """The loss that an Output has by itself, with its usual numbers; None if that of the settings counts."""
    assert isinstance(node.block, Output)
    return None if node.block.loss == FROM_SETTINGS else losses.get(node.block.loss)()


def loss_of(node: Node, kind: str, usual: Loss) -> Loss:
    """How an Output is compared.

    Args:
        kind: of its target, one of the KINDS of studio.settings.losses.
        usual: the loss of the training settings, which counts where it is made for such targets.
    """
    return own_loss(node) or (usual if kind in usual.fits else ByTask())


def loss_refusal(loss: Loss, target: Target) -> str:
    """What of a target a loss is not made for although its kind is right, as a part of a sentence; empty if nothing."""
    if isinstance(loss, KLDivergence) and (target.is_input or target.dims or target.size == 1):
        return "compares several shares of each sample, which sum to 1"
    return ""


def answers_shares(node: Node, usual: Loss) -> bool:
    """Whether the softmax of an Output's scores is what the network answers with numbers.

    Args:
        usual: the loss of the training settings.
    """
    return is_of_data(node) and isinstance(loss_of(node, NUMBERS, usual), KLDivergence)


def spoken_for(graph: Graph) -> Node | None:
    """The main Output among several; None where there is only one, which needs no word."""
    outputs = graph.outputs
    return outputs[main_output(outputs)] if len(outputs) > 1 else None
