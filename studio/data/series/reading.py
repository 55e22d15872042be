"""Reads a table as numbers over time: in order, at most one row for each time, with the steps between them.

Axis letters: R rows, C channels.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError
from studio.data.series.columns import Layout, find_layout
from studio.data.series.rules import FIRST, MEAN
from studio.data.series.times import NUMBERS, Steps, clock_seconds, find_steps, read_times
from studio.data.tables.dialect import Asked
from studio.data.tables.reading import Table, TextColumn, read_table
from studio.data.tables.values import as_number, is_missing

if TYPE_CHECKING:
    import numpy as np

ROWS_TO_LOOK_AT = 1_000
LEAST_ROWS = 3
MOST_NUMBERS = 2**28  # of all channels: 2 GB

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class ReadingRules:
    """How a file is read.

    Args:
        asked: how it is written, as far as that is known.
        time_column: as in `find_layout`.
        repeated: one of REPEATED: which of the rows of the same time counts.
        columns: names or numbers of columns that are channels whatever they look like.
    """

    asked: Asked = field(default_factory=Asked)
    time_column: str = ""
    repeated: str = MEAN
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Recording:
    """Numbers over time, in the order of their times.

    Args:
        values: (R, C) float64, NaN where there is none.
        times: (R,) float64, all different; None if there is no column with times.
        places: where the rows lie, counted in steps from the first (R,) float64.
        steps: between the times; None as for them.
        lines: where each row begins in the file (R,).
        odd: for each channel what is no number there, with its line, and how often that is so.
        timeless: lines of rows without a time, which are left out.
        repeats: how many rows had the time of another one.
        sorted: whether the rows had to be put in order; 1 if they were turned round, 2 if they were mixed.
    """

    layout: Layout
    names: tuple[str, ...]
    values: np.ndarray
    times: np.ndarray | None
    places: np.ndarray
    steps: Steps | None
    lines: np.ndarray
    words: str
    odd: dict[str, tuple[str, int, int]]
    timeless: tuple[int, ...] = ()
    repeats: int = 0
    sorted: int = 0

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the C channels."""
        return self.layout.channels


def read_recording(path: Path, rules: ReadingRules) -> Recording:
    """The whole file. It is read again only when it has changed.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it cannot be read, or holds no numbers over time.
    """
    table = read_table(path, rules.asked)  # the same one as long as the file is
    with _one_at_a_time:
        return _recording(table, path, rules)


@functools.lru_cache(maxsize=1)
def _recording(table: Table, path: Path, rules: ReadingRules) -> Recording:
    names = tuple(column.name for column in table.columns)
    beginning = [[c.texts[c.codes[row]] for c in table.columns] for row in range(min(table.rows, ROWS_TO_LOOK_AT))]
    layout = find_layout(names, beginning, path, rules.time_column, rules.columns)
    if table.rows * len(layout.channels) > MOST_NUMBERS:
        raise DataError(f"{path} has more than {MOST_NUMBERS:,} numbers, which do not fit into memory. Take a part.")
    by_name = {column.name: column for column in table.columns}
    values, odd = _values([by_name[name] for name in layout.channels], layout.decimal, table.lines)
    times = _times(by_name, layout)
    return _in_order(Recording(
        layout, names, values, times, _rows(table.rows), None, table.lines, table.words, odd
    ), rules, path)  # fmt: skip


def _rows(count: int) -> np.ndarray:
    import numpy as np

    return np.arange(count, dtype=np.float64)


def _times(columns: dict[str, TextColumn], layout: Layout) -> np.ndarray | None:
    import numpy as np

    if not layout.time:
        return None
    times: np.ndarray = read_times(columns[layout.time].texts, layout.style)[columns[layout.time].codes]
    if layout.clock:
        clock = columns[layout.clock]
        times = times + np.array([clock_seconds(text) for text in clock.texts])[clock.codes]
    return times


def _values(
    columns: Sequence[TextColumn], decimal: str, lines: np.ndarray
) -> tuple[np.ndarray, dict[str, tuple[str, int, int]]]:
    """The numbers of columns (R, C), and what is none in each: an example, its line, and how many there are."""
    import numpy as np

    values = np.empty((len(lines), len(columns)))
    odd: dict[str, tuple[str, int, int]] = {}
    for place, column in enumerate(columns):
        numbers = [as_number(text, decimal) for text in column.texts]
        values[:, place] = np.array([np.nan if number is None else number for number in numbers])[column.codes]
        none = [number is None and not is_missing(text) for text, number in zip(column.texts, numbers, strict=True)]
        if any(none):
            rows = np.flatnonzero(np.array(none)[column.codes])
            odd[column.name] = (column.texts[column.codes[rows[0]]], int(lines[rows[0]]), len(rows))
    return values, odd


def _in_order(found: Recording, rules: ReadingRules, path: Path) -> Recording:
    """Rows without a time left out, the others in its order, one for each time."""
    from dataclasses import replace

    import numpy as np

    if found.times is None:
        return found
    timed = np.flatnonzero(np.isfinite(found.times))
    if len(timed) < LEAST_ROWS:
        raise DataError(f"{path}: only {len(timed):,} rows have a time in “{found.layout.time}”. Is that the column?")
    times = found.times[timed]
    back = np.diff(times) < 0
    order = timed[np.argsort(times, kind="stable")] if back.any() else timed
    values, kept = _merged(found.values[order], found.times[order], rules.repeated)
    times = found.times[order][kept]
    if len(times) < LEAST_ROWS:
        raise DataError(f"{path} has only {len(times):,} different times in “{found.layout.time}”.")
    steps = find_steps(times, found.layout.style != NUMBERS)
    return replace(
        found, values=values, times=times, places=steps.places(times), steps=steps, lines=found.lines[order][kept],
        timeless=tuple(np.delete(found.lines, timed)[:20].tolist()), repeats=len(order) - len(kept),
        sorted=0 if not back.any() else 1 if (np.diff(found.times[timed]) <= 0).all() else 2,
    )  # fmt: skip


def _merged(values: np.ndarray, times: np.ndarray, repeated: str) -> tuple[np.ndarray, np.ndarray]:
    """One row for each time, and which rows these are. The times are in order."""
    import numpy as np

    starts = np.flatnonzero(np.diff(times, prepend=-np.inf) > 0)
    if len(starts) == len(times):
        return values, starts
    if repeated == FIRST:
        return values[starts], starts
    if repeated != MEAN:
        return values[np.append(starts[1:], len(times)) - 1], starts
    known = np.add.reduceat(np.isfinite(values), starts, axis=0)
    sums = np.add.reduceat(np.nan_to_num(values), starts, axis=0)
    return np.where(known > 0, sums / np.maximum(known, 1), np.nan), starts
