"""How sure a figure is: confidence intervals by drawing the samples again and again (bootstrap).

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

ROUNDS = 1_000
LEVEL = 0.95
_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A figure, and between which bounds it lies in 95 of 100 draws; None where they were not drawn."""

    value: float
    low: float | None = None
    high: float | None = None


def of_mean(values_N: np.ndarray, seed: int = 0) -> Interval:
    """The mean of one number per sample."""
    values_N = np.asarray(values_N, dtype=np.float64)
    draws = np.concatenate([values_N[rows].mean(1) for rows in _draws(len(values_N), seed)])
    return _interval(float(values_N.mean()), draws)


def of_figure(figure: Callable[[np.ndarray], float], count: int, seed: int = 0, rounds: int = ROUNDS) -> Interval:
    """Any figure of some samples.

    Args:
        figure: numbers of samples (N,), with repetitions, to the figure.
        count: how many samples there are.
        rounds: how often they are drawn; fewer where the figure takes long.
    """
    draws = [figure(row) for rows in _draws(count, seed, rounds) for row in rows]
    return _interval(figure(np.arange(count)), np.asarray(draws))


def _draws(count: int, seed: int, rounds: int = ROUNDS) -> Iterator[np.ndarray]:
    """Numbers of samples, drawn with replacement (rounds at once, N)."""
    generator = np.random.default_rng(seed)
    at_once = max(1, _NUMBERS_AT_ONCE // max(count, 1))
    for start in range(0, rounds, at_once):
        yield generator.integers(0, count, (min(at_once, rounds - start), count))


def _interval(value: float, draws: np.ndarray) -> Interval:
    draws = draws[np.isfinite(draws)]  # a draw without any sample of a class has no such figure
    if not len(draws):
        return Interval(value)
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
