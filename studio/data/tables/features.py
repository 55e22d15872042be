"""Turns rows of a table into numbers, by what was learned from the training split.

Which features there are follows from the types of the columns and from the categories of all rows: the network's size
must not depend on the split, and the name of a category tells nothing about its rows. What is measured, such as the
median that takes the place of a missing value, is measured on the training split alone.

Axis letters: M rows, N rows to prepare, D features.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import CATEGORICAL, DATE, NUMERIC, ORDINAL, TAGS, DataError, Learnable, Learned
from studio.data.tables.types import TypeRules, Understood, label_sign, labels_in
from studio.data.tables.values import DATE_STYLES, as_date, as_number, is_missing

if TYPE_CHECKING:
    import numpy as np

MAX_FEATURES = 20_000
MAX_NUMBERS = 2**29  # of all rows: 2 GB
RAREST = 3  # rows that a category must have to get a feature of its own

NUMBER, ORDERED, SWITCH, CHOICES, LABELS, TIME = KINDS = ("number", "ordered", "switch", "choices", "labels", "time")
YEAR, MONTH, WEEKDAY, HOUR = PARTS = ("year", "month", "weekday", "hour")
_EPOCH = datetime(1970, 1, 1)
_MOST_CHOICES = 100_000  # in a checkpoint; and their characters, together
_MOST_CHARACTERS = 10_000_000


@dataclass(frozen=True)
class ColumnCode:
    """How the cells of one column become features.

    Args:
        name: of the column.
        kind: one of KINDS: a number; the place of a word in an order; 0 or 1 for one of two values; a feature for each
            of some categories, or of several labels in a cell, and one for any other; year and cycles of a date.
        choices: the words of an order, the two values, the categories or the labels.
        missing: whether a feature says that there is no value.
        style: of dates, one of DATE_STYLES.
        parts: of dates, some of PARTS.
        sign: between labels.
        zeros: whether the number 0 means that there is no value.
        fill: what stands for a missing value: the median of the training split, or of two values the more frequent one;
            of dates in seconds since 1970.
    """

    name: str
    kind: str
    choices: tuple[str, ...] = ()
    missing: bool = False
    style: str = ""
    parts: tuple[str, ...] = ()
    sign: str = ""
    zeros: bool = False
    fill: float = 0.0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        names = {
            NUMBER: (self.name,),
            ORDERED: (self.name,),
            SWITCH: (f"{self.name} = {self.choices[-1]}" if self.choices else self.name,),
            CHOICES: (*(f"{self.name} = {choice}" for choice in self.choices), f"{self.name} = other"),
            LABELS: (*(f"{self.name}: {choice}" for choice in self.choices), f"{self.name}: other"),
            TIME: tuple(name for part in self.parts for name in _part_names(self.name, part)),
        }[self.kind]
        return (*names, f"{self.name} missing") if self.missing else names

    @property
    def scaled(self) -> int:
        """How many features, from the first on, are amounts; the others are 0 and 1, or cycles from -1 to 1."""
        return 1 if self.kind in (NUMBER, ORDERED) or (self.kind == TIME and YEAR in self.parts) else 0

    def numbers(self, texts: Sequence[str], rules: TypeRules) -> np.ndarray:
        """The features of cells, (N, features) float32.

        Args:
            texts: N cells without spaces around them.
            rules: how they are read.
        """
        import numpy as np

        found = np.zeros((len(texts), len(self.features)), np.float32)
        fill_in = _FILLERS[self.kind]
        none = [is_missing(text, rules.marks) for text in texts]
        missing = fill_in(self, texts, none, rules, found)
        if self.missing:
            found[:, -1] = missing
        return found

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what is empty is left out."""
        plain = {
            "choices": list(self.choices), "missing": self.missing, "style": self.style, "parts": list(self.parts),
            "sign": self.sign, "zeros": self.zeros, "fill": self.fill,
        }  # fmt: skip
        return {"name": self.name, "kind": self.kind, **{name: value for name, value in plain.items() if value}}

    @classmethod
    def from_json(cls, data: object) -> ColumnCode:
        """From what `to_json` gave. Raises DataError if it is anything else."""
        if isinstance(data, Mapping) and set(data) <= {"name", "kind", *_JSON_TYPES} and _fit(data):
            fill = data.get("fill", 0.0)
            if data.get("kind") in KINDS and isinstance(data.get("name"), str) and abs(fill) <= _MOST_SECONDS:
                lists = {name: tuple(data.get(name, ())) for name in ("choices", "parts")}
                code = cls(**{**data, **lists, "fill": float(fill)})
                if code._is_whole():
                    return code
        raise DataError("The columns of the data cannot be read: they were not written by this program.")

    def _is_whole(self) -> bool:
        """Whether it has what its kind needs."""
        if self.kind == TIME:
            in_order = self.parts == tuple(part for part in PARTS if part in self.parts)
            return self.style in DATE_STYLES and in_order and bool(self.parts)
        if self.kind == SWITCH:
            return len(self.choices) == 2
        return self.kind != LABELS or len(self.sign) == 1


