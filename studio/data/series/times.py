"""Reads times, and finds the steps between them: months are not equally long, and markets rest at weekends.

Axis letters: R rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.tables.values import YEAR_FIRST, as_date, as_number, find_date_style

if TYPE_CHECKING:
    import numpy as np

DAY = 86_400.0
STEADY, MONTHS, WORKING_DAYS = "steady", "months", "working days"
EXACT = 0.1  # of a step, by which the time between two rows may differ from it
SAME_STEP = 0.5  # the same for rows that are taken to follow each other
YEARS, COMPACT, SECONDS, MILLISECONDS, NUMBERS = NUMBER_STYLES = (
    "years", "YYYYMMDD", "seconds since 1970", "milliseconds since 1970", "numbers",
)  # fmt: skip

_FIRST, _END = -62_135_596_800.0, 253_402_300_800.0  # the years 1 and 10,000, between which dates are

_TIME_NAME = re.compile(r"(?i)(.*[\W_])?(date|time|datetime|timestamp|ts|t|year|month|day|epoch|seconds?|ms)([\W_].*)?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?)?")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?:[:.]([0-5][0-9]))?")
_SPANS = (
    (604_800, "week", "weekly"),
    (DAY, "day", "daily"),
    (3_600, "hour", "hourly"),
    (60, "minute", ""),
    (1, "second", ""),
)


def time_style(name: str, values: Sequence[str]) -> str:
    """How the times of a column are written: a style of dates or one of NUMBER_STYLES; empty if they are none.

    Numbers are only taken for times if the column is called so.

    Args:
        values: some of the column's, without missing ones.
    """
    numbers = [as_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or not known:
        return find_date_style(values)
    low, high, whole = min(known), max(known), all(number == int(number) for number in known)
    if not _TIME_NAME.fullmatch(name):
        return ""
    if whole and low >= 1_000 and high <= 2_999:
        return YEARS
    if (
        whole
        and low > 10_000_000
        and high < 30_000_000
        and all(as_date(_compact(value), YEAR_FIRST) for value in values)
    ):
        return COMPACT
    if low >= 2.5e8 and high <= 4.2e9:
        return SECONDS
    return MILLISECONDS if low >= 2.5e11 and high <= 4.2e12 else NUMBERS


def is_clock(values: Sequence[str]) -> bool:
    """Whether all values are times of a day, such as 17:24:00, which belong to a date in another column."""
    return bool(values) and all(_CLOCK.fullmatch(value) for value in values)


def clock_seconds(value: str) -> float:
    """Seconds since midnight; NaN for what is no time of a day."""
    found = _CLOCK.fullmatch(value)
    if found is None:
        return float("nan")
    hour, minute, second = (int(part or 0) for part in found.groups())
    return 3_600.0 * hour + 60.0 * minute + second


def read_times(texts: Sequence[str], style: str) -> np.ndarray:
    """Seconds since 1970, or plain numbers; NaN for what is none. (R,) float64.

    Args:
        style: what `time_style` gave.
    """
    import numpy as np

    if style in (SECONDS, MILLISECONDS, NUMBERS):
        numbers = np.array([number if (number := as_number(text)) is not None else np.nan for text in texts])
        numbers = numbers / 1_000 if style == MILLISECONDS else numbers
        return numbers if style == NUMBERS else np.where((numbers > _FIRST) & (numbers < _END), numbers, np.nan)
    if style == YEARS:
        texts, style = [f"{text.split('.')[0]}-01" for text in texts], YEAR_FIRST
    if style == COMPACT:
        texts, style = [_compact(text) for text in texts], YEAR_FIRST
    if style == YEAR_FIRST and all(map(_ISO.fullmatch, texts)):
        try:  # many times as fast
            return np.asarray(np.array(texts, "datetime64[us]").astype(np.int64) / 1e6)
        except ValueError:  # such as the 30th of February
            pass
    return np.array([_seconds(text, style) for text in texts])


def _compact(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _seconds(text: str, style: str) -> float:
    from datetime import datetime

    date = as_date(text, style)
    return (date - datetime(1970, 1, 1)).total_seconds() if date is not None else float("nan")


@dataclass(frozen=True)
class Steps:
    """How far apart times usually are.

    Args:
        kind: STEADY, MONTHS or WORKING_DAYS.
        size: of a step: seconds, months, or days; of plain numbers as they are.
        dates: whether the times are dates.
    """

    kind: str
    size: float
    dates: bool

    def places(self, times: np.ndarray) -> np.ndarray:
        """Where times lie, counted in steps from the first of them: (R,) to (R,) float64. They are in order."""
        import numpy as np

        if self.kind == STEADY:
            return np.asarray((times - times[0]) / self.size)
        days = np.floor(times / DAY).astype("int64").astype("datetime64[D]")
        if self.kind == MONTHS:
            months = days.astype("datetime64[M]").astype(np.int64)
            return np.asarray((months - months[0]) / self.size)
        return np.busday_count(days[0], days).astype(np.float64)

    def times(self, first: float, places: np.ndarray) -> np.ndarray:
        """The times of places, counted from the first time: the inverse of `places`."""
        import numpy as np

        if self.kind == STEADY:
            return np.asarray(first + places * self.size)
        day = np.datetime64(int(first // DAY), "D")
        counts = np.rint(places * self.size).astype(np.int64)
        if self.kind == WORKING_DAYS:
            days = np.busday_offset(day, counts, roll="forward")
        else:
            month = day.astype("datetime64[M]")
            months = month + counts
            lengths = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
            of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
            days = months.astype("datetime64[D]") + np.minimum(of_month, lengths - 1)
        return np.asarray(days.astype(np.int64) * DAY + first % DAY)

    @property
    def words(self) -> str:
        """Such as “hourly” or “every 15 minutes”."""
        if self.kind == WORKING_DAYS:
            return "every working day"
        if self.kind == MONTHS:
            return {1: "monthly", 3: "quarterly", 12: "yearly"}.get(int(self.size), f"every {self.size:g} months")
        if not self.dates:
            return f"every {self.size:g}"
        span, name, single = next((span for span in _SPANS if self.size % span[0] == 0), (1.0, "second", ""))
        count = self.size / span
        return (single or f"every {name}") if count == 1 else f"every {count:g} {name}s"


def find_steps(times: np.ndarray, dates: bool) -> Steps:
    """The usual step between times.

    Args:
        times: (R,) at least two, in order, all different.
        dates: whether they are seconds since 1970.
    """
    import numpy as np

    if dates and (months := _month_step(times)):
        return Steps(MONTHS, months, True)
    size = _usual(np.diff(times))
    if dates and size == DAY and len(times) > 10:
        weekdays = np.floor(times / DAY).astype(np.int64) % 7  # the first day of 1970 was a Thursday
        if not np.isin(weekdays, (2, 3)).any():
            return Steps(WORKING_DAYS, 1.0, True)
    return Steps(STEADY, size, dates)


def _month_step(times: np.ndarray) -> float:
    """Months between dates that are on the same day of each month, or on its last; 0 if they are not."""
    import numpy as np

    if np.diff(times).min() < 27 * DAY or len(set((times % DAY).tolist())) > 1:
        return 0.0
    days = np.floor(times / DAY).astype("int64").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64)
    is_last = (days + np.timedelta64(1, "D")).astype("datetime64[M]") != months
    return _usual(np.diff(months.astype(np.int64))) if len(set(of_month.tolist())) == 1 or is_last.all() else 0.0


def _usual(differences: np.ndarray) -> float:
    """The most frequent one, if it is at least every second; else the middle one."""
    import numpy as np

    rounded = np.array([float(f"{value:.6g}") for value in differences[:100_000]])
    values, counts = np.unique(rounded, return_counts=True)
    if 2 * counts.max() >= len(rounded):
        return float(values[counts.argmax()])
    return float(np.median(differences))


def time_text(time: float, steps: Steps | None) -> str:
    """A time as a person reads it: as much of it as the steps need."""
    if steps is None or not steps.dates:
        return f"{time:,.10g}"
    from datetime import datetime, timedelta

    date = datetime(1970, 1, 1) + timedelta(seconds=time)
    if steps.kind == MONTHS:
        return f"{date:%Y-%m}"
    return f"{date:%Y-%m-%d}" if steps.size % DAY == 0 or steps.kind == WORKING_DAYS else f"{date:%Y-%m-%d %H:%M:%S}"
