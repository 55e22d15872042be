"""Figures of answers that are numbers.

Axis letters: N samples, D numbers of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NumberScore:
    """How far one number to predict is missed, in its own units.

    Args:
        mae: mean absolute error.
        rmse: root of the mean squared error.
        r2: share of the variance that is explained; 0 for the mean, below it worse than that.
        bias: mean of answer minus truth.
    """

    name: str
    mae: float
    rmse: float
    r2: float
    bias: float


def number_scores(answers_ND: np.ndarray, targets_ND: np.ndarray, names: tuple[str, ...]) -> list[NumberScore]:
    """One for each number; a single one over all, where they are many places of one thing."""
    answers, targets = answers_ND.astype(np.float64), targets_ND.astype(np.float64)
    if len(names) != answers.shape[1]:
        answers, targets = answers.reshape(-1, 1), targets.reshape(-1, 1)
    residuals = answers - targets
    squares, spread = (residuals**2).sum(0), ((targets - targets.mean(0)) ** 2).sum(0)
    # Without any spread a right answer explains all, as scikit-learn has it.
    r2 = np.where(spread > 0, 1 - squares / np.where(spread > 0, spread, 1), np.where(squares == 0, 1.0, 0.0))
    columns = (np.abs(residuals).mean(0), np.sqrt(squares / len(residuals)), r2, residuals.mean(0))
    table = zip(names, *(column.tolist() for column in columns), strict=False)
    return [NumberScore(*row) for row in table]