_JSON_TYPES: dict[str, Any] = {
    "choices": list,
    "missing": bool,
    "style": str,
    "parts": list,
    "sign": str,
    "zeros": bool,
    "fill": (int, float),
}
_MOST_SECONDS = 1e30


def _fit(data: Mapping[str, Any]) -> bool:
    typed = all(isinstance(data[name], kind) for name, kind in _JSON_TYPES.items() if name in data)
    lists = [*data.get("choices", ()), *data.get("parts", ())] if typed else [None]
    return all(isinstance(item, str) for item in lists) and not isinstance(data.get("fill", 0.0), bool)


def _part_names(name: str, part: str) -> tuple[str, ...]:
    return (f"{name} year",) if part == YEAR else (f"{name} {part} sine", f"{name} {part} cosine")


def _number(
    code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray
) -> list[bool]:
    read = [None if empty else as_number(text, rules.decimal) for text, empty in zip(texts, none, strict=True)]
    gone = [value is None or (code.zeros and value == 0) for value in read]
    found[:, 0] = [code.fill if none else value for value, none in zip(read, gone, strict=True)]
    return gone


def _ordered(
    code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray
) -> list[bool]:
    places = {word.lower(): place for place, word in enumerate(code.choices)}
    read = [None if empty else places.get(text.lower()) for text, empty in zip(texts, none, strict=True)]
    found[:, 0] = [code.fill if value is None else value for value in read]
    return [value is None for value in read]


def _switch(
    code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray
) -> list[bool]:
    places = {choice: float(place) for place, choice in enumerate(code.choices)}
    missing = [empty or text not in places for text, empty in zip(texts, none, strict=True)]
    found[:, 0] = [code.fill if gone else places[text] for text, gone in zip(texts, missing, strict=True)]
    return missing


def _choices(
    code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray
) -> list[bool]:
    places, other = {choice: place for place, choice in enumerate(code.choices)}, len(code.choices)
    for row, (text, empty) in enumerate(zip(texts, none, strict=True)):
        if not (empty and code.missing):
            found[row, other if empty else places.get(text, other)] = 1
    return none


def _labels(
    code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray
) -> list[bool]:
    places, other = {choice: place for place, choice in enumerate(code.choices)}, len(code.choices)
    for row, (text, empty) in enumerate(zip(texts, none, strict=True)):
        for label in () if empty else labels_in(text, code.sign):
            found[row, places.get(label, other)] = 1
    return none


def _time(code: ColumnCode, texts: Sequence[str], none: list[bool], rules: TypeRules, found: np.ndarray) -> list[bool]:
    read = [None if empty else as_date(text, code.style) for text, empty in zip(texts, none, strict=True)]
    usual = date_of(code.fill)
    for row, date in enumerate(read):
        numbers = [number for part in code.parts for number in _PART_NUMBERS[part](date or usual)]
        found[row, : len(numbers)] = numbers
    return [date is None for date in read]


