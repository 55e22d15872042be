"""Samples in what a person names: files, folders, the rows of tables, lines of text.

What is wrong with one of them is told in its place, and the others go on.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from studio.data.base import DataError
from studio.data.forms import InputError, PictureForm, RawForm
from studio.data.own_files import printable
from studio.data.tables.reading import read_table
from studio.evaluation.answering import Answerer, Reading

STDIN = "-"
TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq", ".xlsx", ".xlsm")
_LINES = (".jsonl", ".ndjson")
_DEPTH = 8  # folders in each other
_LONGEST_LINE = 10_000_000  # characters


@dataclass(frozen=True)
class Given:
    """One sample that was named.

    Args:
        name: a path, with the line where there are several in a file.
        value: what an Answerer reads, or why there is nothing to read.
    """

    name: str
    value: object


class Inputs:
    """Finds samples for a network.

    Args:
        answerer: the network.
        column: which column of a table holds the texts; empty if they are in none.
        drawings: whether pictures are drawings or photographs of handwriting, which are made to look like the samples.

    Raises:
        InputError: if the network takes no such thing.
    """

    def __init__(self, answerer: Answerer, column: str = "", *, drawings: bool = False) -> None:
        self._answerer, self._column = answerer, column
        self._form: RawForm | None = answerer.parts[0].form if len(answerer.parts) == 1 else None
        takes = "one row of its parts" if self._form is None else f"this: {self._form.about}"
        if column and not self._is_text:
            raise InputError(f"--column is for networks that take a text; this one takes {takes}")
        self._drawings = drawings
        if drawings and not isinstance(self._form, PictureForm):
            raise InputError(f"--drawing is for networks that take a picture; this one takes {takes}")

    @property
    def _is_text(self) -> bool:
        return self._form is not None and self._form.media == "text/plain"

    def read(self, given: Given) -> Reading:
        """Prepare one of them. Raises InputError."""
        if isinstance(given.value, InputError):
            raise given.value
        if self._drawings and isinstance(given.value, Path):
            return self._answerer.read_drawing(given.value)
        return self._answerer.read(given.value)

    def all(self, places: Sequence[str], stdin: TextIO) -> Iterator[Given]:
        """All samples of files and folders, in order; `STDIN` stands for the lines that come in."""
        for place in places:
            if place == STDIN:
                yield from self._lines(stdin)
            elif Path(place).is_dir():
                yield from self._folder(Path(place))
            else:
                yield from self._file(Path(place))

    def _folder(self, folder: Path) -> Iterator[Given]:
        wanted = self._suffixes
        found = False
        for path in _walk(folder, _DEPTH):
            if path.suffix.lower() in wanted:
                found = True
                yield from self._file(path)
        if not found:
            kinds = ", ".join(sorted(wanted))
            yield Given(_name(folder), InputError(f"{_name(folder)} holds no files to answer ({kinds})."))

    @property
    def _suffixes(self) -> frozenset[str]:
        if self._form is None:
            return frozenset(_LINES)
        tables = frozenset(TABLES) if self._form.in_tables or self._column else frozenset[str]()
        return self._form.suffixes | tables

    def _file(self, path: Path) -> Iterator[Given]:
        if self._form is None:
            return self._guarded(path, self._parts(path))
        is_table = path.suffix.lower() in TABLES
        if self._form.in_tables:
            return self._guarded(path, self._rows(path))
        if self._is_text and is_table:
            return self._guarded(path, self._texts(path))
        return iter([Given(_name(path), path)])

    def _guarded(self, path: Path, some: Iterator[Given]) -> Iterator[Given]:
        """What cannot be read is told, and what comes after it goes on."""
        try:
            yield from some
        except DataError as error:
            yield Given(_name(path), InputError(str(error)))

    def _rows(self, path: Path) -> Iterator[Given]:
        table = read_table(path)
        for row, line in enumerate(table.lines.tolist()):
            cells = {column.name: column.texts[column.codes[row]] for column in table.columns}
            yield Given(f"{_name(path)}, line {line}", cells)

    def _texts(self, path: Path) -> Iterator[Given]:
        table = read_table(path)
        column = next((column for column in table.columns if column.name == self._column), None)
        if column is None:
            names = ", ".join(f"“{printable(column.name)}”" for column in table.columns[:20])
            raise InputError(f"{_name(path)} is a table. Name the column of its texts with --column: {names}.")
        for row, line in enumerate(table.lines.tolist()):
            yield Given(f"{_name(path)}, line {line}", column.texts[column.codes[row]])

    def _parts(self, path: Path) -> Iterator[Given]:
        """Of a network with several inputs: a JSON object in each line, with a value for each of them."""
        if path.suffix.lower() not in _LINES:
            names = ", ".join(f"“{part.name}”" for part in self._answerer.parts)
            raise InputError(
                f"{_name(path)}: the network has several inputs. Give a file .jsonl with an object in each line that "
                f"has {names}."
            )
        try:
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(_whole_lines(file), 1):
                    if line.strip():
                        yield Given(f"{_name(path)}, line {number}", self._of_json(line))
        except (OSError, UnicodeError) as error:
            raise InputError(f"{_name(path)} cannot be read: {error}.") from error

    def _of_json(self, line: str) -> object:
        from studio.storage import BadFileError, parse_json

        try:
            value = parse_json(line.encode("utf-8", "replace"), "this line")
            return of_json(self._answerer, value)
        except BadFileError as error:
            return InputError(str(error))
        except InputError as error:
            return error

    def _lines(self, file: TextIO) -> Iterator[Given]:
        """What comes in: texts, one in each line, or a table of separated values with a header."""
        if self._form is not None and self._form.in_tables:
            for number, row in enumerate(csv.DictReader(_whole_lines(file)), 2):
                yield Given(f"line {number}", {str(name): cell or "" for name, cell in row.items() if name is not None})
            return
        make: Callable[[str], Any] = self._of_json if self._form is None else str
        if self._form is not None and not self._is_text:
            yield Given(
                "stdin", InputError(f"Lines of text are not what the network takes. Wanted: {self._form.about}")
            )
            return
        for number, line in enumerate(_whole_lines(file), 1):
            yield Given(f"line {number}", make(line.rstrip("\r\n")))


def of_json(answerer: Answerer, value: Any) -> object:
    """What an Answerer reads, from a JSON value: for several parts an object with their names. Raises InputError."""
    parts = answerer.parts
    if len(parts) == 1:
        return parts[0].form.from_json(value)
    if not isinstance(value, dict) or set(value) != {part.name for part in parts}:
        raise InputError("Give an object with " + ", ".join(f"“{part.name}”" for part in parts) + ".")
    return {part.name: part.form.from_json(value[part.name]) for part in parts}


def _whole_lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise InputError(f"A line is longer than {_LONGEST_LINE:,} characters.")
        yield line


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """Files below a folder in the order of their names; hidden ones and links to folders are left out."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_file():
            yield Path(entry.path)
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), depth - 1)


def _name(path: Path) -> str:
    return printable(str(path), 300)


def json_line(name: str, content: dict[str, Any]) -> str:
    """A sample and its answer as one line of JSON."""
    return json.dumps({"input": name, **content}, ensure_ascii=False)
