"""A table as the settings of its source say: columns with their types, what is to be predicted, and the samples.

Axis letters: M samples, D features.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.answers import target_text
from studio.data.base import ID, NUMERIC, DataError, DataSpec, Samples
from studio.data.listing import MOST_CELLS, Listing, Shown
from studio.data.own_files import located
from studio.data.tables.categories import TableCategories
from studio.data.tables.dialect import Asked
from studio.data.tables.features import CHOICES, MAX_FEATURES, ColumnCode, TableRows, make_code
from studio.data.tables.reading import Table, TextColumn, read_table
from studio.data.tables.rules import EMBEDDING
from studio.data.tables.target import Aim, find_aim
from studio.data.tables.types import TypeRules, Understood, Wanted, read_types, understand
from studio.data.tables.values import MISSING, find_decimal
from studio.data.texts.rules import FIND_OUT
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from studio.data.tables.source import TableFile

_CELLS_FOR_DECIMAL = 10_000  # in which the decimal sign is looked for
_ANSWER_NAMES = 3  # columns of a target that are told by name


@dataclass(frozen=True, eq=False)
class TableView:
    """What was made of a table.

    Args:
        path: of its file.
        table: as it was read.
        columns: all of them, understood.
        aim: what is to be predicted.
        used: the columns that the network gets.
        codes: how each of these becomes features, or tokens for an Embedding.
        embedded: whether columns of the kind CHOICES become tokens.
        rows: which rows are samples, those with a target, (M,) int64.
        rules: how cells are read.
    """

    path: Path
    table: Table
    columns: tuple[Understood, ...]
    aim: Aim
    used: tuple[Understood, ...]
    codes: tuple[ColumnCode, ...]
    rows: np.ndarray
    rules: TypeRules
    embedded: bool = False

    @property
    def numbers(self) -> TableRows | None:
        """The input of numbers; None if there is no column for it."""
        columns, codes = self._those(tokens=False)
        return TableRows(columns, codes, self.rows, self.rules) if columns else None

    @property
    def categories(self) -> TableCategories | None:
        """The input of tokens; None if there is no column for it."""
        columns, codes = self._those(tokens=True)
        return TableCategories(columns, codes, self.rows, self.rules) if columns else None

    def _those(self, *, tokens: bool) -> tuple[tuple[Understood, ...], tuple[ColumnCode, ...]]:
        """The columns that become tokens, or the others, and their codes."""
        pairs = zip(self.used, self.codes, strict=True)
        some = [(column, code) for column, code in pairs if (self.embedded and code.kind == CHOICES) == tokens]
        return tuple(column for column, _ in some), tuple(code for _, code in some)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features (D,)."""
        return tuple(name for code in self._those(tokens=False)[1] for name in code.features)

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return sum(len(code.features) for code in self._those(tokens=True)[1])

    @property
    def spec(self) -> DataSpec:
        """With all that reading told."""
        names, columns = self.features, self._those(tokens=True)[0]
        numbers = (TensorSpec((len(names),), "D"),) * bool(names)
        if not columns:
            return DataSpec(numbers, self.aim.target, features=names)
        categories = TensorSpec((len(columns),), "D", "int")
        return DataSpec((*numbers, categories), self.aim.target, tokens=(*(0 for _ in numbers), self.tokens))

    def samples(self) -> Samples:
        """All rows with a target."""
        given = tuple(values for values in (self.numbers, self.categories) if values is not None)
        return Samples(given, self.aim.values[self.rows], names=self.aim.target.names, spec=self.spec)

    def listing(self) -> Listing:
        """The same as they are in the file."""
        return _Rows(self)


class _Rows(Listing):
    """The rows of a table that have a target."""

    def __init__(self, view: TableView) -> None:
        self._view = view
        self.count = len(view.rows)
        if view.aim.target.task == "classification":
            self.labels, self.names = view.aim.values[view.rows], view.aim.target.names

    def show(self, index: int) -> Shown:
        """The cells of a row, with the line in which it begins."""
        view, row = self._view, int(self._view.rows[index])
        target = view.aim.target
        answer = target_text(target, target.names, view.aim.values[row])
        texts = ((column.name, column.column.texts[column.column.codes[row]]) for column in view.columns[:MOST_CELLS])
        return Shown(f"line {int(view.table.lines[row]):,}", answer, cells=tuple(texts))


