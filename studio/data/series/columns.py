"""Which columns of a table are times, which are numbers over time, and which is to be predicted: from its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from studio.data.base import DataError
from studio.data.series.rules import NO_TIME
from studio.data.series.times import is_clock, read_times, time_style
from studio.data.tables.values import as_number, find_decimal, is_missing

MOST_CHANNELS = 1_000
_NUMERIC = 0.9  # of the values of a column that must be numbers
_TARGETS = ("target", "y", "ot", "close", "value")
_COUNTERS = ("", "id", "index", "no", "nr", "row", "instant", "#", "unnamed: 0", "column 1")


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are.

    Args:
        time: name of the column with the times; empty if there is none.
        style: how they are written, see `time_style`.
        clock: name of a column with the times of day that belong to the dates; empty if there is none.
        channels: names of the columns with numbers over time.
        decimal: the sign before decimal places.
    """

    time: str
    style: str
    clock: str
    channels: tuple[str, ...]
    decimal: str

    @property
    def target(self) -> str:
        """What is most likely to be predicted: a channel that is called so, or the last one."""
        named = [name for name in self.channels if name.lower() in _TARGETS]
        return named[0] if named else self.channels[-1]


def find_layout(
    names: Sequence[str], rows: Sequence[Sequence[str]], path: Path, time_column: str = "", wanted: Sequence[str] = ()
) -> Layout:
    """Tell what the columns are.

    Args:
        names: of the columns.
        rows: some of the table, cells without spaces around them.
        path: for messages.
        time_column: name or number of the column with the times, as a person said; empty to find it, NO_TIME for none.
        wanted: names or numbers of columns that are channels whatever they look like.

    Raises:
        DataError: if there is no such column, or none with numbers.
    """
    cells = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    known = {name: [value for value in values if not is_missing(value)] for name, values in cells.items()}
    decimal = find_decimal(value for values in known.values() for value in values[:200])
    time, style = _time(names, known, path, time_column)
    clock = ""
    if style and not any(":" in value for value in known[time]):
        clock = next((name for name, values in known.items() if name != time and is_clock(values)), "")
    sure = {resolve(name, names, path) for name in wanted}
    free = [name for name in names if name not in (time, clock) or name in sure]
    channels = tuple(name for name in free if name in sure or _is_channel(name, known[name], decimal))
    if not channels:
        raise DataError(f"{path} has no column with numbers over time. Columns: {', '.join(names[:20])}.")
    if len(channels) > MOST_CHANNELS:
        channels = tuple(name for name in channels if name in sure) or channels[-MOST_CHANNELS:]
    return Layout(time, style, clock, channels, decimal)


def resolve(wanted: str, names: Sequence[str], path: Path) -> str:
    """The column that a name or a number from 1 means. Raises DataError if there is none."""
    if wanted in names:
        return wanted
    if wanted.isdecimal() and len(wanted) < 6 and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    shown = ", ".join(name[:40] for name in names[:20]) + ", …" * (len(names) > 20)
    raise DataError(f"{path} has no column “{wanted[:80]}” with numbers. Columns: {shown}.")


def write_names(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns as settings; the number from 1 of a column whose name could not be read back."""
    plain = (name.isprintable() and not name.isdecimal() and len(name) <= 200 for name in columns)
    return tuple(n if good else str(names.index(n) + 1) for n, good in zip(columns, plain, strict=True))


def _time(names: Sequence[str], known: dict[str, list[str]], path: Path, wanted: str) -> tuple[str, str]:
    """The column with the times and how they are written; empty texts if there is none."""
    if wanted and (wanted != NO_TIME or wanted in names):
        name = resolve(wanted, names, path)
        style = time_style(name, known[name]) or time_style("time", known[name])
        if not style:
            raise DataError(f"{path}: the values of “{name[:80]}” are no times, such as “{_first(known[name])}”.")
        return name, style
    if wanted:
        return "", ""
    # Times stand left of what was measured, nearly always in the first column.
    found = ((name, time_style(name, known[name])) for name in names[:10])
    return next(((name, style) for name, style in found if style and _differ(known[name], style)), ("", ""))


def _first(values: Sequence[str]) -> str:
    return values[0][:40] if values else ""


def _differ(values: Sequence[str], style: str) -> bool:
    """Whether times go on in one direction, even if some are repeated; dates of birth do not."""
    import numpy as np

    times = read_times(values, style)
    steps = np.diff(times[np.isfinite(times)])
    return bool(len(steps)) and max((steps >= 0).mean(), (steps <= 0).mean()) >= 0.95 and bool(steps.any())


def _is_channel(name: str, values: Sequence[str], decimal: str) -> bool:
    numbers = [number for value in values if (number := as_number(value, decimal)) is not None]
    if not numbers or len(numbers) < _NUMERIC * len(values):
        return False
    counts = all(later - earlier == 1 for earlier, later in pairwise(numbers))
    return not (counts and len(numbers) > 2 and name.lower() in _COUNTERS)
