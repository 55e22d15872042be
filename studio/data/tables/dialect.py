"""How a table in a text file is written: its encoding, what divides its cells, whether quotes count, and its header.

All of it is found out from the beginning of the file, for every kind of data that comes in tables.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.data.base import DataError
from studio.data.encodings import decode
from studio.data.tables.values import find_date_style, is_missing, is_number
from studio.data.texts.rules import FIND_OUT, JSON_SUFFIXES, SEPARATORS

MAX_COLUMNS = 10_000
MAX_CELL = 2**27  # characters
SAMPLE_BYTES = 2**18  # of a file, in which all of this is found out
LONGEST_FIRST_LINE = 2**22  # bytes
_RAREST_FIRST = "\t|;,"  # in prose: of two that divide all lines alike, the rarer one is meant
_CLEAR_SHARE = 0.98  # of the lines that have as many columns as most, where quotes mean nothing
_ROWS_FOR_HEADER = 1_000
_NEVER = "\x1f"  # the unit separator stands in no text that people write
SPACED = {"skipinitialspace": True}  # or a space behind a separator would hide a quote

Rows = list[list[str]]


@dataclass(frozen=True)
class Asked:
    """What a person says of a table; what is FIND_OUT is found out.

    Args:
        separator: FIND_OUT or a key of SEPARATORS.
        header: FIND_OUT, "yes" or "no": whether the first row names the columns.
        encoding: one of ENCODINGS.
    """

    separator: str = FIND_OUT
    header: str = FIND_OUT
    encoding: str = FIND_OUT


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Args:
        separator: the character between two cells; empty for JSON lines, and where there is only one column.
        quoted: whether quotes hold cells together that have separators or ends of lines in them.
        header: whether the first row names the columns.
        encoding: of the characters, as `open` takes it.
        json: whether each line is a JSON object.
    """

    separator: str
    quoted: bool
    header: bool
    encoding: str
    json: bool = False

    @property
    def words(self) -> str:
        """In a few words for people."""
        if self.json:
            return f"JSON lines, {self.encoding}"
        names = [name for name, sign in SEPARATORS.items() if sign == self.separator]
        divided = f"separated by {names[0]}" if names else "one column"
        return f"{divided}, {self.encoding}, {'with' if self.header else 'without'} a header"


@dataclass(frozen=True, eq=False)
class Beginning:
    """The first rows of a table.

    Args:
        names: of the columns, as the header has them; "column 1" and so on where there is none or it says nothing.
        rows: those below the header; cells without the spaces around them, as many as there are names.
        dialect: how it is written.
        whole: whether these are all rows of the file.
        regular: the share of all rows that were seen that have as many cells as there are columns.
    """

    names: tuple[str, ...]
    rows: Rows
    dialect: Dialect
    whole: bool
    regular: float = 1.0


def first_rows(path: Path, asked: Asked | None = None, count: int = 1_000) -> Beginning:
    """The beginning of a table in a text file, in some milliseconds whatever the size of the file.

    Args:
        path: of a file of separated values, or of JSON lines.
        asked: what is known of it.
        count: at most so many rows; fewer if they are long.

    Raises:
        DataError: if it cannot be read or is no table.
    """
    asked = asked or Asked()
    text, encoding, whole = read_beginning(path, asked.encoding)
    if is_json(text, path):
        objects = [item for _, item in itertools.islice(json_objects(io.StringIO(text), path), count + 1)]
        names, rows = json_rows(objects, path)
        return Beginning(
            names, rows[:count], Dialect("", False, True, encoding, json=True), whole and len(rows) <= count
        )
    separator = find_separator(text, path, asked.separator)
    rows, quoted = read_rows(text, separator, **SPACED)
    columns, usual = usual_columns(rows)
    check_columns(columns, path)
    regular = usual / len(rows)
    rows = [[cell.strip() for cell in row] for row in rows]
    header = asked.header == "yes" or (asked.header == FIND_OUT and has_header(rows, columns))
    names = name_columns(rows[0] if header else (), columns)
    below = rows[1 if header else 0 :]
    dialect = Dialect(separator, quoted, header, encoding)
    some = [fitted(row, columns) for row in below[:count]]
    return Beginning(names, some, dialect, whole and len(below) <= count, regular)


