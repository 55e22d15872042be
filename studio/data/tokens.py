"""Texts become token numbers, by a vocabulary that is learned from the texts of the training split.

Number 0 is padding, which fills short texts at the end; number 1 stands for every token that is not in the vocabulary.

Axis letters: N texts, L tokens.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio import storage
from studio.data.base import DataError, Learned
from studio.data.text_rules import BYTE_PAIR, CHARACTERS, KINDS, SMALLEST_BYTE_PAIR, WORDS

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

PADDING, UNKNOWN = 0, 1
CHUNK = 1_000  # texts at a time: what the tokenizer answers takes far more memory than the numbers do
MAX_JSON_CHARACTERS = storage.MAX_JSON_BYTES

SPECIAL = ["[PAD]", "[UNK]"]
# Letters, digits and what stands over them; an apostrophe only within a word. All else is between words.
WORD = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*"
ANY_CHARACTER = r"[\s\S]"


@dataclass(frozen=True)
class TokenRules:
    """How texts are cut into tokens.

    Args:
        kind: one of KINDS. Words are in lower case and without what is between them; each Chinese character is a word.
        vocabulary: the most tokens there may be, padding and unknown among them.
        max_length: tokens of each text; a longer one is cut at its end.
        min_count: how often a token, or a byte pair, must occur to be taken in.
    """

    kind: str = WORDS
    vocabulary: int = 10_000
    max_length: int = 200
    min_count: int = 1


@dataclass(frozen=True)
class Tokenization(Learned):
    """What was learned, ready for any text.

    Args:
        kind: one of KINDS.
        tokenizer: the JSON that the library “tokenizers” writes and reads; length, cutting and padding are in it.
    """

    key: ClassVar[str] = "tokens"

    kind: str
    tokenizer: str

    @property
    def meaning(self) -> str:
        """The vocabulary."""
        return self.tokenizer

    @property
    def size(self) -> int:
        """How many tokens there are, padding and unknown among them."""
        return self._made.get_vocab_size()

    def apply(self, texts: Sequence[str]) -> np.ndarray:
        """The token numbers of texts, (N, L) int64. A text without any token is a single unknown one."""
        import numpy as np

        parts = [np.zeros((0, self._length), np.int64)]
        for start in range(0, len(texts), CHUNK):
            found = self._made.encode_batch_fast([writable(text) for text in texts[start : start + CHUNK]])
            parts.append(np.array([encoding.ids for encoding in found], np.int64))
        numbers = np.concatenate(parts)
        numbers[numbers[:, 0] == PADDING, 0] = UNKNOWN  # a network cannot look at nothing
        return numbers

    def tokens(self, numbers: Sequence[int]) -> list[str]:
        """The tokens behind numbers, without padding."""
        return [self._made.id_to_token(number) or "" for number in numbers if number != PADDING]

    @property
    def _length(self) -> int:
        length = self._made.truncation
        assert length is not None, "it was learned with a length"
        return int(length["max_length"])

    @functools.cached_property
    def _made(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.tokenizer)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind, "tokenizer": self.tokenizer}

    @classmethod
    def from_json(cls, data: object) -> Tokenization:
        """From what `to_json` gave. Raises DataError if it is anything else, or a tokenizer made elsewhere."""
        if not (isinstance(data, Mapping) and set(data) == {"kind", "tokenizer"} and data["kind"] in KINDS):
            raise DataError(f"The tokens of the data cannot be read: their kind must be one of {', '.join(KINDS)}.")
        kind, text = data["kind"], data["tokenizer"]
        if not isinstance(text, str) or len(text) > MAX_JSON_CHARACTERS or not _is_ours(kind, text):
            raise DataError("The vocabulary of the data cannot be read: it was not made by this program.")
        return cls(kind, text)


def learn(rules: TokenRules, texts: Sequence[str]) -> Tokenization:
    """Learn a vocabulary: the most frequent tokens, in order of their number; ties are broken by their text.

    Args:
        texts: those of the training split, and no others.

    Raises:
        DataError: if there is no token in them.
    """
    tokenizer, trainer = _blank(rules.kind), _trainer(rules)
    tokenizer.train_from_iterator(_chunks(texts), trainer)
    if tokenizer.get_vocab_size() <= len(SPECIAL):
        raise DataError(
            f"No token occurs {rules.min_count:,} times in the texts of the training split. Lower the minimal count, "
            "or look whether the right column was taken for the text."
        )
    tokenizer.enable_truncation(rules.max_length)
    tokenizer.enable_padding(pad_id=PADDING, pad_token=SPECIAL[PADDING], length=rules.max_length)
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []  # or “[PAD]” written in a text would become padding
    return Tokenization(rules.kind, json.dumps(description, ensure_ascii=False, separators=(",", ":")))


class _Kept:
    """The last answer of `encode`: the window looks at a sample and trains, which takes the same numbers twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: tuple[TokenRules, Sequence[str], bytes] | None = None
        self._answer: tuple[Tokenization, np.ndarray] | None = None

    def get(self, rules: TokenRules, texts: Sequence[str], rows: np.ndarray) -> tuple[Tokenization, np.ndarray]:
        with self._lock:
            same = self._asked is not None and self._asked[1] is texts
            if self._answer is None or not same or self._asked != (rules, texts, rows.tobytes()):
                learned = learn(rules, [texts[row] for row in rows])
                self._answer = learned, learned.apply(texts)
                self._asked = rules, texts, rows.tobytes()
            return self._answer


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
        DataError: if there is no token in the texts.
    """
    return _kept.get(rules, texts, rows)


def writable(text: str) -> str:
    """The text without half characters, which some files hold and no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), CHUNK):
        yield [writable(text) for text in texts[start : start + CHUNK]]


def _blank(kind: str) -> Tokenizer:
    """A tokenizer that has learned nothing."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    if kind == BYTE_PAIR:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer
    tokenizer = Tokenizer(models.WordLevel(unk_token=SPECIAL[UNKNOWN]))
    if kind == CHARACTERS:
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(ANY_CHARACTER), "isolated")
        return tokenizer
    lower = normalizers.BertNormalizer(strip_accents=False)  # also puts spaces around Chinese characters
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("’", "'"), lower])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    return tokenizer


def _trainer(rules: TokenRules) -> Any:
    from tokenizers import pre_tokenizers, trainers

    common: dict[str, Any] = {
        "vocab_size": rules.vocabulary,
        "min_frequency": rules.min_count,
        "special_tokens": SPECIAL,
        "show_progress": False,
    }
    if rules.kind == BYTE_PAIR:
        assert rules.vocabulary >= SMALLEST_BYTE_PAIR, rules
        return trainers.BpeTrainer(**common, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    return trainers.WordLevelTrainer(**common)


def _is_ours(kind: str, text: str) -> bool:
    """Whether a tokenizer cuts texts as `_blank` does: another one could hold patterns that never come to an end."""
    try:
        given, ours = storage.parse_json(text.encode(), "the vocabulary"), json.loads(_blank(kind).to_str())
        parts = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens")
        alike = all(given[part] == ours[part] for part in parts) and given["model"]["type"] == ours["model"]["type"]
        numbers = sorted(given["model"]["vocab"].values())
        return alike and numbers == list(range(len(numbers))) and len(numbers) > UNKNOWN
    except (storage.BadFileError, UnicodeEncodeError, KeyError, TypeError, AttributeError):
        return False
