"""The last steps of a time series.

Axis letters: T steps, D numbers of a step.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np


class Reader:
    """Makes an array of the last steps."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.names: list[str] = about["names"]
        self.length: int = about["length"]

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """(T, D) float32.

        Args:
            given: an array or a list of T or more steps; the name of a file of NumPy (.npy), or of a table (.csv) with
                a column for each number, the steps in order.
        """
        if isinstance(given, (str, Path)):
            path = Path(given)
            given = (
                np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
                if path.suffix == ".npy"
                else self._table(path)
            )
        try:
            steps = np.asarray(given, np.float32)[-self.length :]
        except (TypeError, ValueError) as error:
            raise ValueError(f"Numbers are wanted: {error}") from error
        if steps.shape != (self.length, len(self.names)) or not np.isfinite(steps).all():
            wanted = f"{self.length} steps of {len(self.names)} finite numbers"
            raise ValueError(f"{wanted} are wanted ({', '.join(self.names)}), not {steps.shape}.")
        return [steps], 0

    def _table(self, path: Path) -> list[list[float]]:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        missing = [name for name in self.names if not rows or name not in rows[0]]
        if missing:
            raise ValueError(f"These columns are missing: {', '.join(missing)}.")
        return [[float(row[name]) for name in self.names] for row in rows[-self.length :]]
