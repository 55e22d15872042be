"""Numbers of one size, as the network takes them before they are scaled."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np


class Reader:
    """Makes an array of the right size and type."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.size, self.whole, self.tokens = tuple(about["size"]), about["whole"], about["tokens"]

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """(*size), int64 for tokens, else float32 or bytes.

        Args:
            given: an array or lists; the name of a file of NumPy (.npy), or its content as bytes.
        """
        if isinstance(given, (str, Path)):
            given = Path(given).read_bytes()
        if isinstance(given, (bytes, bytearray)):
            given = np.load(io.BytesIO(bytes(given)), allow_pickle=False)
        found = np.asarray(given)
        found = found[0] if found.shape == (1, *self.size) else found
        if found.shape != self.size or found.dtype.kind not in "iufb":
            raise ValueError(f"Numbers of the shape {self.size} are wanted, not {found.shape}.")
        if self.whole:
            if found.dtype.kind == "f" or (found.size and not 0 <= found.min() <= found.max() < self.tokens):
                raise ValueError(f"Whole numbers from 0 to {self.tokens - 1} are wanted: they stand for tokens.")
            return [found.astype(np.int64)], 0
        if not np.isfinite(found).all():
            raise ValueError("There are places that are no number.")
        return [found if found.dtype == np.uint8 else found.astype(np.float32)], 0
