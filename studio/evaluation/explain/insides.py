"""What is inside a network: what its blocks make of a sample, and what its filters look for.

Axis letters: O filters, I channels that they see, C channels, H W space, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from studio.compile.pictures import ZERO, Picture, picture, side_by_side
from studio.compile.trace import results_of
from studio.evaluation.explain.subject import prepared
from studio.evaluation.trained import Trained
from studio.graph.paths import flatten
from studio.training.errors import TrainingError

MOST_MAPS = 256
MOST_SIDE = 128  # pixels of one map


@dataclass(frozen=True, eq=False)
class Inside:
    """A picture of what is inside a network.

    Args:
        of: the block or the layer, in words.
        picture: what is to be seen.
    """

    of: str
    picture: Picture


def blocks_of(trained: Trained) -> dict[str, str]:
    """The names of all blocks that give something, by their paths; those in groups with their group's name."""
    shown = flatten(trained.project.graph)
    return {node.id: node.name for node in shown.nodes if node.block.kind != "output"}


def feature_maps(trained: Trained, row: int, block: str) -> Inside:
    """What a block makes of a sample: all its maps, its sequence or its vector.

    Args:
        row: the number of the sample in the dataset.
        block: its path, one of `blocks_of`.

    Raises:
        TrainingError: if the block takes no part in an answer.
    """
    assert isinstance(trained.model, fx.GraphModule)
    found = results_of(trained.model, trained.project.graph, prepared(trained, row))
    name = blocks_of(trained).get(block, block)
    if block not in found:
        raise TrainingError(f"“{name}” takes no part in an answer, so there is nothing to see of it.")
    values = found[block][0]
    is_image = values.ndim == 3 and values.shape[0] == 3 and block in {node.id for node in trained.project.graph.inputs}
    return Inside(name, picture(values, image=is_image, most=MOST_MAPS, side=MOST_SIDE))


def filtering_layers(model: nn.Module) -> list[str]:
    """The convolutions whose filters can be looked at, by their paths, the first one first."""
    return [path for path, layer in model.named_modules() if isinstance(layer, nn.Conv1d | nn.Conv2d)]


def filters(trained: Trained, path: str) -> Inside:
    """The weights of a convolution as small pictures: one for each filter.

    Filters that see three channels are shown in colours; of those that see more, each channel is a picture of its own.

    Args:
        path: one of `filtering_layers`.
    """
    layer = trained.model.get_submodule(path)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    weights = layer.weight.detach().float().cpu()
    if weights.ndim == 3:
        return Inside(path, _renamed(picture(weights, most=MOST_MAPS), f"{len(weights)} filters, channels × steps"))
    if weights.shape[1] == 3:
        return Inside(path, _coloured(weights[:MOST_MAPS]))
    seen = weights.shape[1]
    words = f"{len(weights)} filters" + (f" with {seen} channels each" if seen > 1 else "")
    return Inside(path, _renamed(picture(weights.flatten(0, 1), most=MOST_MAPS), words))


def _renamed(made: Picture, caption: str) -> Picture:
    return Picture(
        made.pixels, made.signed, made.low, made.high, f"{caption} ({made.caption.split(' feature')[0]} shown)"
    )


def _coloured(weights_O3HW: Tensor) -> Picture:
    """Filters in colours; grey is zero, and all have the same scale."""
    low, high = float(weights_O3HW.min()), float(weights_O3HW.max())
    largest = max(-low, high, 1e-30)
    shades = (ZERO + weights_O3HW * (127 / largest)).round().clamp(0, 255).to(torch.uint8)
    pixels = torch.stack([side_by_side(shades[:, colour], ZERO) for colour in range(3)], 2).numpy()
    return Picture(pixels, False, low, high, f"{len(weights_O3HW)} filters in colours, grey is 0")
