"""Training settings that do not go together, or not with the data: told before a run is started."""

from __future__ import annotations

from collections.abc import Iterator

from studio.blocks.torchvision_backbone import IMAGENET, Backbone
from studio.compile.analysis import ERROR, WARNING, Problem
from studio.compile.outputs import is_of_data, loss_refusal, own_loss
from studio.compile.target_kinds import KIND_WORDS, kind_of
from studio.data.base import DataSpec
from studio.graph import Graph
from studio.graph.paths import flatten
from studio.settings import TrainingSettings
from studio.settings import losses as known_losses
from studio.settings.losses import ByTask, Weighted


def settings_problems(graph: Graph, data: DataSpec | None, training: TrainingSettings | None) -> list[Problem]:
    """What is wrong with the settings, about no block.

    Args:
        graph: the network.
        data: what the dataset gives and wants; None leaves out what depends on it.
        training: the settings; None finds nothing.
    """
    if training is None:
        return []
    asked = any(is_of_data(node) and own_loss(node) is None for node in graph.outputs) or not graph.outputs
    return [
        *(_loss(data, training) if asked else ()), *_search(training), *_backbones(graph, training),
        *_mixing(graph, training),
    ]  # fmt: skip


def _loss(data: DataSpec | None, training: TrainingSettings) -> Iterator[Problem]:
    loss = training.loss
    if data is None or data.target.task == "detection" or isinstance(loss, ByTask):
        return
    kind, size = kind_of(data.target), data.target.size
    if kind not in loss.fits:
        others = ", ".join(f"“{other.title}”" for other in known_losses if kind in other.fits)
        yield Problem(
            ERROR,
            f"The loss “{loss.title}” is made for {' or '.join(KIND_WORDS[k] for k in loss.fits)}, but the data "
            f"has {KIND_WORDS[kind]} to predict. Choose one of {others} in the training settings.",
        )
    elif reason := loss_refusal(loss, data.target):
        yield Problem(ERROR, f"The loss “{loss.title}” {reason}. Choose another one in the training settings.")
    elif isinstance(loss, Weighted) and loss.numbers and size and len(loss.numbers) != size:
        yield Problem(
            ERROR,
            f"The loss “{loss.title}” has {len(loss.numbers)} weights, but the data has {size} classes. Give one "
            "weight for each, in the order of the classes.",
        )


def _search(training: TrainingSettings) -> Iterator[Problem]:
    """What does not go with an optimizer that looks at a batch several times in a step."""
    optimizer, gradients = training.optimizer, training.gradients
    if not optimizer.searches:
        return
    in_the_way = {
        "the sum over several batches (Accumulate)": gradients.accumulate > 1,
        "clipping": bool(gradients.clip_norm or gradients.clip_value),
        "L1": bool(training.parameters.l1),
        "another rate for backbones": training.parameters.backbone_rate != 1.0,
        f"the precision {training.speed.precision}": training.speed.precision in ("bfloat16", "float16"),
    }
    for name in (name for name, set_so in in_the_way.items() if set_so):
        yield Problem(
            ERROR,
            f"{optimizer.title} compares the loss at several places in each step, which {name} would falsify. Set it "
            "back, or choose another optimizer.",
        )


def _mixing(graph: Graph, training: TrainingSettings) -> Iterator[Problem]:
    if training.mixing.method != "off" and len(graph.outputs) > 1:
        yield Problem(
            ERROR,
            f"Samples cannot be mixed by “{training.mixing.method}” for a network with several Outputs: only one "
            "target can be mixed with them. Switch it off in the training settings, under “Mixed samples”.",
        )


def _backbones(graph: Graph, training: TrainingSettings) -> Iterator[Problem]:
    blocks = [node.block for node in flatten(graph, everything=True).nodes]
    learned = any(isinstance(block, Backbone) and block.weights == IMAGENET for block in blocks)
    if training.parameters.backbone_rate != 1.0 and not learned:
        message = "The rate for backbones has no effect: the network has none that begins with learned weights."
        yield Problem(WARNING, message)
