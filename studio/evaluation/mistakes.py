"""Which samples to look at: the worst ones, the surest mistakes, and those whose label may be wrong.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

import numpy as np

ORDERS = ("highest loss", "lowest loss", "surest mistakes", "least sure", "likely wrong labels")


def worst_first(losses_N: np.ndarray) -> np.ndarray:
    """Places of the samples (N,), those of the highest loss first."""
    return np.argsort(-losses_N, kind="stable")


def surest_mistakes(probabilities_NK: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Places of those that are answered wrong, the surest first."""
    wrong = np.flatnonzero(probabilities_NK.argmax(1) != targets_N)
    return wrong[np.argsort(-probabilities_NK[wrong].max(1), kind="stable")]


def least_sure(probabilities_NK: np.ndarray) -> np.ndarray:
    """Places of all samples (N,), those first whose two most probable classes are closest."""
    if probabilities_NK.shape[1] < 2:
        return np.arange(len(probabilities_NK))
    top = np.partition(probabilities_NK, -2, axis=1)[:, -2:]
    return np.argsort(np.abs(top[:, 1] - top[:, 0]), kind="stable")


def likely_wrong_labels(probabilities_NK: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Places of the samples that probably belong to another class than their label says, the likeliest first.

    A sample counts where another class is as probable for it as that class is for its own samples on average. To be
    trusted on samples that the network was not trained on.

    Source: Northcutt, Jiang and Chuang, "Confident learning: Estimating uncertainty in dataset labels", 2021.
    """
    classes = probabilities_NK.shape[1]
    thresholds = np.array(
        [
            probabilities_NK[targets_N == number, number].mean() if (targets_N == number).any() else np.inf
            for number in range(classes)
        ]
    )
    confident = np.where(probabilities_NK >= thresholds, probabilities_NK, -1.0)
    meant = confident.argmax(1)
    suspects = np.flatnonzero((confident.max(1) >= 0) & (meant != targets_N))
    rows = np.arange(len(targets_N))
    margin = probabilities_NK[rows, meant] - probabilities_NK[rows, targets_N]
    return suspects[np.argsort(-margin[suspects], kind="stable")]