def date_of(seconds: float) -> datetime:
    """The date so many seconds after 1970; 1970 for what is none."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return _EPOCH


def _cycle(share: float) -> tuple[float, float]:
    """A place on a circle, so that December is next to January."""
    return math.sin(2 * math.pi * share), math.cos(2 * math.pi * share)


_PART_NUMBERS: dict[str, Callable[[datetime], tuple[float, ...]]] = {
    YEAR: lambda date: (float(date.year),),
    MONTH: lambda date: _cycle((date.month - 1) / 12),
    WEEKDAY: lambda date: _cycle(date.weekday() / 7),
    HOUR: lambda date: _cycle((date.hour + date.minute / 60) / 24),
}
_FILLERS: dict[str, Callable[[ColumnCode, Sequence[str], list[bool], TypeRules, np.ndarray], list[bool]]] = {
    NUMBER: _number, ORDERED: _ordered, SWITCH: _switch, CHOICES: _choices, LABELS: _labels, TIME: _time,
}  # fmt: skip


@dataclass(frozen=True)
class Columns(Learned):
    """What was learned of a table, ready for any rows with the same columns.

    Args:
        codes: of the columns that the network gets, in the order of their features.
        rules: how cells are read.
    """

    key: ClassVar[str] = "columns"

    codes: tuple[ColumnCode, ...]
    rules: TypeRules

    @functools.cached_property
    def features(self) -> tuple[str, ...]:
        """Names of all features (D,)."""
        return tuple(name for code in self.codes for name in code.features)

    @functools.cached_property
    def unscaled(self) -> tuple[int, ...]:
        """The features that are 0 or 1, or cycles."""
        amounts = [place < code.scaled for code in self.codes for place in range(len(code.features))]
        return tuple(number for number, amount in enumerate(amounts) if not amount)

    @property
    def meaning(self) -> str:
        """The names of the features."""
        return "\n".join(self.features)

    def apply(self, rows: Sequence[Mapping[str, str]]) -> np.ndarray:
        """The features of raw rows, (N, D) float32; not yet scaled.

        Args:
            rows: the texts of their cells by the names of the columns; what is not there is missing.
        """
        import numpy as np

        parts = [code.numbers([row.get(code.name, "").strip() for row in rows], self.rules) for code in self.codes]
        return np.concatenate([np.zeros((len(rows), 0), np.float32), *parts], 1)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "decimal": self.rules.decimal,
            "marks": sorted(self.rules.marks),
            "codes": [code.to_json() for code in self.codes],
        }

    @classmethod
    def from_json(cls, data: object) -> Columns:
        """From what `to_json` gave. Raises DataError if it is anything else."""
        if isinstance(data, Mapping) and set(data) == {"decimal", "marks", "codes"} and data["decimal"] in (".", ","):
            marks, codes = data["marks"], data["codes"]
            if isinstance(marks, list) and isinstance(codes, list) and all(isinstance(mark, str) for mark in marks):
                columns = cls(tuple(map(ColumnCode.from_json, codes)), TypeRules(data["decimal"], frozenset(marks)))
                if len({code.name for code in columns.codes}) == len(codes) and columns._is_small():
                    return columns
        raise DataError("The columns of the data cannot be read: they were not written by this program.")

    def _is_small(self) -> bool:
        return len(self.features) <= MAX_FEATURES and sum(map(len, self.features)) <= _MOST_CHARACTERS


@dataclass(frozen=True, eq=False)
class TableRows(Learnable):
    """The rows of a table as an input.

    Args:
        columns: those that the network gets, as they were understood.
        codes: how each becomes features; what is to be learned of it is not in there yet.
        rows: which rows of the table are samples, (M,) int64.
        rules: how cells are read.
    """

    columns: tuple[Understood, ...]
    codes: tuple[ColumnCode, ...]
    rows: np.ndarray
    rules: TypeRules

    def learn(self, rows: np.ndarray) -> tuple[Learned, np.ndarray]:
        """What stands for missing values, and all features (M, D) float32, not yet scaled."""
        import numpy as np

        pairs = zip(self.columns, self.codes, strict=True)
        learned = Columns(tuple(_filled(column, code, self.rows[rows]) for column, code in pairs), self.rules)
        width = len(learned.features)
        if width * len(self.rows) > MAX_NUMBERS:
            raise DataError(
                f"{len(self.rows):,} rows of {width:,} features do not fit into memory. Ignore some columns, or give "
                "fewer categories an input of their own."
            )
        found, start = np.empty((len(self.rows), width), np.float32), 0
        for column, code in zip(self.columns, learned.codes, strict=True):
            numbers = code.numbers(column.column.texts, self.rules)
            found[:, start : start + numbers.shape[1]] = numbers[column.column.codes[self.rows]]
            start += numbers.shape[1]
        return learned, found

    def text(self, index: int) -> str:
        """A row as names and cells."""
        return row_text(self.columns, int(self.rows[index]))


def row_text(columns: Sequence[Understood], row: int) -> str:
    """The cells of some columns in a row of the table, those with anything in them, with their names."""
    cells = ((column.name, column.column.texts[column.column.codes[row]]) for column in columns)
    return ", ".join(f"{name}: {text}" for name, text in cells if text)


def _filled(column: Understood, code: ColumnCode, rows: np.ndarray) -> ColumnCode:
    """With what the training split says of missing values."""
    import numpy as np

    codes = column.column.codes[rows]
    if column.numbers is not None and code.kind in (NUMBER, ORDERED, TIME):
        values = column.numbers[codes]
        values = values[~np.isnan(values)]
        return replace(code, fill=float(np.median(values)) if len(values) else 0.0)
    if code.kind == SWITCH:
        counts = np.bincount(codes, minlength=len(column.column.texts))
        first, second = (int(counts[column.column.texts.index(choice)]) for choice in code.choices)
        return replace(code, fill=float(second > first))
    return code


def make_code(column: Understood, most_choices: int, *, embedded: bool = False) -> ColumnCode | None:
    """How a column becomes features; None for one that cannot, such as a text.

    Args:
        most_choices: how many categories may have a feature of their own.
        embedded: whether categories are to become tokens, also where there are only two of them.
    """
    gaps = column.known < len(column.column.codes)
    if not column.known:
        return None
    if column.type == NUMERIC or (column.type == ORDINAL and not column.order):
        return ColumnCode(column.name, NUMBER, missing=gaps, zeros=column.zeros)
    if column.type == ORDINAL:
        return ColumnCode(column.name, ORDERED, column.order, missing=gaps)
    if column.type == DATE:
        return ColumnCode(column.name, TIME, missing=gaps, style=column.style, parts=_varying_parts(column))
    if column.type == CATEGORICAL:
        return _code_of_choices(column, most_choices, gaps, embedded=embedded)
    if column.type == TAGS:
        sign = label_sign(column.values)
        return ColumnCode(column.name, LABELS, _frequent_labels(column, sign, most_choices), missing=gaps, sign=sign)
    return None


def _code_of_choices(column: Understood, most: int, gaps: bool, *, embedded: bool) -> ColumnCode:
    counts = dict(zip(column.column.texts, column.counts.tolist(), strict=True))
    values = column.values
    if len(values) == 2:
        return ColumnCode(column.name, CHOICES if embedded else SWITCH, tuple(sorted(values)), missing=gaps)
    frequent = sorted((text for text in values if counts[text] >= RAREST), key=lambda text: (-counts[text], text))
    return ColumnCode(column.name, CHOICES, tuple(frequent[:most]), missing=gaps)


def _frequent_labels(column: Understood, sign: str, most: int) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for text, count, none in zip(column.column.texts, column.counts.tolist(), column.missing.tolist(), strict=True):
        for label in () if none else set(labels_in(text, sign)):
            counts[label] = counts.get(label, 0) + count
    frequent = sorted((label for label in counts if counts[label] >= RAREST), key=lambda label: (-counts[label], label))
    return tuple(frequent[:most])


def _varying_parts(column: Understood) -> tuple[str, ...]:
    """The parts of dates in which they differ: others would be constants."""
    assert column.numbers is not None
    dates = [date_of(seconds) for seconds in column.numbers[~column.missing].tolist()]
    return tuple(part for part in PARTS if len({_PART_NUMBERS[part](date) for date in dates}) > 1) or (YEAR,)
