"""Reads tables from text files line by line: what is wrong is told with its line, and memory stays bounded."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from studio.data.base import DataError
from studio.data.tables.dialect import (
    SPACED,
    Asked,
    Dialect,
    find_encoding,
    first_rows,
    json_cell,
    json_objects,
    reader,
    unquoted,
)
from studio.data.tables.reading import CELLS_AT_ONCE, Collector, Table, chunks

LONGEST_LINE = 2**24  # characters
LONGEST_ROW = 2**24  # characters of a row with ends of lines in its quotes
MOST_ODD = 20  # lines that are told


def read_text(path: Path, asked: Asked, sheet: str = "") -> Table:
    """A table of separated values or of JSON lines. Raises DataError with the line."""
    encoding = find_encoding(path, asked.encoding)
    beginning = first_rows(path, asked)
    try:
        with open(path, encoding=encoding, newline="") as file:
            lines = _Lines(file, path)
            if beginning.dialect.json:
                return _read_json(lines, path, encoding)
            return _read_separated(lines, path, beginning.dialect, beginning.names)
    except UnicodeError as error:
        raise DataError(f"{path} was changed while it was read. Try it again.") from error


@dataclass
class _Lines:
    """The lines of a file, none of which may be endless; those of the row under way are kept."""

    file: io.TextIOBase
    path: Path
    number: int = 0  # of the line that was given last
    pending: list[str] = field(default_factory=list)
    size: int = 0  # characters that are pending

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise DataError(f"{self.path}, line {self.number:,}, has more than {LONGEST_LINE:,} characters.")
        if "\0" in line:
            raise DataError(f"{self.path}, line {self.number:,}, has zero bytes in it: it is damaged, or no text.")
        self.pending.append(line)
        self.size += len(line)
        if self.size > LONGEST_ROW:
            raise DataError(
                f"{self.path}: the row that begins in line {self.number - len(self.pending) + 1:,} has more than "
                f"{LONGEST_ROW:,} characters. Is a quote missing at the end of a cell?"
            )
        return line

    def taken(self) -> int:
        """A row is complete: the number of its first line."""
        first = self.number - len(self.pending) + 1
        self.pending, self.size = [], 0
        return first


def _read_separated(lines: _Lines, path: Path, dialect: Dialect, names: tuple[str, ...]) -> Table:
    import numpy as np

    collector, rows = Collector(names, path), _Rows(lines, path, dialect, len(names))
    for chunk in chunks(rows.below_header(), len(names)):
        collector.add_rows(chunk)
    starts = np.array(rows.starts, np.int64)
    return Table(collector.columns(), starts, dialect.words, tuple(rows.odd), rows.odd_count)


class _Rows:
    """The rows of a file, all of the same length, and where each began."""

    def __init__(self, lines: _Lines, path: Path, dialect: Dialect, columns: int) -> None:
        self.starts: list[int] = []
        self.odd: list[int] = []
        self.odd_count = 0
        self._lines, self._path, self._dialect, self._columns = lines, path, dialect, columns

    def below_header(self) -> Iterator[list[str]]:
        rows = self._all()
        return itertools.islice(rows, 1, None) if self._dialect.header else rows

    def _all(self) -> Iterator[list[str]]:
        quoted, columns, skipped = self._dialect.quoted, self._columns, self._dialect.header
        options = {**SPACED, **({} if quoted else {"quoting": csv.QUOTE_NONE})}
        pending: list[str] = []
        for row in self._parsed(options):
            pending = self._lines.pending
            first = self._lines.taken()
            if not any(row):
                continue
            if not quoted:
                row = [unquoted(cell) for cell in row]
            if not skipped:
                self.starts.append(first)
                if len(row) != columns and any(row[columns:] or ["few"]):
                    self._tell_odd(first)
            skipped = False
            yield row if len(row) == columns else [*row[:columns], *[""] * (columns - len(row))]
        self._check_end(pending if self.starts else [])

    def _parsed(self, options: dict[str, int]) -> Iterator[list[str]]:
        try:
            yield from reader(self._lines, self._dialect.separator, **options)
        except csv.Error as error:
            raise DataError(f"{self._path}, line {self._lines.number:,}, cannot be read: {error}.") from error

    def _tell_odd(self, line: int) -> None:
        self.odd_count += 1
        if len(self.odd) < MOST_ODD:
            self.odd.append(line)

    def _check_end(self, last: list[str]) -> None:
        """A quote that is opened and never closed takes in the rest of the file."""
        if not self._dialect.quoted or len(last) < 2:
            return
        try:
            list(reader(iter(last), self._dialect.separator, strict=True, **SPACED))
        except csv.Error as error:
            if "end of data" in str(error):
                line = self._lines.number - len(last) + 1
                raise DataError(
                    f"{self._path}, line {line:,}: a quote is opened there and never closed, so the rest of the file "
                    "would be a single cell. Close it."
                ) from error


def _read_json(lines: _Lines, path: Path, encoding: str) -> Table:
    import numpy as np

    collector, starts = Collector((), path), []
    objects = json_objects(_one_by_one(lines), path)
    while chunk := list(itertools.islice(objects, max(1, CELLS_AT_ONCE // max(len(collector.names), 100)))):
        known = set(collector.names)
        collector.add_names(dict.fromkeys(name for _, item in chunk for name in item if name not in known))
        collector.add_rows([[json_cell(item.get(name)) for name in collector.names] for _, item in chunk])
        starts += [line for line, _ in chunk]
    return Table(collector.columns(), np.array(starts, np.int64), f"JSON lines, {encoding}")


def _one_by_one(lines: _Lines) -> Iterator[str]:
    for line in lines:
        lines.taken()
        yield line