def view(source: TableFile) -> TableView:
    """The view of a source; the last one is kept, for the window looks, shows samples and trains on the same.

    Raises:
        MissingDataError: if the file is not there.
        DataError: if it is broken, or the settings do not fit it.
    """
    path = located(source.path)
    table = read_table(path, Asked(source.separator, source.header, source.encoding), source.sheet)
    with _one_at_a_time:
        return _view(source, path, table)


_one_at_a_time = threading.Lock()


@functools.lru_cache(maxsize=1)
def _view(source: TableFile, path: Path, table: Table) -> TableView:
    import numpy as np

    rules = _rules(source, table)
    columns = _understood(source, table, rules, path)
    ignored = _names(source.ignored, columns, "ignored", path)
    # What was named to be ignored may still be named as the target.
    able = columns if source.target.strip() else [column for column in columns if column.name not in ignored]
    aim = find_aim(able, source.target, "" if source.task == FIND_OUT else source.task, rules, path)
    rows = np.flatnonzero(aim.known)
    if not len(rows):
        raise DataError(f"{path}: no row has a value in {_quoted(aim.columns)}, which is to be predicted.")
    free = {column.name for column in columns} - {*aim.columns, *ignored}
    if not any(make_code(column, 1) for column in columns if column.name in free):
        columns = [_counted(column, rules) if column.name in free else column for column in columns]
    embedded = source.categories == EMBEDDING
    given = [column for column in columns if column.name in free]
    pairs = [(column, make_code(column, source.most_categories, embedded=embedded)) for column in given]
    used = tuple(column for column, code in pairs if code is not None)
    codes = tuple(code for _, code in pairs if code is not None)
    _check_features(codes, columns, path)
    return TableView(path, table, tuple(columns), aim, used, codes, rows, rules, embedded)


def _counted(column: Understood, rules: TypeRules) -> Understood:
    """Where there is nothing else to learn from, numbers that seem to count the rows are amounts."""
    if column.type != ID:
        return column
    numbers = understand(column.column, rules, Wanted(NUMERIC))
    return column if numbers.faults else numbers


def _quoted(names: Sequence[str]) -> str:
    more = f" and {len(names) - _ANSWER_NAMES:,} more" if len(names) > _ANSWER_NAMES else ""
    return ", ".join(f"“{name[:80]}”" for name in names[:_ANSWER_NAMES]) + more


def _rules(source: TableFile, table: Table) -> TypeRules:
    marks = MISSING
    if source.missing != FIND_OUT:
        marks = frozenset({"", *(mark.strip().lower() for mark in source.missing.split(","))})
    if source.decimal != FIND_OUT:
        return TypeRules("," if source.decimal == "comma" else ".", marks)
    each = max(1, _CELLS_FOR_DECIMAL // len(table.columns))
    return TypeRules(find_decimal(text for column in table.columns for text in column.texts[:each]), marks)


def _understood(source: TableFile, table: Table, rules: TypeRules, path: Path) -> list[Understood]:
    wanted = read_types(source.types)
    names = {column.name for column in table.columns}
    for name in wanted:
        if name not in names:
            raise DataError(f"{path} has no column “{name[:80]}”, for which a type was chosen.")
    zeros = _names(source.zeros, table.columns, "zeros", path)
    return [understand(column, rules, wanted.get(column.name), column.name in zeros) for column in table.columns]


def _names(lines: str, columns: Sequence[Understood | TextColumn], what: str, path: Path) -> set[str]:
    """The columns that are named, one in each line. Raises DataError for one that is not there."""
    names, known = [line.strip() for line in lines.splitlines() if line.strip()], {column.name for column in columns}
    for name in names:
        if name not in known:
            raise DataError(f"{path} has no column “{name[:80]}”, which is named in “{what}”.")
    return set(names)


def _check_features(codes: Sequence[ColumnCode], columns: Sequence[Understood], path: Path) -> None:
    count = sum(len(code.features) for code in codes)
    if not count:
        kinds = ", ".join(sorted({column.type for column in columns}))
        names = [column.name for column in columns if column.type == ID]
        hint = f" {_quoted(names)} names the rows." if names else ""
        raise DataError(f"{path}: beside the target no column can be used as an input (types: {kinds}).{hint}")
    if count > MAX_FEATURES:
        raise DataError(
            f"{path} would become {count:,} features, more than {MAX_FEATURES:,}. Ignore some columns, or give fewer "
            "categories an input of their own."
        )
