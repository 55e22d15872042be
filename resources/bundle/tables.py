"""Reads tables from text files: cells with commas, semicolons, tabs or bars between them, names in the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

SIGNS = ",;\t|"


def read_table(path: Path, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows of a file, the texts of their cells by the names of columns.

    Args:
        wanted: columns that it must have; what divides the cells is the sign with which most of them are found.

    Raises:
        ValueError: if a column is missing.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        sign = max(
            SIGNS,
            key=lambda sign: len(
                set(wanted) & {name.strip() for name in next(csv.reader([first], delimiter=sign), [])}
            ),
        )
        file.seek(0)
        for row in csv.DictReader(file, delimiter=sign):
            cells = {(name or "").strip(): value for name, value in row.items() if name is not None}
            check_columns(cells, wanted)
            yield cells


def check_columns(row: dict[str, object], wanted: Sequence[str]) -> None:
    """Raises ValueError if a row lacks a column."""
    missing = [name for name in wanted if name not in row]
    if missing:
        raise ValueError(f"These columns are missing: {', '.join(missing)}.")
