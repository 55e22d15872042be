"""All that is told of the answers to a split: plain numbers for the window, the command line and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from studio.evaluation import classes, intervals
from studio.evaluation.classes import Calibration, ClassScore, Curve
from studio.evaluation.intervals import Interval
from studio.evaluation.numbers import NumberScore, number_scores
from studio.evaluation.predictions import Predictions
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES

MOST_CURVES = 50  # classes for which curves are made
_FEW_ROUNDS = 200  # of figures that take long


@dataclass(frozen=True)
class Report:
    """What the answers to a split are worth.

    Args:
        split: its name.
        samples: how many.
        figures: by name, with their intervals; "loss" first, then the most usual.
        names: of the classes, labels or numbers.
        confusion: how often a class (row) was taken for a class (column); none but for classes.
        classes: how well each class or label is told.
        numbers: how far each number is missed.
        overlaps: intersection over union and Dice of each class of pixels.
        roc, precision_recall: by class or label; only the second class of two.
        calibration: how sure the answers are; None but for classes.
    """

    split: str
    samples: int
    figures: dict[str, Interval]
    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...] = ()
    classes: tuple[ClassScore, ...] = ()
    numbers: tuple[NumberScore, ...] = ()
    overlaps: tuple[tuple[float, float], ...] = ()
    roc: dict[str, Curve] = field(default_factory=dict)
    precision_recall: dict[str, Curve] = field(default_factory=dict)
    calibration: Calibration | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value not in ((), {}, None)}


def report_on(predictions: Predictions) -> Report:
    """Judge the answers to a split."""
    figures = {"loss": intervals.of_mean(predictions.losses.numpy())}
    base: dict[str, Any] = {"split": predictions.split, "samples": len(predictions), "names": predictions.names}
    if predictions.kind == CLASSES:
        return Report(**base, **_of_classes(predictions, figures))
    if predictions.kind == LABELS:
        return Report(**base, **_of_labels(predictions, figures))
    if predictions.kind == NUMBERS:
        return Report(**base, **_of_numbers(predictions, figures))
    return Report(**base, **_of_places(predictions, figures))


def _of_classes(predictions: Predictions, figures: dict[str, Interval]) -> dict[str, Any]:
    assert predictions.targets is not None
    targets, guesses = predictions.targets.numpy(), predictions.guesses.numpy()
    size = len(predictions.names)
    counts = classes.confusion(targets, guesses, size)
    figures["accuracy"] = intervals.of_mean(targets == guesses)
    for name in ("balanced accuracy", "macro F1"):
        figures[name] = intervals.of_figure(_average(name, targets, guesses, size), len(targets), rounds=_FEW_ROUNDS)
    probabilities = predictions.probabilities.numpy()
    yes = {number: targets == number for number in _drawn(size)}
    curves = _curves(predictions.names, yes, probabilities)
    if curves["roc"]:
        value = float(np.mean([curve.area for curve in curves["roc"].values()]))
        figures["AUROC"] = Interval(value) if size > 2 else _auroc(yes[1], probabilities[:, 1])
    return {
        "figures": figures,
        "confusion": tuple(map(tuple, counts.tolist())),
        "classes": tuple(classes.class_scores(counts, predictions.names)),
        "calibration": classes.calibration(probabilities, targets),
        **curves,
    }


def _average(name: str, targets: np.ndarray, guesses: np.ndarray, size: int) -> Callable[[np.ndarray], float]:
    return lambda rows: classes.averages(classes.confusion(targets[rows], guesses[rows], size))[name]


def _auroc(yes_N: np.ndarray, scores_N: np.ndarray) -> Interval:
    def area(rows: np.ndarray) -> float:
        """The share of pairs of a yes and a no that are in order, by the ranks."""
        from scipy.stats import rankdata

        yes, ranks = yes_N[rows], rankdata(scores_N[rows])
        ones, zeros = int(yes.sum()), int((~yes).sum())
        if not ones or not zeros:
            return float("nan")
        return float((ranks[yes].sum() - ones * (ones + 1) / 2) / (ones * zeros))

    return intervals.of_figure(area, len(yes_N), rounds=_FEW_ROUNDS)


def _drawn(size: int) -> range:
    """The classes that get curves: of two the second alone, since the first is its mirror."""
    return range(1, 2) if size == 2 else range(min(size, MOST_CURVES))


def _curves(names: tuple[str, ...], yes: dict[int, np.ndarray], scores_NK: np.ndarray) -> dict[str, dict[str, Curve]]:
    found: dict[str, dict[str, Curve]] = {"roc": {}, "precision_recall": {}}
    for number, yes_N in yes.items():
        for kind, make in (("roc", classes.roc), ("precision_recall", classes.precision_recall)):
            if (curve := make(yes_N, scores_NK[:, number])) is not None:
                found[kind][names[number]] = curve
    return found


def _of_labels(predictions: Predictions, figures: dict[str, Interval]) -> dict[str, Any]:
    assert predictions.targets is not None
    wanted = predictions.targets.numpy() > 0.5
    scores = predictions.probabilities.numpy()
    given = scores > 0.5
    figures["accuracy"] = intervals.of_mean((given == wanted).mean(1))
    figures["all labels right"] = intervals.of_mean((given == wanted).all(1))
    tables = [classes.confusion(wanted[:, k].astype(int), given[:, k].astype(int), 2) for k in range(wanted.shape[1])]
    told = tuple(
        classes.class_scores(table, ("", name))[1] for table, name in zip(tables, predictions.names, strict=True)
    )
    mean = float(np.mean([score.f1 for score in told]))
    figures["macro F1"] = Interval(mean)
    yes = {number: wanted[:, number] for number in range(min(len(told), MOST_CURVES))}
    return {"figures": figures, "classes": told, **_curves(predictions.names, yes, scores)}


def _of_numbers(predictions: Predictions, figures: dict[str, Interval]) -> dict[str, Any]:
    assert predictions.targets is not None
    assert predictions.answers is not None
    answers, targets = predictions.answers.numpy(), predictions.targets.numpy()
    told = number_scores(answers, targets, predictions.names)
    errors = (answers.astype(np.float64) - targets).reshape(len(targets), -1)
    figures["mae"] = intervals.of_mean(np.abs(errors).mean(1))
    squares = (errors**2).mean(1)
    figures["rmse"] = intervals.of_figure(lambda rows: float(np.sqrt(squares[rows].mean())), len(squares))
    mean = float(np.mean([score.r2 for score in told]))
    figures["r2"] = Interval(mean)
    return {"figures": figures, "numbers": tuple(told)}


def _of_places(predictions: Predictions, figures: dict[str, Interval]) -> dict[str, Any]:
    assert predictions.counts is not None
    assert predictions.rights is not None
    assert predictions.sizes is not None
    counts = predictions.counts.numpy()
    found = classes.averages(counts)
    rights, sizes = predictions.rights.numpy(), predictions.sizes.numpy()
    figures["accuracy"] = intervals.of_figure(lambda rows: float(rights[rows].sum() / sizes[rows].sum()), len(rights))
    figures["macro F1"] = Interval(found["macro F1"])
    result: dict[str, Any] = {"figures": figures, "classes": tuple(classes.class_scores(counts, predictions.names))}
    if predictions.kind == PLACES:
        overlaps = classes.overlaps(counts)
        for place, name in enumerate(("mean IoU", "mean Dice")):
            figures[name] = Interval(float(np.mean([pair[place] for pair in overlaps])))
        result["overlaps"] = tuple(overlaps)
    if len(counts) <= MOST_CURVES:  # one for each token of a vocabulary would be no table to look at
        result["confusion"] = tuple(map(tuple, counts.tolist()))
    return result
