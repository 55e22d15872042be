"""A curve of any length that is always quick to draw.

P points. Level k keeps the smallest and the largest y of each 2^(k+1) points, so a screen needs only a few thousand
numbers whatever P is. Imported after NumPy is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SMALLEST_WIDTH = 16  # pixels; below that the coarsest level would be asked for more than it has


class MinMaxPyramid:
    """Points in order of x, to which more are only ever appended."""

    def __init__(self) -> None:
        self._x = _Column()
        self._y = _Column()
        self._levels: list[tuple[_Column, _Column]] = []  # the smallest and the largest y of 2, 4, 8 ... points

    def __len__(self) -> int:
        return len(self._x)

    def append(self, x: Sequence[float] | Array, y: Sequence[float] | Array) -> None:
        """Add points.

        Args:
            x: (P,), not below what is there.
            y: (P,), finite.
        """
        self._x.extend(x)
        self._y.extend(y)
        low = high = self._y
        for level in range(len(self._y).bit_length() - 1):
            if level == len(self._levels):
                self._levels.append((_Column(), _Column()))
            low, high = self._append_level(level, low, high)

    def _append_level(self, level: int, low: _Column, high: _Column) -> tuple[_Column, _Column]:
        """Reduce the whole pairs that are new on the level below."""
        lows, highs = self._levels[level]
        new = slice(2 * len(lows), 2 * (len(low) // 2))
        lows.extend(low.values[new].reshape(-1, 2).min(axis=1))
        highs.extend(high.values[new].reshape(-1, 2).max(axis=1))
        return lows, highs

    @property
    def all_points(self) -> tuple[Array, Array]:
        """x and y of all, each (P,). They share memory with the curve, as those of `points`."""
        return self._x.values, self._y.values

    def points(self, width: int) -> tuple[Array, Array]:
        """What to draw: at most about two points per pixel, and every peak is among them.

        Args:
            width: how many pixels the curve spans.

        Returns:
            x and y, each (Q,). They may share memory with the curve: read them before the next `append`.
        """
        width = max(width, _SMALLEST_WIDTH)
        if len(self) <= 2 * width:
            return self._x.values, self._y.values
        level = (-(-len(self) // width) - 1).bit_length() - 1  # the finest with at most `width` buckets
        lows, highs = self._levels[level]
        size = 2 ** (level + 1)
        whole = len(lows) * size
        x = np.repeat(self._x.values[:whole:size], 2)
        y = np.stack([lows.values, highs.values], axis=1).reshape(-1)
        rest = self._y.values[whole:]
        if not len(rest):
            return x, y
        last_x = self._x.values[-1]
        return np.append(x, [last_x, last_x]), np.append(y, [rest.min(), rest.max()])


class _Column:
    """An array that grows at its end without copying everything each time."""

    def __init__(self) -> None:
        self._room = np.empty(256)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> Array:
        """(P,), a view."""
        return self._room[: self._length]

    def extend(self, values: Sequence[float] | Array) -> None:
        length = self._length + len(values)
        if length > len(self._room):
            room = np.empty(max(length, 2 * len(self._room)))
            room[: self._length] = self.values
            self._room = room
        self._room[self._length : length] = values
        self._length = length
