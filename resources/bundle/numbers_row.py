"""Some numbers with names.

Axis letters: D numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tables import check_columns, read_table


class Reader:
    """Makes an array of numbers that are given by their names, or in their order."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.names: list[str] = about["names"]

    def rows(self, path: Path) -> Iterator[dict[str, str]]:
        """The rows of a file."""
        return read_table(path, self.names)

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """(D,) float32.

        Args:
            given: a dict of the names, or a list in their order; or the name of a file, whose first row is taken.
        """
        if isinstance(given, (str, Path)):
            given = next(self.rows(Path(given)), None)
        if isinstance(given, dict):
            check_columns(given, self.names)
            given = [given[name] for name in self.names]
        try:
            found = np.asarray([float(value) for value in given], np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Numbers are wanted for {', '.join(self.names)}: {error}") from error
        if found.shape != (len(self.names),) or not np.isfinite(found).all():
            raise ValueError(f"{len(self.names)} finite numbers are wanted: {', '.join(self.names)}.")
        return [found], 0
