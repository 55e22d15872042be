"""Finds out, by counting, which part of the names of files is their class: `7_jackson_3.wav` is a seven."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LEAST_FILES = 4
LEAST_GROUPS = 3  # or they could not be divided into train, validation and test
MOST_CLASSES = 1_000
_SEPARATORS = re.compile(r"[_\-\s.]+")
_SHARE = 0.95  # of the names must have as many parts as most

Rows = Sequence[tuple[str, ...]]


def parts_of(name: str) -> tuple[str, ...]:
    """What stands between underscores, hyphens, dots and spaces of a file’s name without its ending."""
    return tuple(part for part in _SEPARATORS.split(name.rpartition(".")[0] or name) if part)


def find_label(names: Sequence[str]) -> tuple[int, ...]:
    """The parts of names that may be the class, counted from 1, best first; none if there is no such part.

    A part with a few values that come again and again may be. A number at the end without which two files would have
    the same name only counts recordings. Of what is left the class stands first or last: the one with more values.

    Args:
        names: of files, with their endings.
    """
    split = [parts_of(name) for name in names]
    usual, count = Counter(map(len, split)).most_common(1)[0] if split else (0, 0)
    if len(names) < LEAST_FILES or count < _SHARE * len(names):
        return ()
    rows = [parts for parts in split if len(parts) == usual]
    columns = [Counter(row[place] for row in rows) for place in range(usual)]
    found = [place for place in range(usual) if _comes_again(columns[place])]
    counter = _counter(rows)
    found = [place for place in found if place != counter] or found
    edges = (found[0], found[-1]) if found else ()
    found.sort(key=lambda place: (place not in edges, -len(columns[place]), place))
    return tuple(place + 1 for place in found)


def find_group(names: Sequence[str], labels: Sequence[str]) -> int:
    """The part of names, counted from 1, that says who or what was recorded; 0 if there is none.

    It comes with several classes, or it would only say the class again. Words are rather meant than numbers, and of
    several the one with most values.

    Args:
        names: of files, with their endings.
        labels: the class of each.
    """
    split = [parts_of(name) for name in names]
    if not split or len(set(map(len, split))) > 1:
        return 0
    rows = [(label, *parts) for label, parts in zip(labels, split, strict=True)]
    counter = _counter(rows)
    found: list[tuple[bool, int, int]] = []
    for place in range(1, len(rows[0])):
        values, pairs = {row[place] for row in rows}, {(row[0], row[place]) for row in rows}
        several = len(pairs) >= 1.5 * len(values)
        if place != counter and several and LEAST_GROUPS <= len(values) <= len(rows) // 2:
            found.append((not all(value.isdecimal() for value in values), len(values), place))
    return max(found)[2] if found else 0


def _comes_again(values: Counter[str]) -> bool:
    """From two values on, and each of them more than once."""
    return 2 <= len(values) <= MOST_CLASSES and min(values.values()) >= 2


def _counter(rows: Rows) -> int | None:
    """The place of the last part that is a number everywhere, if rows would be the same without it."""
    for place in reversed(range(len(rows[0]))):
        if all(row[place].isdecimal() for row in rows):
            left = {row[:place] + row[place + 1 :] for row in rows}
            return place if len(left) < len(rows) else None
    return None
