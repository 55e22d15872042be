"""Reads a table that names picture files and says what each shows."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, MissingDataError
from studio.data.encodings import decode
from studio.data.images.files import Finder, is_picture
from studio.data.own_files import printable

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".csv", ".tsv", ".txt")
MOST_BYTES = 2**27
MOST_COLUMNS = 1_000
MOST_CLASSES = 30_000
_BEGINNING = 2**16  # bytes of a table by which it is recognised
_MOST_ENTRIES = 100_000  # of a folder
_PROBED = 50  # rows by which the column with the files is found
_MOST_TABLES = 10  # in a folder, that are looked at
_NAMES = ("label", "labels", "class", "class_name", "classname", "target", "category", "tags", "diagnosis", "breed",
          "species", "y")  # fmt: skip
_ZERO_OR_ONE = {"0", "1", "0.0", "1.0"}
_NUMBERS_TO_PREDICT = 30  # different whole numbers: with more of them they are no classes


@dataclass(frozen=True, eq=False)
class PictureTable:
    """A table of pictures.

    Args:
        root: the folder of the table.
        files: M paths below it; of a picture that is not there the name in the table.
        targets: class numbers (M,) int64, or (M, targets) float32.
        names: of the classes, labels or numbers.
        task: "classification", "multi-label" or "regression".
        file_column, label_columns: as they are called in the table.
        answers: what is to be predicted of each picture, in words.
        missing: numbers of the rows whose picture is not there.
        unlabelled: how many rows were left out since they have no label.
    """

    root: Path
    files: list[str]
    targets: np.ndarray
    names: tuple[str, ...]
    task: str
    file_column: str
    label_columns: tuple[str, ...]
    answers: list[str]
    missing: list[int]
    unlabelled: int = 0


def table_of(path: Path) -> Path | None:
    """The table of pictures that a path is, or that a folder holds; None if there is none. Beginnings are read."""
    if path.is_file():
        tables = [path] if path.suffix.lower() in SUFFIXES else []
    else:
        try:
            with os.scandir(path) as entries:
                some = [entry for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)]
        except (OSError, ValueError):
            return None
        named = [entry for entry in some if os.path.splitext(entry.name)[1].lower() in SUFFIXES]
        tables = [path / entry.name for entry in sorted(named, key=lambda entry: entry.name) if entry.is_file()]
    return next((table for table in tables[:_MOST_TABLES] if _names_pictures(table)), None)


def _names_pictures(table: Path) -> bool:
    """Whether a column names pictures that are there, and another could say what they show."""
    try:
        with open(table, "rb") as file:
            content = file.read(_BEGINNING)
        if len(content) == _BEGINNING:
            content = content[: content.rfind(b"\n") + 1]
        header, rows = _cells(content, table)
    except (OSError, DataError):
        return False
    column = _probe(table.parent, header, rows)
    return column is not None and len(header) >= 2


def _probe(folder: Path, header: list[str], rows: list[list[str]]) -> int | None:
    """The column whose first values are files, without listing the folder."""
    rows = [row for row in rows[:_PROBED] if len(row) == len(header)]
    beside = _folders_beside(folder)
    places = [folder, *beside, *(below for one in beside[:5] for below in _folders_beside(one)[:5])]
    for column in range(min(len(header), 20)):
        values = [row[column].strip() for row in rows]
        there = [value for value in values if value and _is_there(places, value)]
        if values and 2 * len(there) > len(values):
            return column
    return None


def _folders_beside(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        found = [entry.name for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False) if entry.is_dir()]
    return [folder / name for name in sorted(found)[:20]]


def _is_there(places: Sequence[Path], value: str) -> bool:
    if len(value) > 250 or "\0" in value or os.path.isabs(value) or ".." in value:
        return False
    endings = ("",) if is_picture(os.path.basename(value)) else (".jpg", ".png", ".jpeg", ".tif")
    return any(os.path.isfile(os.path.join(place, value + ending)) for place in places for ending in endings)


def read_table(table: Path, file_column: str, label_columns: str, task: str = "") -> PictureTable:
    """All rows.

    Args:
        table: the file, or a folder that holds one.
        file_column, label_columns: names, or empty to find them.
        task: what is to be predicted; empty to find it out.

    Raises:
        MissingDataError: if there is no table.
        DataError: if it cannot be read, or has no such columns.
    """
    found = table_of(table)
    if found is None:
        raise MissingDataError(
            f"{printable(str(table), 200)} has no column with the names of pictures that are there. Put the table in "
            "the folder of the pictures, or beside it."
        )
    header, rows = _cells(_content(found), found)
    names, whole = _Names(found.parent), [row for row in rows if len(row) == len(header)]
    files = _column(header, file_column, found) if file_column else names.column(header, whole)
    columns = [_column(header, name, found) for name in label_columns.split(",")] if label_columns else []
    columns = columns or _label_columns(header, whole, files)
    labelled = [row for row in whole if all(row[column].strip() for column in columns)]
    if not labelled:
        raise DataError(f"{printable(str(found), 200)} has no row with the name of a picture and a label.")
    return _assemble(found, header, labelled, files, columns, names, task, len(rows) - len(labelled))


def _content(table: Path) -> bytes:
    try:
        with open(table, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"{printable(str(table), 200)} cannot be read: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise DataError(f"{printable(str(table), 200)} is larger than {MOST_BYTES / 1e6:.0f} MB.")
    return content


def _cells(content: bytes, table: Path) -> tuple[list[str], list[list[str]]]:
    """The header and all other rows. Raises DataError."""
    where = printable(str(table), 200)
    text, _ = decode(content, where)
    first = text.partition("\n")[0]
    separator = max(",;\t|", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    except csv.Error as error:
        raise DataError(f"{where} cannot be read as a table: {error}.") from error
    if not rows or len(rows[0]) > MOST_COLUMNS:
        raise DataError(f"{where} is empty, or has more than {MOST_COLUMNS:,} columns.")
    return [name.strip() for name in rows[0]], rows[1:]


def _column(header: list[str], name: str, table: Path) -> int:
    if name.strip() not in header:
        known = ", ".join(printable(other, 40) for other in header[:20])
        raise DataError(
            f"{printable(str(table), 200)} has no column “{printable(name.strip())}”. Its columns: {known}."
        )
    return header.index(name.strip())


class _Names:
    """The pictures below a folder, by what a table may call them: path, name, or name without its ending."""

    def __init__(self, folder: Path) -> None:
        self._known: dict[str, str] = {}
        finder = Finder(Path(os.path.realpath(folder)))
        finder.add(finder.root)
        for name in finder.names:  # what is said in full goes before what is said in short
            short = os.path.basename(name)
            for spelling in (name, os.path.splitext(name)[0], short, os.path.splitext(short)[0]):
                self._known.setdefault(spelling, name)
        self._known.update((name, name) for name in finder.names)

    def find(self, value: str) -> str | None:
        """The path below the folder, or None."""
        plain = value.strip().replace("\\", "/").removeprefix("./")
        return self._known.get(plain) or self._known.get(plain.rpartition("/")[2])

    def column(self, header: list[str], rows: list[list[str]]) -> int:
        """The column that names most pictures."""
        probed = rows[:_PROBED]
        return max(range(len(header)), key=lambda column: sum(self.find(row[column]) is not None for row in probed))


def _label_columns(header: list[str], rows: list[list[str]], files: int) -> list[int]:
    """The columns that say what is to be predicted."""
    others = [column for column in range(len(header)) if column != files]
    named = [column for name in _NAMES for column in others if header[column].lower().replace(" ", "_") == name]
    if named:
        return named[:1]
    ones = [column for column in others if {row[column].strip() for row in rows} <= _ZERO_OR_ONE]
    return ones if len(ones) >= 2 else others[:1]


def _assemble(
    table: Path, header: list[str], rows: list[list[str]], files: int, columns: list[int], names: _Names, task: str,
    unlabelled: int,
) -> PictureTable:  # fmt: skip
    found = [names.find(row[files]) for row in rows]
    task = task or _task(rows, columns)
    targets, classes, answers = _TARGETS[task](
        [header[c] for c in columns], [[row[c].strip() for c in columns] for row in rows], printable(str(table), 200)
    )
    # A name that is not below the folder must not lead anywhere else.
    named = zip(found, rows, strict=True)
    paths = [name or f"missing/{os.path.basename(row[files].strip())}" for name, row in named]
    missing = [number for number, name in enumerate(found) if name is None]
    return PictureTable(
        Path(os.path.realpath(table.parent)), paths, targets, classes, task, header[files],
        tuple(header[c] for c in columns), answers, missing, unlabelled,
    )  # fmt: skip


def _task(rows: list[list[str]], columns: list[int]) -> str:
    values = [{row[column].strip() for row in rows} for column in columns]
    if len(columns) > 1:
        if not all(some <= _ZERO_OR_ONE for some in values):
            return "regression"
        one_each = all(sum(_number(row[column]) == 1.0 for column in columns) == 1 for row in rows)
        return "classification" if one_each else "multi-label"
    (only,) = values
    if sum("|" in value for value in only) > len(only) / 4:
        return "multi-label"
    numbers = [_number(value) for value in only]
    if any(number is None for number in numbers):
        return "classification"
    whole = all(number is not None and number == int(number) for number in numbers)
    return "classification" if whole and len(only) <= _NUMBERS_TO_PREDICT else "regression"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e30 else None


Answers = tuple["np.ndarray", tuple[str, ...], list[str]]


def _classes(header: list[str], cells: list[list[str]], where: str) -> Answers:
    """Class numbers; several columns of 0 and 1 name one class each."""
    import numpy as np

    values = [row[0] if len(header) == 1 else _one_hot(header, row, where) for row in cells]
    names = set(values)
    if len(names) > MOST_CLASSES:
        raise DataError(f"{where} has {len(names):,} different labels. Is that the column with the classes?")
    decimal = all(name.isdecimal() for name in names)
    ordered = tuple(sorted(names, key=lambda name: (int(name), name)) if decimal else sorted(names))
    numbers = {name: number for number, name in enumerate(ordered)}
    return np.array([numbers[value] for value in values], np.int64), ordered, values


def _one_hot(header: list[str], row: list[str], where: str) -> str:
    ones = [name for name, cell in zip(header, row, strict=True) if _number(cell) == 1.0]
    if len(ones) != 1:
        raise DataError(f"{where} has rows with {len(ones)} classes. Set “Task” to “multi-label”.")
    return ones[0]


def _labels(header: list[str], cells: list[list[str]], where: str) -> Answers:
    """0 or 1 for each label: a column each, or names with | or spaces between in one column."""
    import numpy as np

    if len(header) > 1:
        sets = [{name for name, cell in zip(header, row, strict=True) if _number(cell) == 1.0} for row in cells]
        names = tuple(header)
    else:
        between = "|" if any("|" in row[0] for row in cells) else None
        sets = [{part.strip() for part in row[0].split(between)} - {""} for row in cells]
        names = tuple(sorted(set[str]().union(*sets)))
    if len(names) > MOST_CLASSES:
        raise DataError(f"{where} has {len(names):,} different labels. Is that the column with the labels?")
    numbers = {name: number for number, name in enumerate(names)}
    targets = np.zeros((len(cells), len(names)), np.float32)
    for row, some in enumerate(sets):
        targets[row, [numbers[name] for name in some]] = 1.0
    return targets, names, [", ".join(sorted(some)) or "none" for some in sets]


def _numbers(header: list[str], cells: list[list[str]], where: str) -> Answers:
    """Numbers to predict, a column each."""
    import numpy as np

    values = [[_number(cell) for cell in row] for row in cells]
    wrong = next((i for i, row in enumerate(values) if None in row), None)
    if wrong is not None:
        raise DataError(f"{where}: “{printable(', '.join(cells[wrong]))}” is no number to predict.")
    answers = [", ".join(f"{name} {cell}" for name, cell in zip(header, row, strict=True)) for row in cells]
    return np.array(values, np.float32).reshape(len(cells), len(header)), tuple(header), answers


_TARGETS = {"classification": _classes, "multi-label": _labels, "regression": _numbers}


def counts(table: PictureTable) -> tuple[int, ...]:
    """How many pictures each class or label has; none for numbers."""
    if table.task == "regression":
        return ()
    if table.task == "multi-label":
        return tuple(int(count) for count in table.targets.sum(0))
    found = Counter(table.targets.tolist())
    return tuple(found[number] for number in range(len(table.names)))
