"""The end of numbers over time: the last window of a file, after which nothing is known yet.

Axis letters: T steps of a window, D numbers of a step.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError
from studio.data.series.columns import resolve
from studio.data.series.reading import ReadingRules, read_recording
from studio.data.series.rules import listed
from studio.data.series.windows import steady, with_calendar
from studio.data.tables.dialect import Asked

if TYPE_CHECKING:
    import numpy as np

    from studio.data.series.sources import Series


def latest(source: Series, path: Path) -> np.ndarray:
    """The last window of a file (T, D) float32, cut as those that the network learned from.

    Args:
        source: whose settings say which columns there are, and how gaps are filled. What is to be predicted need not be
            in the file, unless it is given, too.

    Raises:
        DataError: if the file cannot be read, has no such columns, too few steps, or gaps at its end.
    """
    import numpy as np

    asked = Asked(source.separator, source.header, source.encoding)
    wanted = listed(source.inputs)
    found = read_recording(path, ReadingRules(asked, source.time_column, source.repeated, wanted))
    inputs = tuple(dict.fromkeys(resolve(name, found.names, path) for name in wanted)) or found.channels
    series = steady(found, source.gaps, path)
    dates = series.times if found.steps is not None and found.steps.dates else None
    places = [found.channels.index(name) for name in inputs]
    values = with_calendar(series.values[:, places], dates, source.calendar, path)[-source.window :]
    if len(values) < source.window:
        raise DataError(f"{path} has {len(values):,} steps; {source.window:,} are wanted, and the last ones are used.")
    whole = np.isfinite(values).all(axis=1)
    whole[1:] &= series.follows[-source.window :][1:]
    if not whole.all():
        back = source.window - int(np.flatnonzero(~whole)[-1])
        raise DataError(
            f"{path}: the last {source.window:,} steps have a gap or a missing number, {back:,} steps before the end."
        )
    return values.astype(np.float32)
