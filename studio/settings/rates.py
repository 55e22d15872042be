"""Which learning rate the losses of a sweep speak for. No torch: the window shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LOWEST, HIGHEST = 1e-7, 10.0
_WIDTH = 4  # points on each side over which losses are averaged
_FEWEST = 12  # points; fewer say nothing
_LEAST_FALL = 0.02  # of the first loss; less than that may be chance


@dataclass(frozen=True)
class RatePoint:
    """A step of the sweep: its learning rate, and the loss before it."""

    rate: float
    loss: float


@dataclass(frozen=True)
class Suggestion:
    """What a sweep comes to.

    Args:
        rate: a learning rate with one digit; None if the sweep speaks for none.
        reason: why, in a sentence or two.
    """

    rate: float | None
    reason: str


def smoothed(points: Sequence[RatePoint]) -> list[float]:
    """The losses, each averaged with its neighbours."""
    losses = [point.loss for point in points]
    parts = (losses[max(0, i - _WIDTH) : i + _WIDTH + 1] for i in range(len(losses)))
    return [sum(part) / len(part) for part in parts]


def suggest(points: Sequence[RatePoint]) -> Suggestion:
    """The smaller of the rate at which the loss falls fastest, and a tenth of that at which it is lowest.

    Args:
        points: in order of their rates; the last ones may be those at which the loss explodes.
    """
    if len(points) < _FEWEST:
        return Suggestion(None, "The loss was not a number from the first steps on. Look at the data and its scaling.")
    losses = smoothed(points)
    lowest = min(range(len(losses)), key=losses.__getitem__)
    start = sum(losses[:_WIDTH]) / _WIDTH
    if lowest < _WIDTH or start - losses[lowest] < _LEAST_FALL * abs(start):
        return Suggestion(None, "The loss fell at no learning rate, so none stands out. Look at the network first.")
    # Over several points: the slope between two neighbours is mostly chance.
    falls = {i: losses[i - _WIDTH] - losses[i + _WIDTH] for i in range(_WIDTH, len(losses) - _WIDTH) if i <= lowest}
    steepest = max(falls, key=falls.__getitem__) if falls else lowest
    below = points[lowest].rate / 10
    if points[steepest].rate <= below:
        return Suggestion(_one_digit(points[steepest].rate), "At this rate the loss falls fastest.")
    return Suggestion(
        _one_digit(below),
        f"The loss is lowest at {points[lowest].rate:.2g}; a tenth of that is safe.",
    )


def _one_digit(rate: float) -> float:
    """The number with one digit below it, so that it can be read and typed."""
    power = math.floor(math.log10(rate))
    return float(f"{math.floor(rate / 10**power + 1e-9)}e{power}")
