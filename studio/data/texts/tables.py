"""Reads a table of texts with their labels from a CSV file, a tab-separated one or one of JSON lines.

What is not said is guessed: the separator, whether quotes mean anything, whether there is a header, and which columns
hold the text and the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.data.base import DataError
from studio.data.encodings import decode
from studio.data.tables.dialect import (
    SAMPLE_BYTES,
    Asked,
    Rows,
    find_separator,
    first_rows,
    has_header,
    is_json,
    json_objects,
    json_rows,
    read_beginning,
    read_rows,
    usual_columns,
)
from studio.data.texts.rules import FIND_OUT, SEPARATORS

MAX_BYTES = 2**30

_LABEL_NAMES = ("label", "labels", "class", "category", "sentiment", "target", "polarity", "topic", "y", "spam")
_TEXT_NAMES = ("text", "review", "sentence", "message", "content", "comment", "tweet", "document", "body", "sms")
_ROWS_FOR_HEADER = 1_000
_TEXTS_SHARE = 0.5  # of all characters: else the texts are but one column of a table of other things


@dataclass(frozen=True)
class TableRules:
    """What is said of a table; what is empty or FIND_OUT is guessed.

    Args:
        text_column, label_column: the column's name, or its number from 1.
        separator: FIND_OUT or a key of SEPARATORS.
        header: FIND_OUT, "yes" or "no": whether the first row names the columns.
        encoding: one of ENCODINGS.
    """

    text_column: str = ""
    label_column: str = ""
    separator: str = FIND_OUT
    header: str = FIND_OUT
    encoding: str = FIND_OUT


@dataclass(frozen=True)
class Layout:
    """How a table is written, with nothing left to guess.

    Args:
        encoding: with which Python reads it.
        separator: what stands between two columns; empty for JSON lines.
        quotes: whether quotes hold a cell together; else only those around a whole cell mean anything.
        header: whether the first row that is not empty names the columns.
        text, label: the columns, from 0.
        names: of these two, text first, or their numbers from 1; in JSON lines their keys.
    """

    encoding: str
    separator: str
    quotes: bool
    header: bool
    text: int
    label: int
    names: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Table:
    """Texts, the label of each, how they are written, and what was guessed, in one sentence."""

    texts: list[str]
    labels: list[str]
    layout: Layout
    summary: str


def read_table(path: Path, rules: TableRules) -> Table:
    """The whole table; rows without a text or a label are left out.

    Raises:
        DataError: if the file cannot be read, or no text or label column is found.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(
                f"{path} is larger than {MAX_BYTES / 1e9:.1f} GB, which does not fit into memory. Divide it."
            )
        return parse_table(path.read_bytes(), path, rules)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def looks_like_one(path: Path) -> bool:
    """Whether the beginning of a file is a table of texts and labels: the texts are most of what is in it."""
    return bool(first_texts(path)[0])


def first_texts(path: Path) -> tuple[list[str], bool]:
    """The texts at the beginning of a table, and whether these are all; none if it is no table of texts with labels.

    The texts must be most of what is in it: a table of other things may have names or remarks in it.
    """
    try:
        text, _, whole = read_beginning(path)
        table = parse_table(text.encode(), path, TableRules(encoding="utf-8"))
        total = len(text) if table.layout.separator else _without_names(path)
    except (OSError, DataError):
        return [], False
    alike = are_words(table.texts[:1_000]) and sum(map(len, table.texts)) > _TEXTS_SHARE * total
    return (table.texts, whole) if alike else ([], False)


def _without_names(path: Path) -> int:
    """How many characters the beginning of JSON lines has but for the names, which stand on each line again."""
    found = first_rows(path, count=SAMPLE_BYTES)
    return sum(len(cell) for row in found.rows for cell in row)


def are_words(texts: list[str]) -> bool:
    """Whether most texts have several words: names and numbers have not."""
    return sum(len(text.split()) >= 3 for text in texts) > len(texts) / 2


def beside(path: Path, layout: Layout) -> dict[str, list[str]]:
    """The first values of each column that is neither the text nor the label. Raises DataError."""
    separator = next((name for name, sign in SEPARATORS.items() if sign == layout.separator), FIND_OUT)
    found = first_rows(path, Asked(separator, "yes" if layout.header else "no", layout.encoding))
    taken = {layout.text, layout.label} if layout.separator else {*map(found.names.index, layout.names)}
    return {name: [row[number] for row in found.rows] for number, name in enumerate(found.names) if number not in taken}


