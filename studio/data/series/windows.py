"""Cuts numbers over time into windows with their continuation.

Axis letters: R steps, C channels, M windows, T steps of a window, D numbers of a step, S steps to predict, K targets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, DataSpec, Samples, Target
from studio.data.series.reading import Recording
from studio.data.series.rules import (
    CARRY,
    CHANGES,
    INTERPOLATE,
    LEAVE_OUT,
    NO_CALENDAR,
    VALUES,
    calendar_size,
)
from studio.data.series.times import SAME_STEP
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

MAX_BYTES = 2**31  # of all windows
_DAY, _YEAR = 86_400.0, 365.2425 * 86_400.0
_MOST_FILLED = 4  # times as many steps as there are rows: more is a date that is far off


@dataclass(frozen=True)
class WindowRules:
    """How windows are cut.

    Args:
        window, horizon: steps that the network is given, and steps that it is to predict.
        stride: steps from one window to the next.
        inputs, targets: names of channels.
        gaps, calendar, predict: one of GAPS, CALENDARS and PREDICTED.
    """

    window: int
    horizon: int
    stride: int = 1
    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    gaps: str = LEAVE_OUT
    calendar: str = NO_CALENDAR
    predict: str = VALUES

    @property
    def spec(self) -> DataSpec:
        """A window (T, D), and S × K numbers to predict, step by step."""
        width = max(len(self.inputs), 1) + calendar_size(self.calendar)
        names = tuple(f"{name} +{step}" for step in range(1, self.horizon + 1) for name in self.targets)
        return DataSpec((TensorSpec((self.window, width), "TD"),), Target("regression", names))

    @property
    def gap(self) -> int:
        """How many windows after a window share steps with it."""
        return math.ceil((self.window + self.horizon) / self.stride) - 1


@dataclass(frozen=True, eq=False)
class Steady:
    """Numbers at equal steps, or pieces of such.

    Args:
        values: (R, C) float64, NaN where there is none.
        times: (R,) float64, or None.
        follows: whether a row is one step behind the row before it (R,) bool; the first one does not.
        rows: which row of the recording each is (R,) int64; -1 for one that was filled in.
    """

    values: np.ndarray
    times: np.ndarray | None
    follows: np.ndarray
    rows: np.ndarray


def steady(found: Recording, gaps: str, path: Path) -> Steady:
    """The recording with its gaps as they shall be.

    Args:
        gaps: one of GAPS. What is carried forward was known at the time; what is interpolated was not.

    Raises:
        DataError: if filling them would make far more steps than there are rows.
    """
    import numpy as np

    rows = np.arange(len(found.values))
    if gaps in (CARRY, INTERPOLATE):
        return _filled(found, gaps, path)
    follows = np.ones(len(rows), bool)
    if gaps == LEAVE_OUT:
        follows = np.abs(np.diff(found.places, prepend=-2.0) - 1.0) < SAME_STEP
    follows[:1] = False
    return Steady(found.values, found.times, follows, rows)


def _filled(found: Recording, gaps: str, path: Path) -> Steady:
    import numpy as np

    count = round(float(found.places[-1])) + 1
    if count > _MOST_FILLED * len(found.places) + 1_000:
        at = int(np.diff(found.places).argmax())
        raise DataError(
            f"{path}: filling the gaps would make {count:,} steps of {len(found.places):,} rows. The longest is "
            f"between lines {found.lines[at]:,} and {found.lines[at + 1]:,}: is a date wrong? Or leave gaps out."
        )
    grid = np.arange(count, dtype=np.float64)
    fill = np.interp if gaps == INTERPOLATE else _carried
    values = np.full((count, found.values.shape[1]), np.nan)
    for channel in range(values.shape[1]):
        known = np.isfinite(found.values[:, channel])
        if known.any():
            places = found.places[known]
            last = np.rint(places[-1]) if gaps == INTERPOLATE else count
            inside = (grid >= np.rint(places[0])) & (grid <= last)
            values[inside, channel] = fill(grid[inside], places, found.values[known, channel])
    rows = np.full(count, -1)
    nearest = np.rint(found.places).astype(np.int64)
    rows[nearest] = np.arange(len(nearest))
    times = None
    if found.times is not None and found.steps is not None:
        times = found.times[rows]
        times[rows < 0] = found.steps.times(float(found.times[0]), grid[rows < 0])
    return Steady(values, times, grid > 0, rows)


def _carried(grid: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """At each place of the grid what was known last; what came within half a step counts as of then."""
    import numpy as np

    return np.asarray(values[np.searchsorted(np.rint(places), grid, side="right") - 1])


def with_calendar(values: np.ndarray, times: np.ndarray | None, calendar: str, path: Path) -> np.ndarray:
    """The numbers (R, D) with the sine and cosine of where a step lies in its year, week and day.

    Raises:
        DataError: if there are no dates.
    """
    import numpy as np

    if calendar == NO_CALENDAR:
        return values
    if times is None:
        raise DataError(f"{path} has no column with dates, so there is no calendar. Set it to “{NO_CALENDAR}”.")
    spans = [_YEAR, 7 * _DAY, _DAY][: calendar_size(calendar) // 2]
    angles = 2.0 * np.pi * np.stack([times / span for span in spans], axis=1)
    return np.concatenate([values, np.sin(angles), np.cos(angles)], axis=1)


def starts_of(series: Steady, rules: WindowRules, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The first steps of all windows that have no gap and no missing number (M,) int64.

    Args:
        inputs: (R, D).
        targets: (R, K).
    """
    import numpy as np

    whole = rules.window + rules.horizon
    starts = np.arange(0, max(len(inputs) - whole + 1, 0), rules.stride)
    breaks = _sums(~series.follows)
    known, wanted = _sums(~np.isfinite(inputs).all(axis=1)), _sums(~np.isfinite(targets).all(axis=1))
    middle = starts + rules.window
    good = breaks[starts + whole] == breaks[np.minimum(starts + 1, len(inputs))]
    good &= (known[middle] == known[starts]) & (wanted[starts + whole] == wanted[middle])
    if rules.predict == CHANGES:
        good &= wanted[middle] == wanted[middle - 1]  # there must be a last value
    return np.asarray(starts[good])


