"""The part of exported source that prepares rows of a table, as `studio.data.tables.features` does."""

from __future__ import annotations

from typing import Any

import torch

from studio.data.base import DataError
from studio.data.scaling import Scaling
from studio.data.tables.categories import Categories
from studio.data.tables.features import CHOICES, LABELS, NUMBER, ORDERED, SWITCH, TIME, Columns
from studio.export.formats import ExportError

_OF_KIND = {
    NUMBER: """
    if column["kind"] == "number":
        number = None if gone else as_number(text)
        gone = number is None or (column.get("zeros", False) and number == 0)
        numbers = [column.get("fill", 0.0) if gone else number]
""",
    ORDERED: """
    if column["kind"] == "ordered":
        words = [word.lower() for word in column["choices"]]
        gone = gone or text.lower() not in words
        numbers = [column.get("fill", 0.0) if gone else float(words.index(text.lower()))]
""",
    SWITCH: """
    if column["kind"] == "switch":
        gone = gone or text not in column["choices"]
        numbers = [column.get("fill", 0.0) if gone else float(column["choices"].index(text))]
""",
    CHOICES: """
    if column["kind"] == "choices":
        choices = column.get("choices", [])
        numbers = [float(text == choice and not gone) for choice in choices]
        other = text not in choices or gone
        numbers += [float(other and not (gone and column.get("missing", False)))]
""",
    LABELS: """
    if column["kind"] == "labels":
        choices = column.get("choices", [])
        labels = [] if gone else [label.strip() for label in text.split(column["sign"]) if label.strip()]
        numbers = [float(choice in labels) for choice in choices]
        numbers += [float(any(label not in choices for label in labels))]
""",
    TIME: """
    if column["kind"] == "time":
        date = None if gone else as_date(text, column["style"])
        gone = date is None
        usual = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=column.get("fill", 0.0))
        numbers = date_parts(date or usual, column.get("parts", []))
""",
}

_FEATURES = '''
def features(column: dict, text: str) -> list[float]:
    """The numbers that a cell of a column becomes."""
    gone = not text or text.lower() in MISSING
    numbers = []
$kinds    return [*numbers, float(gone)] if column.get("missing", False) else numbers
'''

_AS_NUMBER = r'''
PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")  # 1,234,567.8
SPACES = re.compile("(?<=[0-9])[ \u00a0\u2009\u202f'\u2019](?=[0-9]{3}(?:[^0-9]|$))")  # 1 234 567
MONEY = re.compile("[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba%]|\\b(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|INR)\\b")


def as_number(text: str) -> float | None:
    """The number in a cell, without signs of currencies and what divides thousands; None if there is none."""
    if len(text) > 60:
        return None
    if DECIMAL == ",":
        text = text.translate(str.maketrans(".,", ",."))
    if PLAIN.fullmatch(text) is None:
        text = SPACES.sub("", MONEY.sub("", text).strip().replace("\u2212", "-"))
        if GROUPED.fullmatch(text):
            text = text.replace(",", "")
        elif PLAIN.fullmatch(text) is None:
            return None
    return float(text) if abs(float(text)) <= 1e30 else None
'''

_AS_DATE = r'''
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CLOCK = (
    r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp][Mm])?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
IN_NUMBERS = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + CLOCK)
DATES = {
    "year first": re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?" + CLOCK),
    "day first": IN_NUMBERS,
    "month first": IN_NUMBERS,
    "month in words": re.compile(
        r"(?:[A-Za-z]+, )?(?:([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?|([A-Za-z]{3,9})\.? ([0-9]{1,2}))"
        r"[ ,-]+([0-9]{4}|[0-9]{2})" + CLOCK
    ),
}


def as_date(text: str, style: str) -> datetime.datetime | None:
    """The date in a cell; None if there is none."""
    found = DATES[style].fullmatch(text) if len(text) <= 60 else None
    if found is None:
        return None
    *parts, hour, minute, second, half, offset = found.groups()
    try:
        if style == "month in words":
            day, month, year = parts[0] or parts[3], MONTHS.index((parts[1] or parts[2])[:3].lower()) + 1, parts[4]
        elif style == "year first":
            year, month, day = parts[0], parts[2], parts[3] or 1
        else:
            day, month, year = parts[0], parts[2], parts[3]
            day, month = (month, day) if style == "month first" else (day, month)
        year = int(year) if len(year) == 4 else int(year) + (2000 if int(year) <= 68 else 1900)
        hour = int(hour or 0) if half is None else int(hour) % 12 + (12 if half.lower() == "pm" else 0)
        date = datetime.datetime(year, int(month), int(day), hour, int(minute or 0), int(second or 0))
        if offset in (None, "Z"):
            return date
        zone = datetime.datetime.strptime(offset.replace(":", ""), "%z").tzinfo
        return date.replace(tzinfo=zone).astimezone(datetime.timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def date_parts(date: datetime.datetime, parts: list[str]) -> list[float]:
    """The year, and places on circles for the rest, so that December is next to January."""
    hour = (date.hour + date.minute / 60) / 24
    shares = {"month": (date.month - 1) / 12, "weekday": date.weekday() / 7, "hour": hour}
    numbers = [float(date.year)] if "year" in parts else []
    for part in parts:
        if part != "year":
            numbers += [math.sin(2 * math.pi * shares[part]), math.cos(2 * math.pi * shares[part])]
    return numbers
'''

