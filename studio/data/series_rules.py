"""What people can choose for time series. Nothing is read here: the window imports this before it shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

LEAVE_OUT, CARRY, INTERPOLATE, IGNORE = GAPS = ("leave out", "carry forward", "interpolate", "ignore")
MEAN, FIRST, LAST = REPEATED = ("mean", "first", "last")
NO_CALENDAR, YEAR, WEEK, DAY = CALENDARS = ("none", "year", "week and year", "day, week and year")
VALUES, CHANGES = PREDICTED = ("values", "changes from the last value")
NO_TIME = "none"  # in place of the time column: the rows are one step each
MOST_TEXT = 10_000  # characters of a field


def calendar_size(calendar: str) -> int:
    """How many numbers the calendar adds to each step: a sine and a cosine for each cycle."""
    return 2 * CALENDARS.index(calendar)


def joined(names: Sequence[str]) -> str:
    """Names of columns as one line of a CSV file."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def divided(text: str) -> tuple[str, ...]:
    """The names in what `joined` wrote, or a person did."""
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())
