"""An explanation of one sample, in the form in which a person looks at it.

Axis letters: C channels, H W space, T steps or tokens, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from studio.data.listing import as_picture
from studio.data.tables.categories import Categories
from studio.data.texts.tokens import Tokenization
from studio.evaluation.explain.methods import Method
from studio.evaluation.explain.subject import Subject, subject_of
from studio.evaluation.explain.watching import Watch
from studio.evaluation.trained import Trained
from studio.training.tasks import NUMBERS

PICTURE, WORDS, FEATURES, SERIES = "picture", "words", "features", "series"
_MOST_CHANNELS = 8


@dataclass(frozen=True)
class Question:
    """Which answer is to be explained, by which part of a sample.

    Args:
        row: the number of the sample in the dataset.
        target: the number of the class, label or number; None for what the network answers.
        which: the number of the Input.
        place: of an answer with places, the number of one; None for the mean of all.
        layer: path of the convolution that a method looks at; empty for none.
    """

    row: int
    target: int | None = None
    which: int = 0
    place: int | None = None
    layer: str = ""


@dataclass(frozen=True, eq=False)
class Explained:
    """What the parts of a sample are worth, in the form in which it is drawn.

    Args:
        kind: PICTURE, WORDS, FEATURES or SERIES.
        question: what was asked, with the target that was explained.
        method: how it was explained.
        values: of places (H, W), of words or features in their order, or of steps (T,); of numbers to predict in their
            own units.
        score: what the network says for the answer; of numbers in their own units.
        remainder: as in `Explanation`.
        picture: what the network saw (H, W, 3) uint8, for PICTURE; None where it has no picture's channels.
        parts: the words, or the features with their values.
        series: (T, channels), for SERIES.
    """

    kind: str
    question: Question
    method: Method
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


def explain(trained: Trained, question: Question, method: Method, watch: Watch | None = None) -> Explained:
    """Explain the answer to a sample.

    Args:
        watch: told often how many samples the network was asked; may raise to give up.

    Raises:
        TrainingError: if this method cannot explain this sample.
    """
    subject = subject_of(trained, question.row, question.target, question.which, question.place)
    layer = trained.model.get_submodule(question.layer) if question.layer else None
    found = method.explain(subject, layer, watch=watch)
    asked = Question(question.row, subject.target, question.which, question.place, question.layer)
    scale, shift = _units(trained, subject)
    values = np.asarray(found.values.numpy(), np.float64) / scale
    told = (asked, method)
    last = (found.score / scale + shift, found.remainder)
    stored = stored_input(trained, question.row, question.which)
    if subject.embedding is not None:
        if isinstance(trained.dataset.learned[question.which], Categories):
            return Explained(FEATURES, *told, values, *last, parts=feature_texts(trained, question.which, stored))
        words = words_of(trained, question.which, stored)
        return Explained(WORDS, *told, values[: len(words)], *last, parts=words)
    axes = subject.spec.axes
    if axes == "CHW":
        flat = values.sum(0) if values.ndim == 3 else values
        picture = as_picture(stored) if stored.shape[0] in (1, 3) else None
        return Explained(PICTURE, *told, flat, *last, picture=picture)
    if stored.ndim == 2 and "T" in axes:
        time = axes.index("T")
        steps = values if values.ndim == 1 else values.sum(1 - time)
        return Explained(SERIES, *told, steps, *last, series=np.moveaxis(stored, time, 0)[:, :_MOST_CHANNELS])
    parts = feature_texts(trained, question.which, stored)
    return Explained(FEATURES, *told, values.reshape(-1), *last, parts=parts)


def _units(trained: Trained, subject: Subject) -> tuple[float, float]:
    """By what a score is divided, and what is added then, to have it in its own units."""
    scaling = trained.dataset.answers
    if subject.kind != NUMBERS or not scaling.shift:
        return 1.0, 0.0
    number = subject.target if len(scaling.shift) > 1 else 0
    return scaling.scale[number], scaling.shift[number]


def stored_input(trained: Trained, row: int, which: int = 0) -> np.ndarray:
    """An input of a sample (*dims), before it is scaled."""
    rows = trained.dataset.input_rows()[which].take(torch.tensor([row]))
    return np.asarray(rows.view(trained.dataset.inputs[which].shape[1:]).numpy())


def words_of(trained: Trained, which: int, numbers: np.ndarray) -> tuple[str, ...]:
    """The tokens of a text as words, without what fills up behind its end.

    Args:
        numbers: (T,), as `stored_input` gives them.
    """
    learned = trained.dataset.learned[which]
    kept = numbers.tolist()
    if isinstance(learned, Tokenization):
        names = learned.names(learned.size)
        last = max((place for place, number in enumerate(kept) if number != 0), default=-1)
        return tuple(names[number] for number in kept[: last + 1])
    characters = trained.dataset.spec.characters
    return tuple(characters[n] if n < len(characters) else str(n) for n in kept)


def feature_texts(trained: Trained, which: int, stored: np.ndarray) -> tuple[str, ...]:
    """The features of an input, each with its value.

    Args:
        stored: as `stored_input` gives it.
    """
    learned, values = trained.dataset.learned[which], stored.reshape(-1)
    if isinstance(learned, Categories):
        names = [name for code in learned.codes for name in code.features]
        return tuple(names[token] for token in values.tolist())
    names = list(learned.features if learned is not None else ()) or list(trained.dataset.spec.features)
    if len(names) != len(values):
        names = [f"x{number + 1}" for number in range(len(values))]
    return tuple(f"{name} = {float(value):.4g}" for name, value in zip(names, values, strict=True))


def steps_of(trained: Trained, which: int, row: int, count: int) -> tuple[str, ...]:
    """What the steps of a sequence are called that comes from an Input: its words, or numbers from 1.

    Args:
        count: how many steps there are; words where the Input has as many.
    """
    spec = trained.dataset.spec.inputs[which]
    if spec.dtype == "int" and spec.dims == (count,):
        stored = stored_input(trained, row, which)
        if isinstance(trained.dataset.learned[which], Categories):
            return feature_texts(trained, which, stored)
        words = words_of(trained, which, stored)
        return (*words, *[""] * (count - len(words)))
    if spec.axes == "CHW" and count == spec.dims[1] and count != spec.dims[2] ** 2:
        return tuple(f"row {number + 1}" for number in range(count))
    return tuple(str(number + 1) for number in range(count))


def convolutions(model: torch.nn.Module) -> list[str]:
    """The convolutions of a network by their paths, the last one, which sees most, first."""
    kinds = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
    return [path for path, layer in model.named_modules() if isinstance(layer, kinds)][::-1]
