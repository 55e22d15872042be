"""The answers to single samples, ready to be looked at: in words, in orders, and by cells of the confusion matrix.

A place is the position of a sample among the predictions; its row is its number in the dataset.

Axis letters: N samples, K classes or labels, D numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.evaluation import mistakes
from studio.evaluation.predictions import Predictions
from studio.training.tasks import CLASSES, LABELS, NUMBERS

_MOST_NAMES = 6  # of labels or numbers in an answer


@dataclass(frozen=True)
class Verdict:
    """One answer.

    Args:
        text: the class, the labels, the numbers, or how many places are right.
        sureness: probability of the class; None where there is no single one.
        right: whether it is all right; None for numbers, which are never exactly right.
    """

    text: str
    sureness: float | None = None
    right: bool | None = None


class Inspection:
    """Looks at predictions. Making one sorts all samples: to be done away from the window.

    Args:
        predictions: the answers to a split.
    """

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.rows = predictions.rows.numpy()
        self.losses = predictions.losses.numpy()
        self.probabilities: np.ndarray | None = None  # (N, K); None but for classes and labels
        self.answers: np.ndarray | None = None  # (N, D); None but for numbers
        self.targets = predictions.targets.numpy() if predictions.targets is not None else None
        self.guesses: np.ndarray | None = None  # (N,); None but for classes
        if predictions.kind in (CLASSES, LABELS):
            self.probabilities = predictions.probabilities.numpy()
        elif predictions.kind == NUMBERS and predictions.answers is not None:
            self.answers = predictions.answers.numpy()
        if predictions.kind == CLASSES:
            self.guesses = predictions.guesses.numpy()
        self.orders = self._orders()

    def _orders(self) -> dict[str, np.ndarray]:
        """Places by the name of their order; only the orders that make sense for these answers."""
        worst = mistakes.worst_first(self.losses)
        orders = {"highest loss": worst, "lowest loss": worst[::-1].copy()}
        if self.guesses is not None and self.probabilities is not None and self.targets is not None:
            orders["surest mistakes"] = mistakes.surest_mistakes(self.probabilities, self.targets)
            orders["least sure"] = mistakes.least_sure(self.probabilities)
            orders["likely wrong labels"] = mistakes.likely_wrong_labels(self.probabilities, self.targets)
        return {name: orders[name] for name in mistakes.ORDERS if name in orders}

    @property
    def has_cells(self) -> bool:
        """Whether it is known which samples are in a cell of the confusion matrix."""
        return self.guesses is not None or self.predictions.cells is not None

    def of_cell(self, truth: int, guess: int) -> np.ndarray:
        """Places of the samples of a class that were taken for a class, the surest first.

        Where samples have pixels or steps, those with any of that class that were taken so; those with most first.
        """
        if self.predictions.cells is not None:
            samples, cells, counts = self.predictions.cells.numpy().T
            found = np.flatnonzero(cells == truth * len(self.predictions.names) + guess)
            return np.asarray(samples[found[np.argsort(-counts[found], kind="stable")]])
        assert self.guesses is not None
        assert self.probabilities is not None
        places = np.flatnonzero((self.targets == truth) & (self.guesses == guess))
        return places[np.argsort(-self.probabilities[places, guess], kind="stable")]

    def verdict(self, place: int) -> Verdict:
        """What was answered to a sample."""
        names, predictions = self.predictions.names, self.predictions
        if self.guesses is not None and self.probabilities is not None and self.targets is not None:
            guess = int(self.guesses[place])
            return Verdict(names[guess], float(self.probabilities[place, guess]), guess == int(self.targets[place]))
        if self.probabilities is not None and self.targets is not None:
            given = self.probabilities[place] > 0.5
            right = bool((given == (self.targets[place] > 0.5)).all())
            return Verdict(_joined([names[k] for k in np.flatnonzero(given)]) or "none", None, right)
        if self.answers is not None:
            return Verdict(_numbers(names, self.answers[place]))
        assert predictions.rights is not None
        assert predictions.sizes is not None
        right_places, size = int(predictions.rights[place]), int(predictions.sizes[place])
        return Verdict(f"{100 * right_places / max(size, 1):.1f} % right", None, right_places == size)

    def truth(self, place: int) -> str:
        """What would have been right; empty where a sample has many places."""
        names = self.predictions.names
        if self.targets is None:
            return ""
        if self.guesses is not None:
            return names[int(self.targets[place])]
        if self.probabilities is not None:
            return _joined([names[k] for k in np.flatnonzero(self.targets[place] > 0.5)]) or "none"
        return _numbers(names, self.targets[place])

    def truths(self, place: int) -> frozenset[int]:
        """Numbers of the true class or labels; none for numbers and places."""
        if self.targets is None or self.probabilities is None:
            return frozenset()
        if self.guesses is not None:
            return frozenset((int(self.targets[place]),))
        return frozenset(np.flatnonzero(self.targets[place] > 0.5).tolist())

    def most_probable(self, place: int, most: int = 5) -> list[tuple[int, float]]:
        """Numbers of the most probable classes or labels with their probabilities; the true class is among them."""
        if self.probabilities is None:
            return []
        values = self.probabilities[place]
        best = np.argsort(-values, kind="stable")[:most].tolist()
        if self.guesses is not None and self.targets is not None and int(self.targets[place]) not in best:
            best[-1] = int(self.targets[place])
        return [(number, float(values[number])) for number in best]


def _joined(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + ", …" * (len(names) > _MOST_NAMES)


def _numbers(names: tuple[str, ...], values: np.ndarray) -> str:
    if len(values) == 1:
        return f"{float(values[0]):.4g}"
    if len(names) != len(values):
        return f"numbers from {float(values.min()):.3g} to {float(values.max()):.3g}"
    return _joined([f"{name} {float(value):.3g}" for name, value in zip(names, values, strict=True)])


@dataclass(frozen=True)
class Cut:
    """What comes of answering yes from a probability on.

    Args:
        hits, false_alarms, misses, right_noes: numbers of samples.
    """

    hits: int
    false_alarms: int
    misses: int
    right_noes: int

    @property
    def precision(self) -> float:
        """Share of the yeses that are right; 0 without any."""
        return self.hits / max(self.hits + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        """Share of the samples of the class that are found; 0 without any."""
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.hits / max(2 * self.hits + self.false_alarms + self.misses, 1)

    @property
    def false_alarm_rate(self) -> float:
        """Share of the other samples that are answered with yes."""
        return self.false_alarms / max(self.false_alarms + self.right_noes, 1)


class Thresholds:
    """Counts at any threshold at once, for a slider.

    Args:
        yes_N: whether each sample is of the class.
        scores_N: how probable that was taken.
    """

    def __init__(self, yes_N: np.ndarray, scores_N: np.ndarray) -> None:
        self._of, self._others = np.sort(scores_N[yes_N]), np.sort(scores_N[~yes_N])

    def at(self, threshold: float) -> Cut:
        """What comes of answering yes where the probability is at least this."""
        misses = int(np.searchsorted(self._of, threshold, side="left"))
        noes = int(np.searchsorted(self._others, threshold, side="left"))
        return Cut(len(self._of) - misses, len(self._others) - noes, misses, noes)


def thresholds_of(inspection: Inspection, number: int) -> Thresholds:
    """Of one class against the rest, or of one label."""
    assert inspection.probabilities is not None
    assert inspection.targets is not None
    of = inspection.targets == number if inspection.guesses is not None else inspection.targets[:, number] > 0.5
    return Thresholds(np.asarray(of), inspection.probabilities[:, number])