def read_beginning(path: Path, encoding: str = FIND_OUT) -> tuple[str, str, bool]:
    """The whole lines at the beginning of a file, their encoding, and whether that is all of the file.

    Raises:
        DataError: if it cannot be read, is no text, or its first line is endless.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(SAMPLE_BYTES)
            if not _ends(content) and len(content) == SAMPLE_BYTES:
                content += file.read(LONGEST_FIRST_LINE - SAMPLE_BYTES)
            whole = len(content) >= os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not whole and not _ends(content):
        raise DataError(
            f"{path}, line 1, has more than {LONGEST_FIRST_LINE:,} bytes. A table has a line for each row; is it one?"
        )
    # The last line may be cut, in the middle of a character.
    text, found = decode(content if whole else _whole_lines(content), str(path), encoding)
    return text, found, whole


def _ends(content: bytes) -> int:
    """Behind the last end of a line; 0 if there is none."""
    return max(content.rfind(b"\n"), content.rfind(b"\r")) + 1


def _whole_lines(content: bytes) -> bytes:
    end = _ends(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, of two bytes or four
        end = content.rfind(b"\n\0" if content[0] == 0xFF else b"\0\n") + 2
        return content[: end - end % 2]
    return content[:end]


def find_encoding(path: Path, chosen: str = FIND_OUT) -> str:
    """The encoding of a whole file, which is read once for that.

    Raises:
        DataError: if it cannot be read, is not in the encoding that was chosen, or a part of it is in UTF-8 and another
            one is not; with the line.
    """
    _, found, _ = read_beginning(path, chosen)
    fault = _first_fault(path, found)
    if fault is None:
        return found
    if chosen == FIND_OUT and found == "cp1252":
        return "latin-1"  # in which every byte is a character
    if chosen == FIND_OUT and found == "utf-8" and not fault.others:
        return "cp1252" if _first_fault(path, "cp1252") is None else "latin-1"
    reason = "as all before it is" if chosen == FIND_OUT else "which was chosen"
    raise DataError(
        f"{path}, line {fault.line:,}, is not in the encoding {found}, {reason}. Choose another encoding, or mend the "
        "line."
    )


@dataclass(frozen=True)
class _Fault:
    """Where a file is not in an encoding.

    Args:
        line: from 1.
        others: whether there are characters before it that tell that it is that encoding all the same.
    """

    line: int
    others: bool


def _first_fault(path: Path, encoding: str) -> _Fault | None:
    decoder, line, others = codecs.getincrementaldecoder(encoding)(), 1, False
    with open(path, "rb") as file:
        while True:
            chunk = file.read(2**20)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace")
                return _Fault(line + before.count("\n"), others or not before.isascii())
            if not chunk:
                return None
            line += text.count("\n")
            others = others or not text.isascii()


def is_json(text: str, path: Path) -> bool:
    """Whether a text is one of JSON lines."""
    return path.suffix.lower() in JSON_SUFFIXES or text.lstrip()[:1] == "{"


def json_objects(lines: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object of each line that is not empty, behind the line's number. Raises DataError."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number:,}, is no JSON: each line must be an object of its own.") from error
        if not isinstance(found, dict):
            raise DataError(f"{path}, line {number:,}, is no JSON object with a value for each column.")
        yield number, found


def json_cell(value: object) -> str:
    """A value of JSON as the text of a cell; a list of plain values with semicolons between them."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, list):
        return "; ".join(filter(None, (json_cell(item) for item in value if not isinstance(item, list | dict))))
    try:
        return str(value) if isinstance(value, str | int | float) else ""
    except ValueError:  # a whole number of thousands of digits
        return ""


def json_rows(
    objects: Sequence[dict[str, Any]], path: Path, cell: Callable[[object], str] = json_cell
) -> tuple[tuple[str, ...], Rows]:
    """Names of columns, in the order in which they appear, and a row for each object. Raises DataError."""
    names = tuple(dict.fromkeys(name for item in objects for name in item))
    check_columns(len(names), path)
    return names, [[cell(item.get(name)).strip() for name in names] for item in objects]


def check_columns(count: int, path: Path) -> None:
    """Raises DataError if there are none, or too many."""
    if not count:
        raise DataError(f"{path} is empty.")
    if count > MAX_COLUMNS:
        raise DataError(f"{path} has {count:,} columns; at most {MAX_COLUMNS:,} can be read. Is the separator right?")


