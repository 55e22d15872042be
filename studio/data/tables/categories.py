"""Turns the categories of a table into tokens for an Embedding, one for each column of a row.

All columns share one vocabulary, in which the tokens of a column stand together, so that a single Embedding serves.
Which there are follows from the categories of all rows, as for features of 0 and 1: the network's size must not depend
on the split.

Axis letters: M rows, N rows to prepare, D columns with categories.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataError, Learnable, Learned
from studio.data.tables.features import CHOICES, ColumnCode, Columns, row_text
from studio.data.tables.types import TypeRules, Understood
from studio.data.tables.values import is_missing

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Categories(Learned):
    """The vocabulary of the columns with categories of a table, ready for any rows with the same columns.

    Args:
        codes: of the columns, in the order of their tokens; all of the kind CHOICES, with a token where a feature of
            0 or 1 would be: for each category, for any other, and, where the table has such, for no value.
        rules: how cells are read.
    """

    key: ClassVar[str] = "categories"

    codes: tuple[ColumnCode, ...]
    rules: TypeRules

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return sum(len(code.features) for code in self.codes)

    @property
    def meaning(self) -> str:
        """The names of the tokens."""
        return "\n".join(name for code in self.codes for name in code.features)

    @functools.cached_property
    def firsts(self) -> tuple[int, ...]:
        """The first token of each column."""
        return tuple(itertools.accumulate((len(code.features) for code in self.codes[:-1]), initial=0))

    def tokens(self, column: int, texts: Sequence[str]) -> np.ndarray:
        """The tokens of cells of one column, (N,) int64.

        Args:
            column: its number.
            texts: N cells without spaces around them.
        """
        import numpy as np

        code, first = self.codes[column], self.firsts[column]
        places = {choice: first + place for place, choice in enumerate(code.choices)}
        other = first + len(code.choices)
        none = other + code.missing  # where no row had a gap, one has another value
        marks = self.rules.marks
        found = (none if is_missing(text, marks) else places.get(text, other) for text in texts)
        return np.fromiter(found, np.int64, len(texts))

    def apply(self, rows: Sequence[Mapping[str, str]]) -> np.ndarray:
        """The tokens of raw rows, (N, D) int64.

        Args:
            rows: the texts of their cells by the names of the columns; what is not there is missing.
        """
        import numpy as np

        cells = [[row.get(code.name, "").strip() for row in rows] for code in self.codes]
        return np.stack([self.tokens(column, texts) for column, texts in enumerate(cells)], 1)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return Columns(self.codes, self.rules).to_json()

    @classmethod
    def from_json(cls, data: object) -> Categories:
        """From what `to_json` gave. Raises DataError if it is anything else."""
        read = Columns.from_json(data)
        if not read.codes or any(code.kind != CHOICES for code in read.codes):
            raise DataError("The categories of the data cannot be read: they were not written by this program.")
        return cls(read.codes, read.rules)


@dataclass(frozen=True, eq=False)
class TableCategories(Learnable):
    """The categories in the rows of a table as an input.

    Args:
        columns: those with categories, as they were understood.
        codes: how each becomes tokens.
        rows: which rows of the table are samples, (M,) int64.
        rules: how cells are read.
    """

    columns: tuple[Understood, ...]
    codes: tuple[ColumnCode, ...]
    rows: np.ndarray
    rules: TypeRules

    def learn(self, rows: np.ndarray) -> tuple[Learned, np.ndarray]:
        """The vocabulary, and the tokens (M, D) int64. Nothing is measured, so the split does not matter."""
        import numpy as np

        learned = Categories(self.codes, self.rules)
        found = np.empty((len(self.rows), len(self.codes)), np.int64)
        for number, column in enumerate(self.columns):
            found[:, number] = learned.tokens(number, column.column.texts)[column.column.codes[self.rows]]
        return learned, found

    def text(self, index: int) -> str:
        """The categories of a row as names and cells."""
        return row_text(self.columns, int(self.rows[index]))