def parse_table(content: bytes, path: Path, rules: TableRules) -> Table:
    """As `read_table`, from the content of the file. Raises DataError."""
    text, encoding = decode(content, str(path), rules.encoding)
    if is_json(text, path):
        names, rows = _read_json_lines(text, path)
        separator, quotes, header, kind = "", True, False, "JSON lines"
    else:
        separator = _separator(text, path, rules.separator)
        rows, quotes = read_rows(text, separator)
        names, header = _named(rows, rules, path)
        rows = rows[1:] if header else rows
        kind = f"separated by {next(name for name, sign in SEPARATORS.items() if sign == separator)}"
    label, words = _columns(names, rows, rules, path)
    layout = Layout(encoding, separator, quotes, header, words, label, (names[words], names[label]))
    pairs = [(row[words].strip(), row[label].strip()) for row in rows if len(row) > max(label, words)]
    pairs = [(text, label) for text, label in pairs if text and label]
    if not pairs:
        raise DataError(f"{path} has no row with a text and a label.")
    left_out = f", {len(rows) - len(pairs):,} rows without a text or a label left out" if len(pairs) < len(rows) else ""
    summary = f"{kind}, {encoding}, text in column {names[words]}, label in column {names[label]}{left_out}"
    return Table([text for text, _ in pairs], [label for _, label in pairs], layout, summary)


def _separator(text: str, path: Path, chosen: str) -> str:
    found = find_separator(_beginning(text), path, chosen)
    if not found:
        raise DataError(
            f"{path} does not look like a table: no comma, tab, semicolon or vertical bar divides its lines. Each row "
            "must have a text and a label."
        )
    return found


def _beginning(text: str) -> str:
    sample = text[:SAMPLE_BYTES]
    return sample[: sample.rfind("\n") + 1] or sample if len(sample) < len(text) else sample


def _read_json_lines(text: str, path: Path) -> tuple[list[str], Rows]:
    names, rows = json_rows([item for _, item in json_objects(text.split("\n"), path)], path, _cell)
    if len(names) < 2:
        raise DataError(f"{path} needs a text and a label in each line, but has {len(names):,} names in all.")
    return list(names), rows


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _named(rows: Rows, rules: TableRules, path: Path) -> tuple[list[str], bool]:
    """The columns' names, or their numbers where there is no header, and whether there is one."""
    columns, _ = usual_columns(rows)
    if columns < 2:
        raise DataError(f"{path} has one column only; it needs a text and a label in each row. Is the separator right?")
    numbers = [str(number) for number in range(1, columns + 1)]
    if rules.header == "no" or (rules.header == FIND_OUT and not _has_header(rows, columns)):
        return numbers, False
    names = [name.strip() or number for name, number in zip(rows[0], numbers, strict=False)]
    return names + numbers[len(names) :], True


def _has_header(rows: Rows, columns: int) -> bool:
    """Whether the first row names the columns: with known names, or since it is no row like those below."""
    if {cell.strip().lower() for cell in rows[0]} & {*_LABEL_NAMES, *_TEXT_NAMES}:
        return True
    return has_header([[cell.strip() for cell in row] for row in rows[:_ROWS_FOR_HEADER]], columns)


def _columns(names: list[str], rows: Rows, rules: TableRules, path: Path) -> tuple[int, int]:
    """The label's and the text's column, from 0."""
    label, words = _chosen(names, rules.label_column, path), _chosen(names, rules.text_column, path)
    if words is None:
        words = _text_column(names, rows, taken=label)
    if label is None:
        candidates = [column for column in _label_columns(rows, len(names)) if column != words]
        named = [column for column in candidates if names[column].lower() in _LABEL_NAMES]
        label = next(iter(named or candidates), None)
    if label is None:
        raise DataError(
            f"{path}: no column looks like a label, with a few words that come again and again. Name it. Columns: "
            f"{_list(names)}."
        )
    if label == words:
        raise DataError(f"{path}: text and label cannot be the same column, “{names[label][:40]}”.")
    return label, words


def _chosen(names: list[str], wanted: str, path: Path) -> int | None:
    wanted = wanted.strip()
    if not wanted:
        return None
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise DataError(f"{path} has no column “{wanted[:80]}”. Columns: {_list(names)}.")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    return ", ".join(name[:40] for name in names[:20]) + more


def _text_column(names: list[str], rows: Rows, taken: int | None) -> int:
    """The column with a name that says so, or else with the longest texts."""
    free = [column for column in range(len(names)) if column != taken]
    named = [column for column in free if names[column].lower() in _TEXT_NAMES]
    lengths = {column: sum(len(row[column]) for row in rows if len(row) > column) for column in named or free}
    return max(lengths, key=lambda column: lengths[column])


def _label_columns(rows: Rows, columns: int) -> list[int]:
    """Columns with at least two values that come again and again, those with the fewest first."""
    found = []
    for column in range(columns):
        values = [value for row in rows if len(row) > column and (value := row[column].strip())]
        kinds = len(set(values))
        if 2 * len(values) >= len(rows) and 2 <= kinds < len(values) and kinds <= max(2, len(values) // 2):
            found.append((kinds, column))
    return [column for _, column in sorted(found)]
