"""Cuts texts into the tokens of the training.

Axis letters: L tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

PADDING, UNKNOWN, BEGIN = 0, 1, 2


class Reader:
    """Makes token numbers of a text."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.length, self.followed, self.signs = about["length"], about["followed"], about["signs"]
        self.cutting = Tokenizer.from_file(str(folder / about["tokenizer"]))
        self.whole = Tokenizer.from_file(str(folder / about["tokenizer"]))
        self.whole.no_padding()
        self.whole.no_truncation()

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """Token numbers (L,) int64, and how many are real.

        Args:
            given: a text; a Path or bytes are a file's.
        """
        text = text_of(given)
        if not self.signs and not (text if self.followed else text.strip()):
            raise ValueError("The text is empty.")
        numbers = self._end_of(text) if self.followed else self._beginning_of(text)
        return [numbers], max(1, int(np.count_nonzero(numbers != PADDING)))

    def _beginning_of(self, text: str) -> np.ndarray:
        numbers = np.array(self.cutting.encode(text).ids, np.int64)
        if numbers[0] == PADDING:  # a network cannot look at nothing
            numbers[0] = UNKNOWN
        return numbers

    def _end_of(self, text: str) -> np.ndarray:
        ids = self.whole.encode(text, add_special_tokens=False).ids
        sign = [BEGIN] if self.signs else []
        if sign and len(ids) + 1 > self.length:
            raise ValueError(f"What is known of the answer has {len(ids)} tokens; it may have {self.length - 1}.")
        used = [*sign, *ids[-self.length :]] or [UNKNOWN]
        found = np.full(self.length, PADDING, np.int64)
        found[: len(used)] = used
        return found


def text_of(given: Any) -> str:
    """A text, from itself or from a file in UTF-8."""
    if isinstance(given, Path):
        given = given.read_bytes()
    text = bytes(given).decode("utf-8-sig").replace("\r\n", "\n") if isinstance(given, (bytes, bytearray)) else given
    if not isinstance(text, str):
        raise ValueError(f"A text is wanted, not {type(text).__name__}.")
    return text.encode("utf-8", "replace").decode("utf-8")  # without half characters, which no tokenizer takes
