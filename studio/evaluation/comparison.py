"""Two networks on the same samples: is one really better, or is it chance?

Axis letters: N samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.evaluation.intervals import Interval, of_mean

SURE = 0.05  # a difference that chance gives more seldom than that is taken for real
_EXACT = 25  # disagreements up to which the binomial distribution itself is asked


@dataclass(frozen=True)
class Comparison:
    """The difference between two networks.

    Args:
        figure: what differs, such as "accuracy".
        difference: of it, second minus first, with its interval.
        p: how likely chance alone gives a difference at least as large.
        test: which test said so.
        first_only, second_only: samples that only one of the two answered right; 0 where nothing is right or wrong.
    """

    figure: str
    difference: Interval
    p: float
    test: str
    first_only: int = 0
    second_only: int = 0

    @property
    def is_real(self) -> bool:
        """Whether the difference is hardly chance."""
        return self.p < SURE


def compare_rights(first_N: np.ndarray, second_N: np.ndarray) -> Comparison:
    """By McNemar's test, which looks only at the samples on which the two disagree.

    Args:
        first_N, second_N: whether each sample was answered right.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947; Edwards'
    correction for many disagreements, the binomial distribution for few.
    """
    from scipy.stats import binomtest, chi2

    first_only, second_only = int((first_N & ~second_N).sum()), int((second_N & ~first_N).sum())
    apart = first_only + second_only
    if apart == 0:
        p = 1.0
    elif apart <= _EXACT:
        p = float(binomtest(min(first_only, second_only), apart).pvalue)
    else:
        p = float(chi2.sf((abs(first_only - second_only) - 1) ** 2 / apart, 1))
    difference = of_mean(second_N.astype(float) - first_N.astype(float))
    return Comparison("accuracy", difference, p, "McNemar’s test", first_only, second_only)


def compare_numbers(first_N: np.ndarray, second_N: np.ndarray, figure: str, rounds: int = 10_000) -> Comparison:
    """By swapping the two on half of the samples at random, again and again (a paired permutation test).

    Args:
        first_N, second_N: a figure of each sample, such as its loss or its share of right places.
        figure: what it is called.
        rounds: how often they are swapped; p is never below 1 / (rounds + 1).

    Source: Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses", 2005.
    """
    differences = second_N.astype(np.float64) - first_N.astype(np.float64)
    generator, seen, reached = np.random.default_rng(0), 0, 0
    at_once = max(1, 4_000_000 // max(len(differences), 1))
    observed = abs(differences.mean()) - 1e-15
    while seen < rounds:
        signs = generator.integers(0, 2, (min(at_once, rounds - seen), len(differences)), dtype=np.int8) * 2 - 1
        reached += int((np.abs(signs @ differences / len(differences)) >= observed).sum())
        seen += len(signs)
    return Comparison(figure, of_mean(differences), (reached + 1) / (rounds + 1), "paired permutation test")
