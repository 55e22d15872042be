"""Finds out which columns of a table are to be predicted, and how: a class, any of several labels, or numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import CATEGORICAL, NUMERIC, ORDINAL, TAGS, DataError, Target
from studio.data.tables.types import TypeRules, Understood, Wanted, label_sign, labels_in, understand

if TYPE_CHECKING:
    import numpy as np

CLASSES, SEVERAL, NUMBERS = TASKS = ("classification", "multi-label", "regression")
MAX_CLASSES = 1_000
MAX_LABEL_LENGTH = 200  # characters

# Names of columns that are usually to be predicted, those first that hardly ever mean anything else.
_NAMES = (
    "target", "label", "class", "labels", "classes", "outcome", "survived", "churn", "churned", "exited", "attrition",
    "default", "species", "diagnosis", "variety", "quality", "median_house_value", "medv", "saleprice", "sale_price",
    "mpg", "price", "income", "salary", "category", "response", "result", "fraud", "is_fraud", "isfraud", "sentiment",
    "tags", "genres", "topics", "progression", "y",
)  # fmt: skip
_SAYS_IT = re.compile(r"(?:^|[_\s.-])(?:target|label|class|outcome)$", re.IGNORECASE)
_SAYS_AMOUNT = re.compile(r"quality|rating|score|grade|stars|points|age|count|number|mark|price", re.IGNORECASE)
_PREFIX = re.compile(r"(.+?[_.\s-]).+")
_FEWEST_SHARED = 3  # columns with a prefix, from which on they are labels
_MOST_NUMBERED = 100  # classes that are numbers in a row


@dataclass(frozen=True, eq=False)
class Aim:
    """What is to be predicted.

    Args:
        columns: the names of the columns.
        target: task and names; of one sample, so without places.
        values: for each row of the table, (M,) int64 or (M, targets) float32; anything where `known` is false.
        known: which rows have a target, (M,) bool.
        why: how the columns were found, in a few words; empty if they were named.
    """

    columns: tuple[str, ...]
    target: Target
    values: np.ndarray
    known: np.ndarray
    why: str = ""


def find_aim(columns: Sequence[Understood], named: str, task: str, rules: TypeRules, path: Path) -> Aim:
    """The target of a table.

    Args:
        columns: those that may be it.
        named: by the person: a name, or several with commas between them; empty to find it out.
        task: one of TASKS; empty to find it out.
        rules: how numbers are written.
        path: of the table, for messages.

    Raises:
        DataError: if there is no such column, or it cannot be predicted in that way.
    """
    chosen, why = (_named(columns, named, path), "") if named.strip() else _guessed(columns, path)
    task = task or _task(chosen)
    if task == SEVERAL:
        return _labels(chosen, why, path)
    if task == NUMBERS:
        return _numbers([_counted(column, rules) for column in chosen], why, path)
    if len(chosen) > 1:
        raise DataError(f"{path}: a class stands in one column, but {len(chosen)} were named. Choose another task.")
    return _classes(chosen[0], why, path)


def _named(columns: Sequence[Understood], named: str, path: Path) -> list[Understood]:
    by_name = {column.name: column for column in columns}
    names = [named.strip()] if named.strip() in by_name else [name.strip() for name in named.split(",") if name.strip()]
    for name in names:
        if name not in by_name:
            some = ", ".join(name[:40] for name in list(by_name)[:20])
            raise DataError(f"{path} has no column “{name[:80]}” to predict. Columns: {some}.")
    return [by_name[name] for name in dict.fromkeys(names)]


def _guessed(columns: Sequence[Understood], path: Path) -> tuple[list[Understood], str]:
    able = [column for column in columns if _may_be_target(column)]
    if not able:
        raise DataError(f"{path}: no column looks like something to predict. Name the target.")
    if len(labels := _shared_prefix(columns)) >= _FEWEST_SHARED:
        return labels, "the last columns are labels of 0 and 1 with one beginning of their names"
    for name in _NAMES:
        for column in able:
            if column.name.lower() == name:
                return [column], "by its name"
    if said := [column for column in able if _SAYS_IT.search(column.name)]:
        return [said[0]], "by its name"
    return [able[-1]], "the last column that can be"


def _may_be_target(column: Understood) -> bool:
    several = len(column.values) > 1
    return several and column.type in (NUMERIC, ORDINAL, CATEGORICAL, TAGS) and len(column.values) <= _limit(column)


def _limit(column: Understood) -> float:
    return float("inf") if column.type in (NUMERIC, ORDINAL, TAGS) else MAX_CLASSES


def _shared_prefix(columns: Sequence[Understood]) -> list[Understood]:
    """The last columns, if they are of 0 and 1, and their names begin alike, and some row has not exactly one 1."""
    import numpy as np

    found: list[Understood] = []
    prefix = ""
    for column in reversed(columns):
        match = _PREFIX.fullmatch(column.name)
        if match is None or (found and match.group(1) != prefix) or not set(column.values) <= {"0", "1"}:
            break
        prefix = match.group(1)
        found.insert(0, column)
    if len(found) < _FEWEST_SHARED or len(found) == len(columns):
        return []
    ones = sum(
        np.array([text == "1" for text in column.column.texts])[column.column.codes].astype(int) for column in found
    )
    return found if np.any(ones != 1) else []


def _task(chosen: Sequence[Understood]) -> str:
    if len(chosen) > 1:
        return SEVERAL if all(set(column.values) <= {"0", "1"} for column in chosen) else NUMBERS
    (column,) = chosen
    if column.type == TAGS:
        return SEVERAL
    if column.type == NUMERIC:
        return CLASSES if _are_numbered(column) else NUMBERS
    # Whole numbers from 0 or 1 on are numbers of classes; others, such as grades from 3 to 8, have a distance that is
    # lost if they are taken for classes.
    amounts = column.type == ORDINAL and not column.order
    return NUMBERS if amounts and (_SAYS_AMOUNT.search(column.name) or not _in_a_row(column)) else CLASSES


def _are_numbered(column: Understood) -> bool:
    """Whether numbers are those of classes: some whole ones in a row, and the name says so."""
    says = column.name.lower() in ("target", "label", "class", "y") or _SAYS_IT.search(column.name) is not None
    return says and len(column.values) <= _MOST_NUMBERED and _in_a_row(column)


def _in_a_row(column: Understood) -> bool:
    import numpy as np

    assert column.numbers is not None
    values = np.unique(column.numbers[~column.missing])
    return values[0] in (0.0, 1.0) and bool((np.diff(values) == 1).all())


def _classes(column: Understood, why: str, path: Path) -> Aim:
    import numpy as np

    values, dotted = column.values, all(value.endswith(".") for value in column.values) and column.numbers is None
    longest = max(map(len, values), default=0)
    if len(values) > MAX_CLASSES or longest > MAX_LABEL_LENGTH:
        raise DataError(
            f"{path}: the column “{column.name[:80]}” has {len(values):,} different values, too many for classes (at "
            f"most {MAX_CLASSES:,}). Name another target, or set the task to regression."
        )
    if len(values) < 2:
        raise DataError(f"{path}: every row has the same class in the column “{column.name[:80]}”; there must be two.")
    named = {text: text.rstrip(".") if dotted else text for text in values}
    names = _in_order(column, set(named.values()))
    numbers = {name: number for number, name in enumerate(names)}
    of_text = np.array([numbers.get(named.get(text, ""), 0) for text in column.column.texts], np.int64)
    known = ~column.missing[column.column.codes]
    return Aim((column.name,), Target(CLASSES, names), of_text[column.column.codes], known, why)


def _in_order(column: Understood, names: set[str]) -> tuple[str, ...]:
    """Classes by their value, if they have one; else by their text."""
    if column.order:
        places = {word.lower(): place for place, word in enumerate(column.order)}
        return tuple(sorted(names, key=lambda name: (places.get(name.lower(), 0), name)))
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def _counted(column: Understood, rules: TypeRules) -> Understood:
    """A column of two numbers, or of order, as numbers all the same, where somebody wants to predict them."""
    if column.numbers is not None and not column.order:
        return column
    numbers = understand(column.column, rules, Wanted(NUMERIC))
    return numbers if numbers.known and not numbers.faults else column


def _numbers(columns: Sequence[Understood], why: str, path: Path) -> Aim:
    import numpy as np

    for column in columns:
        if column.numbers is None or column.order:
            raise DataError(
                f"{path}: the column “{column.name[:80]}” holds no numbers to predict ({column.type}). Name another "
                "target, or set the task to classification."
            )
    values = np.stack([_of_rows(column) for column in columns], 1)
    names = tuple(column.name for column in columns)
    return Aim(names, Target(NUMBERS, names), np.nan_to_num(values).astype(np.float32), ~np.isnan(values).any(1), why)


def _of_rows(column: Understood) -> np.ndarray:
    assert column.numbers is not None
    values: np.ndarray = column.numbers[column.column.codes]
    return values


def _labels(columns: Sequence[Understood], why: str, path: Path) -> Aim:
    """Several columns of 0 and 1 (or two values), or one column with several labels in each cell."""
    import numpy as np

    if len(columns) == 1:
        return _divided(columns[0], why, path)
    parts, known = [], np.ones(len(columns[0].column.codes), bool)
    for column in columns:
        values = column.values
        if len(values) > 2:
            raise DataError(
                f"{path}: the column “{column.name[:80]}” has {len(values):,} different values. A label is there or "
                "not: 0 or 1."
            )
        has = _in_order(column, set(values))[-1]
        parts.append(
            np.array([text == has and text != "0" for text in column.column.texts], np.float32)[column.column.codes]
        )
        known &= ~column.missing[column.column.codes]
    names = tuple(column.name for column in columns)
    return Aim(names, Target(SEVERAL, names), np.stack(parts, 1), known, why)


def _divided(column: Understood, why: str, path: Path) -> Aim:
    import numpy as np

    sign = label_sign(column.values)
    names = tuple(sorted({label for value in column.values for label in labels_in(value, sign)}))
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(
            f"{path}: the column “{column.name[:80]}” has {len(names):,} different labels; there must be 2 to "
            f"{MAX_CLASSES:,}, with ; or | between those of a row."
        )
    places = {name: place for place, name in enumerate(names)}
    of_text = np.zeros((len(column.column.texts), len(names)), np.float32)
    for number, text in enumerate(column.column.texts):
        if not column.missing[number]:
            of_text[number, [places[label] for label in labels_in(text, sign)]] = 1
    codes = column.column.codes
    # An empty cell has none of the labels, which is an answer, too.
    return Aim((column.name,), Target(SEVERAL, names), of_text[codes], np.ones(len(codes), bool), why)
