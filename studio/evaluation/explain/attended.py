"""Attention weights of one sample, in the form in which a person looks at them.

Axis letters: H heads, T queries, S keys, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.data.listing import as_picture
from studio.evaluation.explain.attention import AttentionMap, attention_of, rollable, rollout
from studio.evaluation.explain.explained import steps_of, stored_input, words_of
from studio.evaluation.explain.subject import prepared
from studio.evaluation.explain.watching import Watch
from studio.evaluation.trained import Trained
from studio.training.errors import TrainingError

MOST_WEIGHTS = 50_000_000  # of all layers
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class Sight:
    """The weights of one layer, or what reached each step through several layers.

    Args:
        title: for people.
        weights: (H, T, S) float32.
        queries, keys: what the steps are called, T and S of them.
        picture: what the network saw (H, W, 3) uint8, where the keys are places of a picture; else None.
        grid: how many rows and columns of places the picture has then.
        series: what it saw (S, channels), where the keys are the steps of a series; else None.
    """

    title: str
    weights: np.ndarray
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    picture: np.ndarray | None = None
    grid: tuple[int, int] = (0, 0)
    series: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Attended:
    """Everything that looks at something in a network, for one sample.

    Args:
        row: the number of the sample in the dataset.
        sights: one for each layer, and behind them those through all layers of an Input.
    """

    row: int
    sights: tuple[Sight, ...]


def attend(trained: Trained, row: int, watch: Watch | None = None) -> Attended:
    """Where a network looks in a sample.

    Args:
        row: its number in the dataset.
        watch: as in `explain`.

    Raises:
        TrainingError: if there is no attention, or too much to be kept.
    """
    maps = attention_of(trained, prepared(trained, row), watch)
    if not maps:
        raise TrainingError("No block of this network has attention weights.")
    if sum(each.weights.numel() for each in maps) > MOST_WEIGHTS:
        raise TrainingError("The attention weights of this sample are too many to be shown. Take shorter sequences.")
    sights = [_sight(trained, row, each.title, each) for each in maps]
    for which, layers in rollable(maps).items():
        through = rollout([layer.weights for layer in layers])[None]
        title = f"all {len(layers)} layers of “{trained.plan.inputs[which][0]}” (rollout)"
        sights.append(_sight(trained, row, title, AttentionMap("", through, which, which)))
    return Attended(row, tuple(sights))


def _sight(trained: Trained, row: int, title: str, found: AttentionMap) -> Sight:
    weights = np.asarray(found.weights.numpy(), np.float32)
    queries = steps_of(trained, found.queries, row, weights.shape[1])
    keys = steps_of(trained, found.keys, row, weights.shape[2])
    weights = weights[:, : _length(trained, row, found.queries, len(queries))]
    real = _length(trained, row, found.keys, len(keys))
    if not weights[:, :, real:].size or float(weights[:, :, real:].max()) < _NOTHING:  # hidden, as it should be
        weights = weights[:, :, :real]
    queries, keys = queries[: weights.shape[1]], keys[: weights.shape[2]]
    spec, stored = trained.dataset.spec.inputs[found.keys], stored_input(trained, row, found.keys)
    if spec.axes == "CHW" and (grid := _grid(spec.dims[1:], len(keys))) is not None:
        picture = as_picture(stored if stored.shape[0] in (1, 3) else stored.mean(0, keepdims=True))
        return Sight(title, weights, queries, keys, picture, grid)
    if spec.axes in ("TD", "CT") and spec.dims[spec.axes.index("T")] == len(keys):
        return Sight(title, weights, queries, keys, series=stored if spec.axes == "TD" else stored.T)
    return Sight(title, weights, queries, keys)


def _length(trained: Trained, row: int, which: int, count: int) -> int:
    """How many steps there are without those that fill up behind the end of a text."""
    spec = trained.dataset.spec.inputs[which]
    if spec.dtype != "int" or spec.dims != (count,) or spec.axes == "D":
        return count
    return max(len(words_of(trained, which, stored_input(trained, row, which))), 1)


def _grid(size: tuple[int, ...], count: int) -> tuple[int, int] | None:
    """Into how many rows and columns of places a picture is divided; None where that cannot be told.

    Args:
        size: height and width of the picture.
        count: of the places.
    """
    height, width = size
    rows = round((count * height / width) ** 0.5)
    square = rows > 0 and rows * (count // rows) == count and rows * width == count // rows * height
    if count == height:
        return None if square and rows > 1 else (height, 1)
    return (rows, count // rows) if square else None
