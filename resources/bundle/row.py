"""Rows of a table, as those of the training were read; what is known of their columns stands in columns.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import columns
import numpy as np
from tables import check_columns, read_table


class Reader:
    """Makes numbers, or tokens, of the cells of a row."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.columns: list[dict[str, Any]] = about["columns"]
        self.names = [column["name"] for column in self.columns]

    def rows(self, path: Path) -> Iterator[dict[str, str]]:
        """The rows of a file."""
        return read_table(path, self.names)

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """What the network is given of a row.

        Args:
            given: a dict with the texts or numbers of all columns, None or "" where there is no value; or the name of a
                file, whose first row is taken.
        """
        if isinstance(given, (str, Path)):
            given = next(self.rows(Path(given)), None)
        if not isinstance(given, dict):
            raise ValueError("A row is wanted: a dict with the names of columns, or the name of a file with rows.")
        check_columns(given, self.names)
        row = {column["name"]: self._cell(column, given[column["name"]]) for column in self.columns}
        return [prepare([row])[0].numpy() for prepare in columns.PREPARE], 0

    def _cell(self, column: dict[str, Any], value: Any) -> str:
        text = "" if value is None else str(value).strip()
        if column["kind"] == "number" and isinstance(value, float):
            text = repr(value).replace(".", column["decimal"])
        if text and text.lower() not in column["missing"] and not self._is_known(column, text):
            raise ValueError(f"“{column['name']}” cannot be “{text[:80]}”: {column['wanted']} is wanted.")
        return text

    def _is_known(self, column: dict[str, Any], text: str) -> bool:
        """Whether a row of the training could have had it; other categories count as “other”."""
        kind = column["kind"]
        if kind == "number":
            return columns.as_number(text) is not None
        if kind == "time":
            return columns.as_date(text, column["style"]) is not None
        if kind == "ordered":
            return text.lower() in [choice.lower() for choice in column["choices"]]
        return kind != "switch" or text in column["choices"]
