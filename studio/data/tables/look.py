"""What a look at a table tells people: its columns, what is to be predicted, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

from studio.data.base import DATE, ID, ORDINAL, TEXT, Column, Findings
from studio.data.tables.problems import problems
from studio.data.tables.types import _EPOCH, Understood

if TYPE_CHECKING:
    import numpy as np

    from studio.data.tables.source import TableFile
    from studio.data.tables.view import TableView

BINS = 20
MOST_VALUES = 20  # of a column's histogram
MOST_COLUMNS = 2_000  # that are told one by one
_LONGEST = 40  # characters of a value in a summary
_IN_SUMMARY = 3  # values
_HISTOGRAM_COLUMNS = 500


def findings(source: TableFile, view: TableView) -> Findings:
    """All that is told of a table. Of very many columns only the first ones are told, and the target."""
    import numpy as np

    told = [c for number, c in enumerate(view.columns) if number < MOST_COLUMNS or c.name in view.aim.columns]
    used = {column.name for column in view.used} | set(view.aim.columns)
    target, counts = view.aim.target, ()
    if target.task == "classification":
        counts = tuple(np.bincount(view.aim.values[view.rows], minlength=target.size).tolist())
    elif target.task == "multi-label":
        counts = tuple(view.aim.values[view.rows].sum(0).astype(int).tolist())
    return Findings(
        view.spec,
        _summary(view),
        len(view.rows),
        tuple(_column(c, _why_unused(source, c, used), histogram=len(told) <= _HISTOGRAM_COLUMNS) for c in told),
        view.aim.columns,
        counts,
        tuple(problems(source, view)),
    )


def _summary(view: TableView) -> str:
    aim, columns = view.aim, len(view.columns)
    names = ", ".join(f"“{name[:_LONGEST]}”" for name in aim.columns[:_IN_SUMMARY])
    more = f" and {len(aim.columns) - _IN_SUMMARY:,} more" if len(aim.columns) > _IN_SUMMARY else ""
    found = f" (found {aim.why})" if aim.why.startswith("by") else f" ({aim.why})" if aim.why else ""
    task = {
        "classification": f"one of {aim.target.size:,} classes",
        "multi-label": f"any of {aim.target.size:,} labels",
        "regression": "a number" if aim.target.size == 1 else f"{aim.target.size:,} numbers",
    }[aim.target.task]
    left_out = view.table.rows - len(view.rows)
    without = f" {left_out:,} rows have nothing there and are left out." if left_out else ""
    return (
        f"{view.table.rows:,} rows of {columns:,} columns; {view.table.words}. To predict: {names}{more}{found}, "
        f"{task}.{without} {_inputs_in_words(view)}"
    )


def _inputs_in_words(view: TableView) -> str:
    """What the columns become that the network gets."""
    tokens = view.spec.inputs[-1].numel if view.tokens else 0
    numbers = len(view.used) - tokens
    parts = [f"{_become(numbers)} {len(view.features):,} features"] * bool(numbers)
    parts += [f"{_become(tokens)} tokens of {view.tokens:,} kinds"] * bool(tokens)
    return f"{', '.join(parts)}."


def _become(columns: int) -> str:
    return "1 column becomes" if columns == 1 else f"{columns:,} columns become"


def _why_unused(source: TableFile, column: Understood, used: Collection[str]) -> str:
    """Why neither the network gets a column nor it is to be predicted; empty if one of them is so."""
    if column.name in used:
        return ""
    if column.name in map(str.strip, source.ignored.splitlines()):
        return "it is named in “ignored”"
    reasons = {ID: "it names the rows", TEXT: "texts in a table are not read"}
    if not column.known or column.type not in reasons:
        return "nothing is in it"
    return f"{reasons[column.type]} (another type can be chosen in “types”)"


def _column(column: Understood, why_unused: str, histogram: bool) -> Column:
    return Column(
        column.name,
        column.type,
        len(column.column.codes) - column.known,
        len(column.values),
        not why_unused,
        _in_words(column),
        _histogram(column) if histogram and column.type not in (ID, TEXT) else (),
        why_unused,
    )


def _in_words(column: Understood) -> str:
    """Its range, or its most frequent values."""
    if not column.known:
        return "empty"
    if column.type in (ID, TEXT):
        return f"{len(column.values):,} different values in {column.known:,} rows"
    if column.numbers is not None and not column.order:
        low, middle, high = _quantiles(column)
        return f"{_number(column, low)} to {_number(column, high)}, median {_number(column, middle)}"
    frequent = _frequent(column)
    more = f" and {len(column.values) - _IN_SUMMARY:,} more" if len(column.values) > _IN_SUMMARY else ""
    return ", ".join(f"{text[:_LONGEST]} ({count:,})" for text, count in frequent[:_IN_SUMMARY]) + more


def _quantiles(column: Understood) -> tuple[float, float, float]:
    import numpy as np

    values = _rows_of(column)
    return float(values.min()), float(np.median(values)), float(values.max())


def _rows_of(column: Understood) -> np.ndarray:
    """The numbers of all rows that have one."""
    import numpy as np

    assert column.numbers is not None
    present = ~column.missing
    return np.repeat(column.numbers[present], column.counts[present])


def _number(column: Understood, value: float) -> str:
    if column.type != DATE:
        return f"{value:,.0f}" if value == round(value) and abs(value) < 1e12 else f"{value:,.4g}"
    date = _EPOCH + timedelta(seconds=value)
    return date.strftime("%Y-%m-%d" if value % 86_400 == 0 else "%Y-%m-%d %H:%M")


def _frequent(column: Understood) -> list[tuple[str, int]]:
    """The most frequent values first."""
    pairs = zip(column.column.texts, column.counts.tolist(), column.missing.tolist(), strict=True)
    known = [(text, count) for text, count, none in pairs if not none and count]
    return sorted(known, key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]


def _histogram(column: Understood) -> tuple[tuple[str, int], ...]:
    """Bins of numbers, by their lower edge; of all else, and of a few whole numbers, the values themselves."""
    import numpy as np

    if column.numbers is None or column.order or not column.known:
        return tuple((text[:_LONGEST], count) for text, count in _frequent(column))
    values = _rows_of(column)
    if column.type == ORDINAL:
        kinds, counts = np.unique(values, return_counts=True)
        return tuple(
            (_number(column, kind), count) for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True)
        )
    counts, edges = np.histogram(values, BINS)
    return tuple((_number(column, edge), count) for edge, count in zip(edges.tolist(), counts.tolist(), strict=False))