_PREPARE = '''
def $function(rows: list[dict[str, str]]) -> torch.Tensor:
    """Rows of a table, the texts of their cells by the names of columns, as (N, $width), as in training."""
    cells = [[features(column, (row.get(column["name"]) or "").strip()) for column in COLUMNS] for row in rows]
    numbers = torch.tensor([sum(row, []) for row in cells]).reshape(-1, $width)
$scaling'''


def read_columns(given: dict[str, Any]) -> Columns:
    """What a checkpoint says of an input of rows. Raises ExportError if it is damaged."""
    try:
        return Columns.from_json(given["columns"])
    except DataError as error:
        raise ExportError(f"{error} Nothing was written.") from error


def imports(given: dict[str, Any]) -> list[str]:
    """What the part needs beside torch."""
    kinds = {code.kind for code in read_columns(given).codes}
    return [*(["import datetime", "import math"] if TIME in kinds else []), *(["import re"] if _reads(kinds) else [])]


def _reads(kinds: set[str]) -> bool:
    return bool(kinds & {NUMBER, TIME})


def prepare_rows(given: dict[str, Any], function: str) -> str:
    """The function that makes the network's input from rows, and all it needs.

    Args:
        given: what the checkpoint's preparation says of the input.
        function: its name.
    """
    columns = read_columns(given)
    kinds = {code.kind for code in columns.codes}
    scaling = Scaling.from_json(given["scaling"])
    lines = ["    return numbers"]
    if scaling.shift:
        lines = [
            f"    shift = torch.tensor({list(scaling.shift)!r})",
            f"    scale = torch.tensor({list(scaling.scale)!r})",
        ]
        lines += ["    return (numbers - shift) * scale"]
    constants = [f"MISSING = {sorted(columns.rules.marks)!r}  # in lower case"]
    constants += [f"DECIMAL = {columns.rules.decimal!r}"] if NUMBER in kinds else []
    constants += ["COLUMNS = [", *(f"    {code.to_json()!r}," for code in columns.codes), "]"]
    pieces = [
        "\n".join(constants),
        *([_AS_NUMBER] if NUMBER in kinds else []),
        *([_AS_DATE] if TIME in kinds else []),
        _FEATURES.replace("$kinds", "".join(text.lstrip("\n") for kind, text in _OF_KIND.items() if kind in kinds)),
        _PREPARE.replace("$function", function)
        .replace("$width", str(len(columns.features)))
        .replace("$scaling", "\n".join(lines)),
    ]
    return "\n\n\n".join(piece.strip("\n") for piece in pieces)


# Cells of every kind, right and wrong, for the proof.
_CELLS = (
    "", "?", "0", "1,234.5", "1.234,5", "-3", "$ 12", "1e999", "nothing that anybody wrote", "2021-02-03 04:05:06",
    "3/4/99", "13.4.2020 5:06 pm", "Jan 5, 2020", "2020-01-05T23:00:00+02:00", "2020-13-45",
)  # fmt: skip


def rows_for_proof(columns: Columns | Categories) -> list[dict[str, str]]:
    """Rows that have each of `_CELLS` in every column, and then of each column what it knows."""
    rows = [{code.name: cell for code in columns.codes} for cell in _CELLS]
    known = max((len(code.choices) for code in columns.codes), default=0)
    for number in range(min(known, 50)):
        rows.append({code.name: code.choices[number % len(code.choices)] for code in columns.codes if code.choices})
    return rows


def prepared(given: dict[str, Any], rows: list[dict[str, str]]) -> torch.Tensor:
    """The same as the written function gives, (N, D)."""
    return Scaling.from_json(given["scaling"]).apply(torch.from_numpy(read_columns(given).apply(rows)))
