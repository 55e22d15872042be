"""An explanation of one sample, made in the worker thread.

Axis letters: C channels, H W space, T steps or tokens, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.data.listing import as_picture
from studio.data.texts.tokens import Tokenization
from studio.evaluation.explain.methods import Method
from studio.evaluation.explain.subject import subject_of

if TYPE_CHECKING:
    from studio.evaluation.trained import Trained

PICTURE, WORDS, FEATURES, SERIES = "picture", "words", "features", "series"
_MOST_CHANNELS = 8


@dataclass(frozen=True, eq=False)
class Explained:
    """What the parts of a sample are worth, in the form in which it is drawn.

    Args:
        kind: PICTURE, WORDS, FEATURES or SERIES.
        row: the number of the sample in the dataset.
        method: its title.
        target: the number of the class, label or number that was explained.
        values: of places (H, W), of words or features in their order, or of steps (T,).
        score: what the network says for the answer.
        remainder: as in `Explanation`.
        picture: what the network saw (H, W, 3) uint8, for PICTURE; None where it has no picture's channels.
        parts: the words, or the features with their values.
        series: (T, channels), for SERIES.
    """

    kind: str
    row: int
    method: str
    target: int
    values: np.ndarray
    score: float
    remainder: float | None
    picture: np.ndarray | None = None
    parts: tuple[str, ...] = ()
    series: np.ndarray | None = None

    @property
    def strongest(self) -> float:
        """The largest value without its sign; never 0, to divide by."""
        return max(float(np.abs(self.values).max(initial=0.0)), 1e-30)


@contextmanager
def _watched(trained: Trained, check: Callable[[], None]) -> Iterator[None]:
    """Look before each pass through the network whether it was given up."""
    handle = trained.model.register_forward_pre_hook(lambda _model, _inputs: check())
    try:
        yield
    finally:
        handle.remove()


def explain(
    trained: Trained, row: int, target: int | None, method: Method, layer: str, check: Callable[[], None]
) -> Explained:
    """Explain the answer to a sample.

    Args:
        row: its number in the dataset.
        target: the class, label or number to explain; None for the one that the network answers.
        layer: the convolution that a method looks at; empty for none.
        check: called often; may raise to give up.

    Raises:
        TrainingError: if this method cannot explain this sample.
    """
    with _watched(trained, check):
        subject = subject_of(trained, row, target)
        module = trained.model.get_submodule(layer) if layer else None
        found = method.explain(subject, module)
    values = np.asarray(found.values.numpy(), np.float64)
    told = (row, method.title, subject.target)
    stored = _stored(trained, row)
    if subject.embedding is not None:
        words = _words(trained, stored)
        return Explained(WORDS, *told, values[: len(words)], found.score, found.remainder, parts=words)
    axes = subject.spec.axes
    if axes == "CHW":
        flat = values.sum(0) if values.ndim == 3 else values
        picture = as_picture(stored) if stored.shape[0] in (1, 3) else None
        return Explained(PICTURE, *told, flat, found.score, found.remainder, picture=picture)
    if axes.startswith("T") and stored.ndim <= 2:
        steps = values if values.ndim == 1 else values.sum(1)
        series = stored.reshape(len(stored), -1)[:, :_MOST_CHANNELS]
        return Explained(SERIES, *told, steps, found.score, found.remainder, series=series)
    flat = values.reshape(-1)
    return Explained(FEATURES, *told, flat, found.score, found.remainder, parts=_features(trained, stored, len(flat)))


def _stored(trained: Trained, row: int) -> np.ndarray:
    """The first input of a sample, before it is scaled."""
    import torch

    rows = trained.dataset.input_rows()[0].take(torch.tensor([row]))
    return np.asarray(rows.view(trained.dataset.inputs[0].shape[1:]).numpy())


def _words(trained: Trained, numbers: np.ndarray) -> tuple[str, ...]:
    learned = trained.dataset.learned[0]
    kept = numbers.tolist()
    if isinstance(learned, Tokenization):
        names = learned.names(learned.size)
        last = max((place for place, number in enumerate(kept) if number != 0), default=-1)
        return tuple(names[number] for number in kept[: last + 1])
    characters = trained.dataset.spec.characters
    return tuple(characters[n] if n < len(characters) else str(n) for n in kept)


def _features(trained: Trained, stored: np.ndarray, count: int) -> tuple[str, ...]:
    names = trained.dataset.spec.features or tuple(f"x{number + 1}" for number in range(count))
    values = stored.reshape(-1)
    return tuple(f"{name} = {float(value):.4g}" for name, value in zip(names, values, strict=False))


def convolutions(trained: Trained) -> list[str]:
    """The convolutions of a network by their paths, the last one, which sees most, first."""
    from torch import nn

    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [path for path, layer in trained.model.named_modules() if isinstance(layer, kinds)][::-1]
