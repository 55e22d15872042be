"""What the text of a cell says: nothing, a number (perhaps an amount of money), or a date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

# In lower case. “None” is not among them: it is as often one of several choices.
MISSING = frozenset(("", "na", "n/a", "n.a.", "nan", "null", "?", "-", "--", ".", "#n/a", "<na>", "\\n"))

YEAR_FIRST, DAY_FIRST, MONTH_FIRST, IN_WORDS = DATE_STYLES = (
    "year first",
    "day first",
    "month first",
    "month in words",
)

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")  # 1,234,567.8
_SPACES = re.compile(r"(?<=[0-9])[ \u00a0\u2009\u202f'’](?=[0-9]{3}(?:[^0-9]|$))")  # 1 234 567 or 1'234'567
_MONEY = re.compile(r"[$€£¥₹₽₩₺%]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|INR)\b")
_SWAPPED = str.maketrans(".,", ",.")

_CLOCK = r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp][Mm])?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
_DAY_AND_MONTH = r"(?:([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?|([A-Za-z]{3,9})\.? ([0-9]{1,2}))"
_PATTERNS = {
    YEAR_FIRST: re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?" + _CLOCK),
    DAY_FIRST: re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + _CLOCK),
    IN_WORDS: re.compile(r"(?:[A-Za-z]+, )?" + _DAY_AND_MONTH + r"[ ,-]+([0-9]{4}|[0-9]{2})" + _CLOCK),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LARGEST = 1e30  # of numbers: their squares are still no infinity where they are summed up
_LONGEST = 60  # characters of a number or a date


def is_missing(text: str, marks: frozenset[str] = MISSING) -> bool:
    """Whether a cell, without the spaces around it, says that there is no value."""
    return text.lower() in marks or not text


def as_number(text: str, decimal: str = ".") -> float | None:
    """The number that a cell holds; None if it is none, or too large.

    Signs of currencies and of percent are left out, and so is what divides thousands: the other one of comma and point,
    a space or an apostrophe.

    Args:
        text: without spaces around it.
        decimal: "." or ",".
    """
    if len(text) > _LONGEST:
        return None
    if decimal == ",":
        text = text.translate(_SWAPPED)
    if _PLAIN.fullmatch(text) is None:
        text = _SPACES.sub("", _MONEY.sub("", text).strip().replace("\u2212", "-"))
        if _GROUPED.fullmatch(text):
            text = text.replace(",", "")
        elif _PLAIN.fullmatch(text) is None:
            return None
    number = float(text)
    return number if abs(number) <= LARGEST else None


def is_number(text: str) -> bool:
    """Whether a cell holds a number in any of the ways in which people write them."""
    return as_number(text) is not None or as_number(text, ",") is not None


def find_decimal(values: Iterable[str]) -> str:
    """Whether numbers are written with a decimal point or a decimal comma: as more of the values are numbers then."""
    marked = [value for value in values if "," in value or "." in value]
    points, commas = (sum(as_number(value, sign) is not None for value in marked) for sign in ".,")
    return "," if commas > points else "."


def as_date(text: str, style: str) -> datetime | None:
    """The date, and perhaps the time, that a cell holds; None if it is none. What has an offset is brought to UTC.

    Args:
        text: without spaces around it.
        style: one of DATE_STYLES.
    """
    pattern = _PATTERNS[DAY_FIRST if style == MONTH_FIRST else style]
    found = pattern.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    *parts, hour, minute, second, half, offset = found.groups()
    try:
        year, month, day = _date_parts(parts, style)
        date = datetime(year, month, day, _hour(int(hour or 0), half), int(minute or 0), int(second or 0))
        return date if offset in (None, "Z") else _in_utc(date, offset)
    except (ValueError, OverflowError):
        return None


def date_text(date: datetime, style: str) -> str:
    """A date, and the time if there is one, as `as_date` reads it."""
    day, month, year = f"{date.day:02}", f"{date.month:02}", f"{date.year:04}"
    written = {
        YEAR_FIRST: f"{year}-{month}-{day}",
        DAY_FIRST: f"{day}/{month}/{year}",
        MONTH_FIRST: f"{month}/{day}/{year}",
        IN_WORDS: f"{date.day} {_MONTHS[date.month - 1].capitalize()} {year}",
    }[style]
    return written if (date.hour, date.minute) == (0, 0) else f"{written} {date.hour:02}:{date.minute:02}"


def _date_parts(parts: Sequence[str | None], style: str) -> tuple[int, int, int]:
    if style == IN_WORDS:
        month = _MONTHS.index((parts[1] or parts[2] or "")[:3].lower()) + 1
        return _year(parts[4] or ""), month, int(parts[0] or parts[3] or "")
    first, _, second, third = parts
    if style == YEAR_FIRST:
        return int(first or ""), int(second or ""), int(third or 1)
    if style == MONTH_FIRST:
        first, second = second, first
    return _year(third or ""), int(second or ""), int(first or "")


def _year(text: str) -> int:
    """Of two digits, those up to 68 are in this century, as `time.strptime` has it."""
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) <= 68 else 1900)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half.lower() == "pm" else 0)


def _in_utc(date: datetime, offset: str) -> datetime:
    zone = datetime.strptime(offset.replace(":", ""), "%z").tzinfo
    return date.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def find_date_style(values: Sequence[str], share: float = 0.95) -> str:
    """How dates are written in a column; empty if they are none.

    Args:
        values: some of the column's, without missing ones.
        share: how many of the values must be dates.
    """
    best, most = "", 0
    for style in DATE_STYLES:  # of two that read as many, the first one is meant
        count = sum(as_date(value, style) is not None for value in values)
        if count > most:
            best, most = style, count
    return best if values and most >= share * len(values) else ""
