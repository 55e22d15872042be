"""One answer of a network, in words and numbers.

Axis letters: N samples, K classes or labels, D numbers, P places, T steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from studio.data.scaling import Scaling
from studio.evaluation.parts import NEXT, Preparation
from studio.settings.losses import CLASSES, LABELS, NUMBERS, PLACES, STEPS

if TYPE_CHECKING:
    from studio.evaluation.answering import Reading

__all__ = ["CLASSES", "LABELS", "NEXT", "NUMBERS", "PLACES", "STEPS", "Answer", "answers_of"]

_MOST_NAMED = 6  # labels, numbers or steps in a line


@dataclass(frozen=True, eq=False)
class Answer:
    """What the network answers to one sample.

    Args:
        kind: CLASSES (one of them), LABELS (any of them), NUMBERS, STEPS or PLACES (a class at each of them), or NEXT
            (what follows a text).
        names: of the classes, labels or numbers.
        values: probabilities (K,) of classes, labels or what comes next; numbers (D,) or (*dims), in their own units;
            of steps and places the probability of the class at each of them (*places), float32.
        classes: number of the class at each of them (*places) int64; None but for steps and places.
        notes: what a person should know of how the sample was read.
        words: what stands at the steps, where they were given as words.
    """

    kind: str
    names: tuple[str, ...]
    values: np.ndarray
    classes: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_ranked(self) -> bool:
        """Whether it has a probability for each of its names."""
        return self.kind in (CLASSES, LABELS, NEXT)

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The most probable classes or labels, or what most probably comes next, with their probabilities; for numbers
        and places nothing.
        """
        if not self.is_ranked:
            return []
        best = np.argsort(-self.values, kind="stable")[:count]
        return [(self.names[number], float(self.values[number])) for number in best]

    @property
    def labels(self) -> tuple[str, ...]:
        """Those labels that are rather there than not."""
        return tuple(self.names[number] for number in np.flatnonzero(self.values > 0.5)) if self.kind == LABELS else ()

    @property
    def numbers(self) -> dict[str, float]:
        """Numbers by their names; none where there are places."""
        if self.kind != NUMBERS or self.values.shape != (len(self.names),):
            return {}
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}

    @property
    def shares(self) -> dict[str, float]:
        """Of steps or places, which part of them each class has, the largest first."""
        if self.classes is None or not self.classes.size:
            return {}
        counts = np.bincount(self.classes.reshape(-1), minlength=len(self.names))
        order = np.argsort(-counts, kind="stable")
        return {self.names[k]: counts[k] / self.classes.size for k in order if counts[k]}

    @property
    def best(self) -> str:
        """The answer in as few words as it takes."""
        if self.kind in (CLASSES, NEXT):
            return self.top(1)[0][0]
        if self.kind == LABELS:
            return ", ".join(self.labels) or "none"
        if self.kind == NUMBERS:
            return self._numbers_text()
        if self.kind == STEPS:
            assert self.classes is not None
            return " ".join(self.names[number] for number in self.classes.tolist())
        return ", ".join(f"{name} {share:.0%}" for name, share in list(self.shares.items())[:_MOST_NAMED])

    def _numbers_text(self) -> str:
        if not self.numbers:
            low, high = float(self.values.min()), float(self.values.max())
            return f"{'×'.join(map(str, self.values.shape))} numbers from {low:.4g} to {high:.4g}"
        if len(self.numbers) == 1:
            return f"{float(self.values[0]):.6g}"
        some = list(self.numbers.items())[:_MOST_NAMED]
        more = f" and {len(self.numbers) - len(some)} more" if len(self.numbers) > len(some) else ""
        return ", ".join(f"{name} {value:.6g}" for name, value in some) + more

    def line(self, top: int = 3) -> str:
        """The answer in a line, with probabilities where it has some."""
        if self.kind in (CLASSES, NEXT):
            return ", ".join(f"{shown(name)} ({100 * value:.1f} %)" for name, value in self.top(top))
        if self.kind == LABELS:
            there = [f"{name} ({100 * value:.1f} %)" for name, value in self.top(len(self.names)) if value > 0.5]
            return ", ".join(there) or "none"
        if self.kind == STEPS and self.words:
            assert self.classes is not None
            return " ".join(f"{w}/{self.names[k]}" for w, k in zip(self.words, self.classes.tolist(), strict=False))
        return self.best

    def to_json(self, top: int = 5) -> dict[str, Any]:
        """As plain JSON values.

        Args:
            top: how many classes at most.
        """
        found: dict[str, Any] = {"kind": self.kind, "answer": self.best}
        if self.kind in (CLASSES, NEXT):
            found["classes"] = [{"name": name, "probability": value} for name, value in self.top(top)]
        elif self.kind == LABELS:
            ranked = self.top(len(self.names))
            found |= {"answer": list(self.labels), "labels": [{"name": n, "probability": p} for n, p in ranked]}
        elif self.kind == NUMBERS:
            found |= {"answer": self.numbers or self.values.tolist()}
        else:
            assert self.classes is not None
            numbers = [self.names[k] for k in self.classes.tolist()] if self.kind == STEPS else self.classes.tolist()
            found |= {"answer": numbers, "names": list(self.names), "shares": self.shares}
            found |= {"words": list(self.words)} if self.words else {}
        return {**found, **({"notes": list(self.notes)} if self.notes else {})}


def shown(name: str) -> str:
    """A class as it can stand in a line: a token may be a line's end, or a space."""
    return repr(name) if not name.isprintable() or name != name.strip() else name


def answers_of(preparation: Preparation, scores: Tensor, readings: Sequence[Reading]) -> list[Answer]:
    """What a batch of raw answers means.

    Args:
        scores: as the network gives them, (N, *dims) float32, on the CPU.
        readings: the N samples.
    """
    kind, names = preparation.kind, preparation.target.names
    if kind == CLASSES:
        values = scores.softmax(1)
    elif kind == LABELS:
        values = scores.sigmoid()
    elif kind == NUMBERS:
        values = _in_units(scores, preparation)
    else:
        return [_placed(preparation, one, reading) for one, reading in zip(scores, readings, strict=True)]
    return [
        Answer(kind, names, one, None, reading.notes) for one, reading in zip(values.numpy(), readings, strict=True)
    ]


def _in_units(scores: Tensor, preparation: Preparation) -> Tensor:
    """Numbers as they were before they were scaled: those to predict, or the input itself."""
    scaling: Scaling = preparation.scalings[0] if preparation.target.is_input else preparation.answers
    if not scaling.shift:
        return scores
    shape = scaling.along(scores.ndim)
    shift, scale = (torch.tensor(numbers).view(shape) for numbers in (scaling.shift, scaling.scale))
    return scores / scale + shift


def _placed(preparation: Preparation, scores: Tensor, reading: Reading) -> Answer:
    """Of one sample with a class at each place: (T, K) of steps, (K, *places) of pixels."""
    names, kind = preparation.target.names, preparation.kind
    if kind == NEXT:
        last = (reading.places or len(scores)) - 1
        return Answer(NEXT, names, scores[last].softmax(0).numpy(), None, reading.notes)
    axis = 1 if kind == STEPS else 0
    values, classes = scores.softmax(axis).max(axis)
    real = slice(reading.places or None) if kind == STEPS else slice(None)
    found, sure = classes.numpy()[real], values.numpy()[real]
    return Answer(kind, names, sure, found, reading.notes, reading.words)
