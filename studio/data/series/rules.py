"""What people can choose for time series. Nothing is read here: the window imports this before it shows."""

from __future__ import annotations

import csv
import io

LEAVE_OUT, CARRY, INTERPOLATE, IGNORE = GAPS = ("leave out", "carry forward", "interpolate", "ignore")
MEAN, FIRST, LAST = REPEATED = ("mean", "first", "last")
NO_CALENDAR, YEAR, WEEK, DAY = CALENDARS = ("none", "year", "week and year", "day, week and year")
VALUES, CHANGES = PREDICTED = ("values", "changes from the last value")
NO_TIME = "none"  # in place of the time column: the rows are one step each
MOST_TARGETS = 10_000  # numbers to predict


def calendar_size(calendar: str) -> int:
    """How many numbers the calendar adds to each step: a sine and a cosine for each cycle."""
    return 2 * CALENDARS.index(calendar)


def divided(text: str) -> tuple[str, ...]:
    """The names in a text with commas between them; one with a comma in it stands in quotes."""
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())


def quoted(name: str) -> str:
    """A name as `divided` takes it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([name])
    return line.getvalue()


def listed(text: str) -> tuple[str, ...]:
    """The names in a text with one in each line."""
    return tuple(name.strip() for name in text.split("\n") if name.strip())
