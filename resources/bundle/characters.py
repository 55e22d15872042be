"""Numbers of characters.

Axis letters: L characters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class Reader:
    """Makes numbers of the end of a text."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.length = about["length"]
        self.numbers = {character: number for number, character in enumerate(about["characters"])}

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """Numbers (L,) int64, and how many are real.

        Args:
            given: a text; a Path or bytes are a file's.
        """
        if isinstance(given, Path):
            given = given.read_bytes()
        text = bytes(given).decode("utf-8-sig") if isinstance(given, (bytes, bytearray)) else given
        if not isinstance(text, str) or not text:
            raise ValueError("A text is wanted that is not empty.")
        used = text.replace("\r\n", "\n")[-self.length :]
        unknown = sorted({character for character in used if character not in self.numbers})
        if unknown:
            raise ValueError(f"The network does not know these characters: {' '.join(map(repr, unknown[:10]))}")
        found = np.zeros(self.length, np.int64)
        found[: len(used)] = [self.numbers[character] for character in used]
        return [found], len(used)
