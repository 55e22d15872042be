"""Figures of classifiers: confusion, scores per class, curves, calibration.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_POINTS = 500  # of a curve that is to be drawn


@dataclass(frozen=True)
class ClassScore:
    """How well one class is told.

    Args:
        precision: share of the answers of this class that are right; 0 if it is never answered.
        recall: share of its samples that are found; 0 if it has none.
        f1: the harmonic mean of the two.
        support: how many samples it has.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def confusion(targets_N: np.ndarray, guesses_N: np.ndarray, classes: int) -> np.ndarray:
    """How often a class (row) was taken for a class (column), (K, K) int64."""
    pairs = np.bincount(targets_N * classes + guesses_N, minlength=classes**2)
    return pairs.reshape(classes, classes)


def class_scores(counts_KK: np.ndarray, names: tuple[str, ...]) -> list[ClassScore]:
    """Precision, recall and F1 of each class, from a confusion matrix."""
    hits, answered, support = np.diagonal(counts_KK), counts_KK.sum(0), counts_KK.sum(1)
    precision = hits / np.maximum(answered, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(answered + support, 1)
    table = zip(names, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
    return [ClassScore(*row) for row in table]


def averages(counts_KK: np.ndarray) -> dict[str, float]:
    """Accuracy, and the means over the classes that occur in samples or answers, as scikit-learn takes them."""
    present = (counts_KK.sum(0) + counts_KK.sum(1)) > 0
    scores = [
        score for score, there in zip(class_scores(counts_KK, ("",) * len(counts_KK)), present, strict=True) if there
    ]
    found = counts_KK.sum(1) > 0
    recalls = np.diagonal(counts_KK)[found] / counts_KK.sum(1)[found]
    return {
        "accuracy": float(np.trace(counts_KK) / max(counts_KK.sum(), 1)),
        "balanced accuracy": float(recalls.mean()) if len(recalls) else 0.0,
        "macro precision": _mean([score.precision for score in scores]),
        "macro recall": _mean([score.recall for score in scores]),
        "macro F1": _mean([score.f1 for score in scores]),
    }


def overlaps(counts_KK: np.ndarray) -> list[tuple[float, float]]:
    """Of each class of pixels, intersection over union and Dice; 1 for one that neither occurs nor is answered."""
    hits, union = np.diagonal(counts_KK), counts_KK.sum(0) + counts_KK.sum(1) - np.diagonal(counts_KK)
    both = counts_KK.sum(0) + counts_KK.sum(1)
    iou = np.where(union > 0, hits / np.maximum(union, 1), 1.0)
    dice = np.where(both > 0, 2 * hits / np.maximum(both, 1), 1.0)
    return list(zip(iou.tolist(), dice.tolist(), strict=True))


@dataclass(frozen=True)
class Curve:
    """A curve to draw, and the area under it.

    Args:
        x, y: its points.
        thresholds: the probability from which on a sample is answered with yes, for each point.
        area: under the whole curve; for precision and recall the average precision.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float, ...]
    area: float


def roc(yes_N: np.ndarray, scores_N: np.ndarray) -> Curve | None:
    """True positives over false positives; None without samples of both kinds.

    Args:
        yes_N: whether each sample is of the class.
        scores_N: how probable that was taken.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    if not _both(yes_N):
        return None
    x, y, thresholds = roc_curve(yes_N, scores_N)
    return _curve(x, y, thresholds, float(roc_auc_score(yes_N, scores_N)))


def precision_recall(yes_N: np.ndarray, scores_N: np.ndarray) -> Curve | None:
    """Precision over recall; None without samples of both kinds. Arguments as of `roc`."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    if not _both(yes_N):
        return None
    y, x, thresholds = precision_recall_curve(yes_N, scores_N)
    return _curve(x, y, np.append(thresholds, np.inf), float(average_precision_score(yes_N, scores_N)))


def _both(yes_N: np.ndarray) -> bool:
    return bool(yes_N.any() and not yes_N.all())


def _curve(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, area: float) -> Curve:
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int))
    points = [tuple(part[some].tolist()) for part in (x, y, np.minimum(thresholds, 1.0))]
    return Curve(points[0], points[1], points[2], area)


@dataclass(frozen=True)
class Calibration:
    """Whether answers are as sure as they are right.

    Args:
        error: the expected calibration error: how far confidence and accuracy lie apart on average.
        confidences, accuracies, shares: of each bin that is not empty: the mean of both, and how many of all samples
            it has.
    """

    error: float
    confidences: tuple[float, ...]
    accuracies: tuple[float, ...]
    shares: tuple[float, ...]


def calibration(probabilities_NK: np.ndarray, targets_N: np.ndarray, bins: int = 15) -> Calibration:
    """The reliability of the answered classes, in bins of equal width.

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    confidence = probabilities_NK.max(1).astype(np.float64)
    right = probabilities_NK.argmax(1) == targets_N
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    sizes = np.bincount(places, minlength=bins)
    full = sizes > 0
    means = np.bincount(places, confidence, bins)[full] / sizes[full]
    hits = np.bincount(places, right, bins)[full] / sizes[full]
    shares = sizes[full] / len(targets_N)
    error = float((shares * np.abs(means - hits)).sum())
    return Calibration(error, tuple(means.tolist()), tuple(hits.tolist()), tuple(shares.tolist()))


def best_temperature(answers_NK: np.ndarray, targets_N: np.ndarray) -> float:
    """What raw scores are to be divided by so that their probabilities fit best: above 1 they become less sure.

    To be found on the validation split, never on the test split.

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    scores = answers_NK.astype(np.float64)
    rows = np.arange(len(scores))

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        return float((logsumexp(scaled, axis=1) - scaled[rows, targets_N]).mean())

    found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0
