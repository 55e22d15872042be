"""Tells what a column of a table holds: numbers, categories, an order, dates, texts, or names of the rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from studio.data.base import CATEGORICAL, DATE, ID, NUMERIC, ORDINAL, TAGS, TEXT
from studio.data.tables.reading import TextColumn
from studio.data.tables.values import DATE_STYLES, MISSING, as_date, as_number, find_date_style, is_missing

if TYPE_CHECKING:
    import numpy as np

# Words with an order, in lower case, lowest first: a column of at least three of a scale, and no others, is ordinal.
SCALES = (
    ("very low", "low", "medium", "high", "very high"), ("low", "normal", "high"), ("low", "average", "high"),
    ("low", "middle", "high"), ("small", "medium", "large"), ("tiny", "small", "medium", "large", "huge"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"), ("very poor", "poor", "fair", "good", "very good", "excellent"),
    ("terrible", "bad", "average", "good", "great"), ("bad", "ok", "good"), ("bad", "neutral", "good"),
    ("never", "rarely", "sometimes", "often", "always"), ("none", "mild", "moderate", "severe"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("primary", "secondary", "tertiary"), ("first", "second", "third"), ("cold", "cool", "mild", "warm", "hot"),
    ("beginner", "intermediate", "advanced", "expert"), ("junior", "middle", "senior"), ("bronze", "silver", "gold"),
    ("fair", "good", "very good", "premium", "ideal"),
)  # fmt: skip

MOST_ORDINAL = 10  # whole numbers that still make an order rather than amounts
LABEL_SIGNS = ";|"  # between several labels in one cell
_NUMBERS_SHARE = 0.95  # of the cells that must be numbers, or dates, where the others are faults
_OWN_SHARE = 0.5  # of the rows with a value of their own, from which on a column names them
_FEW_ROWS = 20
_LONGEST_LABEL = 60  # characters
_TEXT_WORDS, _TEXT_LENGTH = 5, 40  # on average: from there on it is prose
_ID_NAME = re.compile(
    r"(?:^|[_\s.-])(?:id|uuid|guid|key|index|idx|rowid|identifier|serial)$|^unnamed: 0$|[a-z]I[dD]$", 0
)
_NAME_NAME = re.compile(r"(?:^|[_\s.-])(?:name|full name|e-?mail|phone|address|url)$", re.IGNORECASE)
_LEADING_ZERO = re.compile(r"0[0-9]+")
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class TypeRules:
    """How cells are read.

    Args:
        decimal: "." or ",".
        marks: texts in lower case that say that there is no value.
    """

    decimal: str = "."
    marks: frozenset[str] = MISSING


@dataclass(frozen=True)
class Wanted:
    """The type that a person chose for a column.

    Args:
        type: one of COLUMN_TYPES.
        order: of an ordinal column's values, lowest first; empty to take the order that is found.
    """

    type: str
    order: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Understood:
    """A column, and what it holds. What is told of texts stands in the order of `column.texts`.

    Args:
        type: one of COLUMN_TYPES.
        counts: how many rows have each text, int64.
        missing: for which texts there is no value, bool: marks, and what does not fit the type.
        faults: which texts are no marks and yet do not fit the type.
        numbers: of numeric and ordinal columns their values, of dates the seconds since 1970, float64; NaN where there
            is none. None for other types.
        style: of dates, one of DATE_STYLES.
        order: of ordinal words, lowest first.
        zeros: whether a 0 means that there is no value.
    """

    column: TextColumn
    type: str
    counts: np.ndarray
    missing: np.ndarray
    faults: tuple[int, ...] = ()
    numbers: np.ndarray | None = None
    style: str = ""
    order: tuple[str, ...] = ()
    zeros: bool = False

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return int(self.counts[~self.missing].sum())

    @property
    def values(self) -> list[str]:
        """The different texts that are values."""
        return [text for text, none in zip(self.column.texts, self.missing.tolist(), strict=True) if not none]


def understand(column: TextColumn, rules: TypeRules, wanted: Wanted | None = None, zeros: bool = False) -> Understood:
    """What a column holds, as the person says or as it seems.

    Args:
        wanted: the type that was chosen; None to find it out.
        zeros: whether a 0 means that there is no value; then it holds numbers.
    """
    import numpy as np

    counts = np.bincount(column.codes, minlength=len(column.texts)).astype(np.int64)
    none = np.array([is_missing(text, rules.marks) for text in column.texts], bool)
    plain = Understood(column, CATEGORICAL, counts, none, zeros=zeros)
    if zeros:
        return _as_numbers(plain, rules, NUMERIC)
    if wanted is None:
        return _found_out(plain, rules)
    match wanted.type:
        case "numeric":
            return _as_numbers(plain, rules, NUMERIC)
        case "date":
            return _as_dates(plain, find_date_style(plain.values, 0.0) or DATE_STYLES[0])
        case "ordinal":
            return _as_ordinal(plain, rules, wanted.order)
    return replace(plain, type=wanted.type)


def _found_out(plain: Understood, rules: TypeRules) -> Understood:
    if not plain.known:
        return plain
    numbers = _as_numbers(plain, rules, NUMERIC)
    if numbers.known >= _NUMBERS_SHARE * plain.known and not _are_codes(plain.values):
        type = _type_of_numbers(numbers)
        return replace(numbers if type in (NUMERIC, ORDINAL) else plain, type=type)
    style = find_date_style(plain.values[:1_000])
    if style and (dates := _as_dates(plain, style)).known >= _NUMBERS_SHARE * plain.known:
        return dates
    if order := _scale(plain.values):
        return _as_ordinal(plain, rules, order)
    return replace(plain, type=_type_of_words(plain))


def _as_numbers(plain: Understood, rules: TypeRules, type: str) -> Understood:
    import numpy as np

    read = [as_number(text, rules.decimal) for text in plain.column.texts]
    numbers = np.array([np.nan if number is None else number for number in read], np.float64)
    numbers[plain.missing] = np.nan
    faults = _faults(plain, np.isnan(numbers))
    if plain.zeros:
        numbers[numbers == 0] = np.nan
    return replace(plain, type=type, missing=np.isnan(numbers), faults=faults, numbers=numbers)


def _as_dates(plain: Understood, style: str) -> Understood:
    import numpy as np

    read = [as_date(text, style) for text in plain.column.texts]
    seconds = np.array([np.nan if date is None else (date - _EPOCH).total_seconds() for date in read], np.float64)
    seconds[plain.missing] = np.nan
    missing = np.isnan(seconds)
    faults = _faults(plain, missing)
    return replace(plain, type=DATE, missing=missing, faults=faults, numbers=seconds, style=style)


def _as_ordinal(plain: Understood, rules: TypeRules, order: Sequence[str]) -> Understood:
    """Places in an order; of numbers without one, these themselves."""
    import numpy as np

    if not order and not (numbers := _as_numbers(plain, rules, ORDINAL)).faults:
        return numbers
    order = tuple(order or _scale(plain.values, least=1) or sorted(plain.values))
    places = {word.lower(): place for place, word in enumerate(order)}
    numbers_of = [places.get(text.lower(), np.nan) for text in plain.column.texts]
    values = np.array(numbers_of, np.float64)
    values[plain.missing] = np.nan
    missing = np.isnan(values)
    faults = _faults(plain, missing)
    return replace(plain, type=ORDINAL, missing=missing, faults=faults, numbers=values, order=order)


def _faults(plain: Understood, missing: np.ndarray) -> tuple[int, ...]:
    return tuple((missing & ~plain.missing).nonzero()[0].tolist())


def _are_codes(values: Sequence[str]) -> bool:
    """Whether numbers are none to count with, such as 00501 and 10001: of one length, some with zeros in front."""
    return len({len(value) for value in values}) == 1 and any(map(_LEADING_ZERO.fullmatch, values))


def _type_of_numbers(found: Understood) -> str:
    import numpy as np

    assert found.numbers is not None
    values = np.unique(found.numbers[~found.missing])
    known, kinds = found.known, len(values)
    if kinds == 2 and not found.faults:
        return CATEGORICAL
    if (values != np.rint(values)).any():
        return NUMERIC
    width = values[-1] - values[0]
    if _counts_rows(found) or (_is_id_name(found.name) and kinds > _OWN_SHARE * known and known > 2):
        return ID
    few = 2 < kinds <= MOST_ORDINAL and width <= 2 * kinds and known >= 5 * kinds
    return ORDINAL if few else NUMERIC


def _counts_rows(found: Understood) -> bool:
    """Whether it says no more than in which row one is: 0, 1, 2 and so on, or 1, 2, 3."""
    import numpy as np

    assert found.numbers is not None
    numbers = found.numbers[found.column.codes]
    counted = len(numbers) >= _FEW_ROWS // 2 and numbers[0] in (0.0, 1.0)
    return bool(counted and (numbers == np.arange(len(numbers)) + numbers[0]).all())


def _is_id_name(name: str) -> bool:
    return _ID_NAME.search(name) is not None or name.lower() in ("id", "uuid", "guid", "index", "key", "rowid")


def _type_of_words(plain: Understood) -> str:
    values, known = plain.values, plain.known
    own = len(values) > _OWN_SHARE * known if known >= _FEW_ROWS else len(values) == known > 2
    if _has_several_labels(plain):
        return TAGS
    if not own:
        return CATEGORICAL
    if _is_id_name(plain.name) or _NAME_NAME.search(plain.name):
        return ID
    some = values[:1_000]
    prose = sum(len(value.split()) for value in some) >= _TEXT_WORDS * len(some)
    return TEXT if prose or sum(map(len, some)) >= _TEXT_LENGTH * len(some) else ID


def _scale(values: Sequence[str], least: int = 3) -> tuple[str, ...]:
    """The order in which words stand, those that occur; empty if they are of none."""
    if len(values) > MOST_ORDINAL:
        return ()
    words = {value.lower() for value in values}
    for scale in SCALES:
        if least <= len(words) and words <= set(scale):
            return tuple(word for word in scale if word in words)
    return ()


def _has_several_labels(plain: Understood) -> bool:
    """Whether cells hold several labels each, with ; or | between them, that come again and again."""
    pairs = zip(plain.column.texts, plain.counts.tolist(), plain.missing.tolist(), strict=True)
    some = [(text, rows) for text, rows, none in pairs if not none][:5_000]
    sign = label_sign([text for text, _ in some])
    several, all_rows, counts = 0, 0, Counter[str]()
    for text, rows in some:
        labels = labels_in(text, sign)
        all_rows += rows
        several += rows * (len(labels) > 1)
        for label in labels:
            counts[label] += rows
    longest = max(map(len, counts), default=0)
    return several >= max(2, all_rows / 5) and len(counts) * 2 <= counts.total() and longest <= _LONGEST_LABEL


def label_sign(values: Sequence[str]) -> str:
    """Which of LABEL_SIGNS divides the labels in more of the cells."""
    return max(LABEL_SIGNS, key=lambda sign: sum(sign in value for value in values))


def labels_in(text: str, sign: str) -> list[str]:
    """The labels in a cell, without the spaces around them."""
    return [label for part in text.split(sign) if (label := part.strip())]


def read_types(lines: str) -> Mapping[str, Wanted]:
    """What a person wrote of types: "name: type" in each line, for an order "name: ordinal low < medium < high".

    Raises:
        ValueError: if a line is something else; the message says which.
    """
    found = {}
    for line in filter(str.strip, lines.splitlines()):
        name, colon, said = line.rpartition(":")
        type, _, order = said.strip().partition(" ")
        if not colon or type not in CHOOSABLE or (order and type != ORDINAL):
            raise ValueError(
                f"“{line.strip()[:80]}” says no type. Write NAME: TYPE with one of {', '.join(CHOOSABLE)} in each line"
            )
        found[name.strip()] = Wanted(type, tuple(word for part in order.split("<") if (word := part.strip())))
    return found


CHOOSABLE = (NUMERIC, CATEGORICAL, ORDINAL, DATE, TAGS, TEXT, ID)
