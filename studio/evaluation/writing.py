"""Text that a network goes on writing, token by token, where it predicts what comes next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from studio.data.forms import CharactersForm, TextForm
from studio.data.texts.rules import CHARACTERS
from studio.data.texts.tokens import END, UNKNOWN
from studio.evaluation.answer import NEXT
from studio.evaluation.answering import Answerer

_PIECES_OF_A_CHARACTER = 4  # bytes of UTF-8, each of which may be a token of its own
_CLOSING = frozenset(".,;:!?)]}'’”%")  # no space before them


def can_write(answerer: Answerer) -> bool:
    """Whether it predicts what comes next in a text."""
    return answerer.kind == NEXT and isinstance(answerer.parts[-1].form, TextForm | CharactersForm)


def go_on(
    answerer: Answerer, given: Sequence[str], count: int, temperature: float = 1.0, seed: int | None = None
) -> Iterator[str]:
    """Write on.

    Args:
        answerer: one that `can_write`.
        given: a text for each of its parts; the last one is gone on with.
        count: tokens at most; fewer where the text comes to its end.
        temperature: 0 for what is most probable each time; below 1 bolder in what is probable, above 1 wilder.
        seed: of the draws; None for others each time.

    Yields:
        what is to be put behind the text, piece by piece.

    Raises:
        InputError: if the text cannot be read.
    """
    form = answerer.parts[-1].form
    speller = _Letters(answerer.names) if isinstance(form, CharactersForm) else _speller(form)
    draws, text = np.random.default_rng(seed), given[-1]
    for _ in range(count):
        readings = [*given[:-1], text]
        answer = answerer.answer(answerer.read(readings if len(readings) > 1 else text))
        token = draw(speller.allowed(answer.values), temperature, draws)
        if token == speller.end:
            return
        piece = speller.spell(token, text)
        text += piece
        yield piece


def draw(chances: np.ndarray, temperature: float, draws: np.random.Generator) -> int:
    """A number by its probability.

    Args:
        chances: (K,), not all 0; they need not sum up to 1.
        temperature: as in `go_on`.
    """
    if temperature <= 0 or not chances.any():
        return int(chances.argmax())
    with np.errstate(divide="ignore"):
        scores = np.log(chances.astype(np.float64)) / temperature
    weights = np.exp(scores - scores.max())
    return int(draws.choice(len(weights), p=weights / weights.sum()))


class _Letters:
    """Characters, each a token."""

    end = -1

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def allowed(self, chances: np.ndarray) -> np.ndarray:
        return chances

    def spell(self, token: int, _before: str) -> str:
        return self._names[token]


class _Pieces:
    """Tokens of a vocabulary that was learned."""

    def __init__(self, form: TextForm) -> None:
        learned = form.learned
        self._single, self._size = learned.kind == CHARACTERS, learned.size
        self._model = json.loads(learned.tokenizer)["model"]["type"]
        whole = learned.uncut()
        self._tokens = [whole.id_to_token(number) or "" for number in range(self._size)]
        self.end = END if learned.has_signs else -1
        self._first = END if learned.has_signs else UNKNOWN + 1  # those before stand for no text
        self._waiting: list[str] = []  # bytes of a character that is not whole yet

    def allowed(self, chances: np.ndarray) -> np.ndarray:
        """Without tokens that stand for no text."""
        found = chances.copy()
        found[: self._first] = 0
        found[self._size :] = 0
        return found

    def spell(self, token: int, before: str) -> str:
        """What is to be put behind the text; nothing while a character is not whole."""
        piece = self._tokens[token]
        if self._single:
            return piece
        if self._model == "BPE":
            return self._bytes(piece)
        if self._model == "WordPiece" and piece.startswith("##"):
            return piece[2:]
        joined = not before or before[-1].isspace() or piece[:1] in _CLOSING
        return piece if joined else f" {piece}"

    def _bytes(self, piece: str) -> str:
        from tokenizers import decoders

        self._waiting.append(piece)
        text: str = decoders.ByteLevel().decode(self._waiting)
        if text.endswith("\ufffd") and len(self._waiting) < _PIECES_OF_A_CHARACTER:
            return ""
        self._waiting = []
        return text


def _speller(form: object) -> _Pieces:
    assert isinstance(form, TextForm), form
    return _Pieces(form)
