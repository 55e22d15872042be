"""Whether a file is a table to learn from: told from its beginning."""

from __future__ import annotations

from pathlib import Path

from studio.data.base import DataError
from studio.data.tables.dialect import first_rows
from studio.data.tables.features import make_code
from studio.data.tables.reading import EXCEL, PARQUET, Collector
from studio.data.tables.target import find_aim
from studio.data.tables.types import TypeRules, understand
from studio.data.tables.values import find_decimal

_REGULAR = 0.9  # of the rows that must have as many cells as most, for prose has commas, too
_FEWEST_ROWS = 3
_MARKS = {**dict.fromkeys(PARQUET, b"PAR1"), **dict.fromkeys(EXCEL, b"PK")}


def looks_like_one(path: Path) -> bool:
    """Whether there is something to predict in the beginning of a file, and something to predict it from."""
    try:
        if mark := _MARKS.get(path.suffix.lower()):
            with open(path, "rb") as file:
                return file.read(len(mark)) == mark
        return _has_target_and_inputs(path)
    except (OSError, DataError):
        return False


def _has_target_and_inputs(path: Path) -> bool:
    beginning = first_rows(path)
    if len(beginning.names) < 2 or len(beginning.rows) < _FEWEST_ROWS or beginning.regular < _REGULAR:
        return False
    collector = Collector(beginning.names, path)
    collector.add_rows(beginning.rows)
    columns = collector.columns()
    rules = TypeRules(find_decimal(text for column in columns for text in column.texts))
    understood = [understand(column, rules) for column in columns]
    aim = find_aim(understood, "", "", rules, path)
    return any(column.name not in aim.columns and make_code(column, 1) is not None for column in understood)