def _sums(flags: np.ndarray) -> np.ndarray:
    """How many flags there are before each place, (R + 1,)."""
    import numpy as np

    return np.concatenate([[0], np.cumsum(flags)])


@dataclass(frozen=True, eq=False)
class Windows:
    """What windows are cut of: steps, the numbers of each, given (R, D) and to predict (R, K), and first steps (M,)."""

    series: Steady
    inputs: np.ndarray
    targets: np.ndarray
    starts: np.ndarray

    def times(self, rules: WindowRules) -> np.ndarray | None:
        """When each window ends (M,); None if nothing is known."""
        known = self.series.times
        return None if known is None else known[self.starts + rules.window - 1]


def find_windows(found: Recording, rules: WindowRules, path: Path) -> Windows:
    """Where the windows of a recording begin; none is cut yet. Raises DataError if there are none."""
    series = steady(found, rules.gaps, path)
    dates = series.times if found.steps is not None and found.steps.dates else None
    inputs = with_calendar(series.values[:, _places(found, rules.inputs)], dates, rules.calendar, path)
    targets = series.values[:, _places(found, rules.targets)]
    starts = starts_of(series, rules, inputs, targets)
    if not len(starts):
        whole = rules.window + rules.horizon
        raise DataError(
            f"{path} has no window of {rules.window:,} steps with {rules.horizon:,} after it: of {len(inputs):,} steps "
            f"never {whole:,} follow each other without a gap or a missing number. Choose a shorter window, or fill "
            "the gaps."
        )
    return Windows(series, inputs, targets, starts)


def _places(found: Recording, names: Sequence[str]) -> list[int]:
    return [found.channels.index(name) for name in names]


def cut(found: Recording, rules: WindowRules, path: Path) -> Samples:
    """All windows and what follows them. Raises DataError if there are none, or too many for the memory."""
    import numpy as np

    windows = find_windows(found, rules, path)
    size = size_of(len(windows.starts), rules)
    if size > MAX_BYTES:
        raise DataError(
            f"{len(windows.starts):,} windows make {size / 1e9:.1f} GB of numbers; up to {MAX_BYTES / 1e9:.1f} GB are "
            f"kept. Set the stride to {fitting_stride(len(windows.starts), rules)} or more, or take fewer columns."
        )
    starts, ends = windows.starts, windows.starts + rules.window
    inputs = _cut(windows.inputs, starts, rules.window)
    targets = _cut(windows.targets, ends, rules.horizon)
    last = np.tile(windows.targets[ends - 1].astype(np.float32)[:, None], (1, rules.horizon, 1))
    if rules.predict == CHANGES:
        targets -= last
        last = np.zeros_like(targets)
    flat = targets.reshape(len(starts), -1)
    # Everything stays as it was: the rule that a forecast has to beat.
    naive = last.reshape(flat.shape) if np.isfinite(last).all() else None
    return Samples((inputs,), flat, times=windows.times(rules), gap=rules.gap, spec=rules.spec, naive=naive)


def _cut(values: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Pieces (M, length, D) float32 of numbers (R, D)."""
    import numpy as np

    views = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), length, axis=0)
    return np.ascontiguousarray(views[starts].transpose(0, 2, 1))


def size_of(count: int, rules: WindowRules) -> int:
    """Bytes of so many windows."""
    spec = rules.spec
    return 4 * count * (spec.inputs[0].numel + max(spec.target.size, 1))


def fitting_stride(count: int, rules: WindowRules) -> int:
    """The smallest stride with which the windows fit into memory."""
    return rules.stride * math.ceil(size_of(count, rules) / MAX_BYTES)
