"""Why an Output cannot be trained on a dataset, each held against its own target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studio.blocks import Output, Remedy
from studio.blocks.terminals import FROM_DATA, FROM_SETTINGS
from studio.compile.analysis import ERROR, WARNING, NodeAnalysis, Problem
from studio.compile.answers import misfit
from studio.compile.outputs import is_of_data, loss_refusal, own_loss, target_of
from studio.compile.target_kinds import KIND_WORDS, kind_of
from studio.data.base import DataSpec, Target
from studio.graph import Graph, Node
from studio.settings import losses
from studio.tensors import TensorSpec


def output_problems(graph: Graph, nodes: Mapping[str, NodeAnalysis], data: DataSpec) -> list[Problem]:
    """What is wrong with the Outputs of a graph.

    Args:
        nodes: what was inferred of its blocks.
        data: what the dataset gives and wants.
    """
    own = [problem for node in graph.outputs for problem in problems_of(node, nodes[node.id].inputs, data)]
    return [*own, *_together(graph.outputs, data)]


def problems_of(node: Node, given: tuple[TensorSpec, ...], data: DataSpec) -> list[Problem]:
    """What is wrong with one Output.

    Args:
        given: the tensor that arrives there; empty if that is unknown.
        data: what the dataset gives and wants.
    """
    assert isinstance(node.block, Output)
    target = target_of(node, data)
    if target is None:
        message = (
            f"“{node.name}” is compared with what enters the network, but the dataset gives tokens, which are no real "
            "numbers. Set its target to “from data”."
        )
        return [Problem(ERROR, message, node.id, (Remedy(fields=(("target", FROM_DATA),)),))]
    if node.block.task not in (FROM_DATA, target.task):
        whose = "the target is the input itself, which is for" if target.is_input else "the dataset's target is for"
        message = f"“{node.name}” is set to {node.block.task}, but {whose} {target.task}."
        return [Problem(ERROR, message, node.id)]
    found = [] if target.task == "detection" else list(_loss(node, target))
    if given and given[0].dims != target.answer.dims and target.size:  # or nobody knows yet how many there must be
        found.append(Problem(ERROR, misfit(node.name, given[0], target), node.id))
    return found


def _loss(node: Node, target: Target) -> Iterator[Problem]:
    """A loss of its own that is not made for its target."""
    loss, kind = own_loss(node), kind_of(target)
    if loss is None or (kind in loss.fits and not loss_refusal(loss, target)):
        return
    if kind in loss.fits:
        message = f"“{node.name}” has the loss “{loss.title}”, which {loss_refusal(loss, target)}. Choose another one."
        yield Problem(ERROR, message, node.id, (Remedy(fields=(("loss", FROM_SETTINGS),)),))
        return
    others = ", ".join(f"“{other.title}”" for other in losses if kind in other.fits)
    made_for = " or ".join(KIND_WORDS[k] for k in loss.fits)
    message = (
        f"“{node.name}” has the loss “{loss.title}”, which is made for {made_for}, but it is compared with "
        f"{KIND_WORDS[kind]}. Choose one of {others}, or that of the settings."
    )
    yield Problem(ERROR, message, node.id, (Remedy(fields=(("loss", FROM_SETTINGS),)),))


def _together(outputs: tuple[Node, ...], data: DataSpec) -> Iterator[Problem]:
    """What all of them have to give."""
    if not outputs:
        return
    weights = [node.block.weight for node in outputs if isinstance(node.block, Output)]
    if not any(map(is_of_data, outputs)) and not data.target.is_input:
        message = (
            "No Output is compared with the target of the data, so the network has no score. Set the target of one to "
            "“from data”; for an autoencoder, choose “the input itself” as the target in the Data place, too."
        )
        yield Problem(ERROR, message, outputs[0].id, (Remedy(fields=(("target", FROM_DATA),)),))
    if len(outputs) > 1 and not any(weights):
        yield Problem(ERROR, "All Outputs have the weight 0, so there is nothing to learn. Give one a larger weight.")
    elif len(outputs) == 1 and weights[0] != 1.0:
        message = f"The weight of “{outputs[0].name}” has no effect: it is the only Output."
        yield Problem(WARNING, message, outputs[0].id, (Remedy(fields=(("weight", 1.0),)),))
