"""Ranges of plot axes that seldom change: each change of a range redraws the whole plot."""

from __future__ import annotations

import math


class DoublingRange:
    """From 0 to a top that doubles when a value lies above it.

    Args:
        top: the first top; 0 to take it from the first value.
        limit: never above this.
    """

    def __init__(self, top: float = 0.0, limit: float = math.inf) -> None:
        self._top = top
        self._limit = limit

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends of the range."""
        return 0.0, min(self._top, self._limit) or 1.0

    def include(self, value: float) -> None:
        """Make room for a finite value."""
        if self._top == 0:
            self._top = _rounded_up(value)
        while 0 < self._top < min(value, self._limit):
            self._top *= 2


class DecadeRange:
    """Whole powers of ten around all values, for a logarithmic axis."""

    def __init__(self) -> None:
        self._low = math.inf
        self._high = -math.inf

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends of the range, as decimal logarithms."""
        return (self._low, self._high) if self._low < self._high else (-1.0, 0.0)

    def include(self, value: float) -> None:
        """Make room for a finite value; one that has no logarithm is left out."""
        if value > 0:
            self._low = min(self._low, math.floor(math.log10(value)))
            self._high = max(self._high, math.floor(math.log10(value)) + 1)


def _rounded_up(value: float) -> float:
    """The next number above of the form 1, 2 or 5 times a power of ten; 0 for 0."""
    if value <= 0:
        return 0.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if value <= step * power), 10 * power)
