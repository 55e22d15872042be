"""Reads a whole table: separated values, JSON lines, Parquet or Excel. The last one read is kept.

Every column is kept as its different texts and, for each row, the number of its text: what is found out of a column is
found out of its different texts, and a table takes little memory. Axis letters: M rows.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, MissingDataError
from studio.data.tables.dialect import Asked, check_columns

if TYPE_CHECKING:
    import numpy as np

PARQUET, EXCEL = (".parquet", ".pq"), (".xlsx", ".xlsm")
MAX_BYTES = 2**30
MAX_CELLS = 100_000_000
MAX_DIFFERENT = 10_000_000  # texts in all columns: about 1.5 GB while reading
CELLS_AT_ONCE = 200_000


@dataclass(frozen=True, eq=False)
class TextColumn:
    """The cells of a column.

    Args:
        name: of the column; no two have the same.
        texts: the different ones, without spaces around them.
        codes: which of them each row has, (M,) int32.
    """

    name: str
    texts: Sequence[str]
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds, as texts.

    Args:
        columns: each with M cells.
        lines: where each row begins in its file, from 1, (M,) int64.
        words: how the file is written, for people.
        odd: lines of the first rows that have more or fewer cells than there are columns.
        odd_count: how many such rows there are.
    """

    columns: tuple[TextColumn, ...]
    lines: np.ndarray
    words: str
    odd: tuple[int, ...] = ()
    odd_count: int = 0

    @property
    def rows(self) -> int:
        """How many there are, M."""
        return len(self.lines)


def read_table(path: Path, asked: Asked | None = None, sheet: str = "") -> Table:
    """The whole table of a file. It is read again only when the file has changed.

    Args:
        path: of the file; its ending says what it is.
        asked: how it is written, as far as that is known; not for Parquet.
        sheet: of an Excel file; empty for the first one that is not empty.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is broken, too large or no table; with the line where that is known.
    """
    with _one_at_a_time:
        return _read(path, asked or Asked(), sheet, _stamp(path))


_one_at_a_time = threading.Lock()  # or two threads that want the same table would both read it


def _stamp(path: Path) -> object:
    try:
        known = path.stat()
        if path.is_file():
            return known.st_size, known.st_mtime_ns
    except (OSError, ValueError):
        pass
    raise MissingDataError(f"There is no table at {path}. Choose a file with one.")


@functools.lru_cache(maxsize=1)
def _read(path: Path, asked: Asked, sheet: str, stamp: object) -> Table:
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES / 1e9:.1f} GB, which does not fit into memory. Divide it.")
    reader = _reader(path)
    try:
        table = reader(path, asked, sheet)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not table.rows:
        raise DataError(f"{path} has no rows.")
    return table


def _reader(path: Path) -> Callable[[Path, Asked, str], Table]:
    """How a kind of file is read; heavy libraries are imported only for their own files."""
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        from studio.data.tables.binary import read_parquet

        return read_parquet
    if suffix in EXCEL:
        from studio.data.tables.binary import read_excel

        return read_excel
    from studio.data.tables.text import read_text

    return read_text


class Collector:
    """Takes in rows, some at a time, and gives the columns."""

    def __init__(self, names: Sequence[str], path: Path) -> None:
        self._path = path
        self._names = tuple(names)
        self._numbers: list[dict[str, int]] = [{} for _ in names]  # of each text, as it stands in the file
        self._codes: list[list[np.ndarray]] = [[] for _ in names]
        self._rows = 0

    def add_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows of as many cells as there are names."""
        self.add_columns(zip(*rows, strict=True), len(rows))

    def add_columns(self, columns: Iterable[Iterable[str]], count: int) -> None:
        """The same, column by column, `count` cells each. Raises DataError if that is too much."""
        import numpy as np

        for cells, numbers, codes in zip(columns, self._numbers, self._codes, strict=True):
            codes.append(np.array([numbers.setdefault(cell, len(numbers)) for cell in cells], np.int32))
        self._rows += count
        if self._rows * len(self._names) > MAX_CELLS or sum(map(len, self._numbers)) > MAX_DIFFERENT:
            raise DataError(
                f"{self._path} is too large to be kept in memory: after {self._rows:,} rows it has more than "
                f"{MAX_CELLS:,} cells or {MAX_DIFFERENT:,} different values. Take a part of it."
            )

    def add_names(self, names: Iterable[str]) -> None:
        """Columns that came up late: the rows before have nothing there."""
        import numpy as np

        for name in names:
            self._names += (name,)
            self._numbers.append({"": 0} if self._rows else {})
            self._codes.append([np.zeros(self._rows, np.int32)])
        check_columns(len(self._names), self._path)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns so far."""
        return self._names

    def columns(self) -> tuple[TextColumn, ...]:
        """All columns; texts that differ only in the spaces around them are one. Raises DataError if there are none."""
        check_columns(len(self._names), self._path)
        return tuple(map(_column, self._names, self._numbers, self._codes))


def _column(name: str, numbers: dict[str, int], parts: list[np.ndarray]) -> TextColumn:
    import numpy as np

    codes = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    merged: dict[str, int] = {}
    stripped = [merged.setdefault(text.strip(), len(merged)) for text in numbers]
    if len(merged) < len(numbers):
        codes = np.array(stripped, np.int32)[codes]
    return TextColumn(name, list(merged), codes)


def chunks(rows: Iterable[list[str]], columns: int) -> Iterator[list[list[str]]]:
    """Rows, as many at a time as make CELLS_AT_ONCE cells."""
    size, chunk = max(1, CELLS_AT_ONCE // max(columns, 1)), []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
