"""Whether a file is a table of numbers over time: told from its beginning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError
from studio.data.series.columns import Layout, find_layout
from studio.data.series.times import (
    DAY,
    MONTHS,
    NUMBERS,
    SAME_STEP,
    WORKING_DAYS,
    Steps,
    clock_seconds,
    find_steps,
    read_times,
)
from studio.data.tables.dialect import Beginning, first_rows

if TYPE_CHECKING:
    import numpy as np

_FEWEST_ROWS = 10
_DIFFERENT = 0.98  # of the times
_REGULAR = 0.8  # of the times that are one step behind the one before


def fitting_window(path: Path) -> int:
    """How many steps a window should have; 0 if the file is no table of numbers over time."""
    try:
        beginning = first_rows(path)
        layout = find_layout(beginning.names, beginning.rows, path)
    except DataError:
        return 0
    if not layout.time or len(beginning.rows) < _FEWEST_ROWS:
        return 0
    times = _times(beginning, layout)
    different = _ordered(times)
    if len(different) < max(_DIFFERENT * len(beginning.rows), _FEWEST_ROWS):
        return 0
    steps = find_steps(different, layout.style != NUMBERS)
    if not _is_regular(different, steps) and not _is_only_numbers(beginning, layout):
        return 0
    most = len(beginning.rows) // 4 if beginning.whole else 1_000
    return max(min(usual_window(steps), most), 2)


def _times(beginning: Beginning, layout: Layout) -> np.ndarray:
    cells = {name: [row[place] for row in beginning.rows] for place, name in enumerate(beginning.names)}
    times = read_times(cells[layout.time], layout.style)
    return times + [clock_seconds(text) for text in cells[layout.clock]] if layout.clock else times


def _ordered(times: np.ndarray) -> np.ndarray:
    """Those that are times, in order and once each; none if they go neither forward nor back."""
    import numpy as np

    times = times[np.isfinite(times)]
    steps = np.diff(times)
    if (steps < 0).mean() > 0.02 and (steps > 0).mean() > 0.02:
        return times[:0]
    return np.unique(times)


def _is_regular(times: np.ndarray, steps: Steps) -> bool:
    import numpy as np

    return bool((np.abs(np.diff(steps.places(times)) - 1) < SAME_STEP).mean() >= _REGULAR)


def _is_only_numbers(beginning: Beginning, layout: Layout) -> bool:
    """Whether all columns are times or numbers over time, and the times are dates."""
    return layout.style != NUMBERS and len(layout.channels) + 1 + bool(layout.clock) == len(beginning.names)


def usual_window(steps: Steps) -> int:
    """Two days of hours, four weeks of days, two years of months; else a round number."""
    if steps.kind == MONTHS:
        return max(round(24 / steps.size), 6)
    if steps.kind == WORKING_DAYS:
        return 20
    if not steps.dates:
        return 48
    known = {DAY: 28, 7 * DAY: 26, DAY / 24: 48, DAY / 48: 96, DAY / 96: 96}
    return known.get(steps.size, 60)
