"""Numbers texts by what some of them teach, and keeps the last answers.

Axis letters: N texts, L tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.tokens import Tokenization, TokenRules, learn

if TYPE_CHECKING:
    import numpy as np

KEPT_ANSWERS = 2  # as many as a translation has inputs


class _Kept:
    """The last answers of `encode` and `following`: the window looks at a sample and trains, which asks them twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: list[tuple[TokenRules, Sequence[str], bytes, _Answer]] = []

    def get(self, rules: TokenRules, texts: Sequence[str], rows: np.ndarray, *, following: bool) -> _Answer:
        with self._lock:
            answer = self._known(rules, texts, rows.tobytes())
            if answer is None:
                learned = learn(rules, [texts[row] for row in rows])
                answer = _Answer(learned, learned.apply(texts))
                self._answers = [*self._answers[1 - KEPT_ANSWERS :], (rules, texts, rows.tobytes(), answer)]
            if following and answer.following is None:
                answer.following = answer.learned.following(texts)
            return answer

    def _known(self, rules: TokenRules, texts: Sequence[str], rows: bytes) -> _Answer | None:
        for other, other_texts, other_rows, answer in self._answers:
            if other_texts is texts and other == rules and other_rows == rows:
                return answer
        return None


@dataclass(eq=False)
class _Answer:
    learned: Tokenization
    numbers: np.ndarray
    following: np.ndarray | None = None


_kept = _Kept()


def encode(rules: TokenRules, texts: Sequence[str], rows: np.ndarray) -> tuple[Tokenization, np.ndarray]:
    """Learn from some of the texts and number them all. The answer is kept until other texts come; do not write to it.

    Args:
        rules: how texts are cut.
        texts: all of them; to be recognized next time, it must be the same object.
        rows: those to learn from.

    Returns:
        what was learned, and the numbers (N, L) int64.

    Raises:
        DataError: if there is no token in the texts, or there are too many.
    """
    answer = _kept.get(rules, texts, rows, following=False)
    return answer.learned, answer.numbers


def following(rules: TokenRules, texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """What follows each of the numbers that `encode` gives (N, L) int64; IGNORED behind the end of a text."""
    found = _kept.get(rules, texts, rows, following=True).following
    assert found is not None
    return found
