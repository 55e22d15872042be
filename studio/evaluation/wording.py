"""Figures and comparisons in words, the same on the command line and in the window."""

from __future__ import annotations

from studio.evaluation.comparison import Comparison
from studio.evaluation.intervals import Interval


def interval_text(interval: Interval, digits: int = 4) -> str:
    """A figure, and between which bounds it lies where that is known."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f}  ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def in_words(comparison: Comparison) -> str:
    """What a comparison says, in one sentence."""
    real = "hardly chance" if comparison.is_real else "perhaps only chance"
    difference = interval_text(comparison.difference)
    return f"{comparison.figure} differs by {difference}, which is {real} ({comparison.test}, p = {comparison.p:.2g})."


def visible(name: str) -> str:
    """A token so that it can be seen: a space or a line's end has a sign."""
    return name.replace("\n", "↵") if name.strip(" ") else "␣" * len(name)