def find_separator(text: str, path: Path, chosen: str = FIND_OUT) -> str:
    """The character that divides cells; empty if none divides the lines.

    Args:
        text: whole lines from the beginning of a file.
        path: its name may tell.
        chosen: FIND_OUT or a key of SEPARATORS.
    """
    if chosen != FIND_OUT:
        return SEPARATORS[chosen]
    scores = {sign: _regularity(text, sign) for sign in _RAREST_FIRST}
    if path.suffix.lower() in (".tsv", ".tab"):
        scores["\t"] += 1
    best = max(scores, key=lambda sign: scores[sign])
    return best if scores[best] else ""


def _regularity(text: str, separator: str) -> float:
    """From 0 to 1: the share of rows that have as many columns as most, if those are two or more."""
    rows, _ = read_rows(text, separator)
    columns, count = usual_columns(rows)
    return count / len(rows) if columns >= 2 else 0.0


def usual_columns(rows: Rows) -> tuple[int, int]:
    """The most frequent number of columns, and how many rows have it."""
    counts = Counter(len(row) for row in rows)
    return max(counts.items(), key=lambda pair: (pair[1], pair[0])) if counts else (0, 0)


def read_rows(text: str, separator: str, **options: Any) -> tuple[Rows, bool]:
    """The rows that are not empty, and whether quotes were heeded.

    Where taking quotes seriously swallows lines, they are taken as they are.

    Args:
        options: more of `csv.reader`.
    """
    if (well_formed := _parse(text, separator, strict=True, **options)) is not None:
        return well_formed, True
    quoted = _parse(text, separator, **options) or []
    columns, regular = usual_columns(quoted)
    plain = _parse(text, separator, quoting=csv.QUOTE_NONE, **options) or []
    plain_columns, plain_regular = usual_columns(plain)
    least = max(2, columns) if separator else 1
    clear = plain_columns >= least and plain_regular >= _CLEAR_SHARE * len(plain) and plain_regular > regular
    return ([[unquoted(cell) for cell in row] for row in plain], False) if clear else (quoted, True)


def _parse(text: str, separator: str, **options: Any) -> Rows | None:
    """The rows; None if they are not as the options want them."""
    lines = io.StringIO(text, newline="")
    try:
        return [row for row in reader(lines, separator, **options) if any(row)]
    except csv.Error:
        return None


def reader(lines: Iterable[str], separator: str, **options: Any) -> Any:
    """Rows of a table, as `csv.reader` gives them; without a separator each row is a single cell."""
    csv.field_size_limit(MAX_CELL)  # an unclosed quote takes in all that follows
    return csv.reader(lines, delimiter=separator or _NEVER, **options)


def unquoted(cell: str) -> str:
    """A cell whose quotes were taken as they are, without those around it."""
    whole = len(cell) >= 2 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if whole else cell


def has_header(rows: Rows, columns: int) -> bool:
    """Whether the first row names the columns: it is another kind of thing than what stands below it.

    Args:
        rows: of a table, cells without spaces around them.
        columns: how many most rows have.
    """
    first, below = rows[0], [row for row in rows[1:_ROWS_FOR_HEADER] if len(row) == columns]
    if not below or not any(first):
        return bool(rows[1:]) and any(first)
    votes = [_header_vote(cell, [row[column] for row in below]) for column, cell in enumerate(first[:columns])]
    return min(votes) > -2 and sum(votes) >= 0 and len(set(filter(None, first))) == len(list(filter(None, first)))


def _header_vote(first: str, below: Sequence[str]) -> int:
    """2: it must be a name; 1: it may be one; 0: who knows; -1: it is a value like those below; -2: it is no name."""
    values = [value for value in below if not is_missing(value)]
    numbers = sum(map(is_number, values))
    if is_number(first):
        return -2 if numbers > len(values) / 2 else -1
    if is_missing(first):
        return 0
    if values and numbers > 0.9 * len(values):
        return 2
    if find_date_style(values) and not find_date_style([first]):
        return 2
    if again := values.count(first):
        return -2 if again > 1 else -1
    return 1 if len(set(values)) <= max(2, len(values) // 2) else 0


def name_columns(header: Sequence[str], columns: int) -> tuple[str, ...]:
    """A name for each column, all different: those of the header, or else its number."""
    names: list[str] = []
    taken: set[str] = set()
    for number in range(1, columns + 1):
        given = header[number - 1].strip() if number <= len(header) else ""
        name = base = given or f"column {number}"
        again = 2
        while name in taken:
            name, again = f"{base} ({again})", again + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def fitted(row: Sequence[str], columns: int) -> list[str]:
    """A row cut or filled up with empty cells to the right number."""
    return [*row[:columns], *[""] * (columns - len(row))]
