"""Texts become token numbers, by a vocabulary that is learned from the texts of the training split.

Number 0 is padding, which fills short texts at the end; number 1 stands for every token that is not in the vocabulary.
Where texts have signs, number 2 stands before their beginning and number 3 behind their end.

Axis letters: N texts, L tokens.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio import storage
from studio.data.base import IGNORED, DataError, Learned
from studio.data.texts import rules as text_rules
from studio.data.texts.rules import (
    BYTE_PAIR,
    FROM_FILE,
    KINDS,
    SMALLEST_BYTE_PAIR,
    SPACED,
    SPACED_LOWER,
    WORDS,
)

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer
    from tokenizers.processors import PostProcessor


PADDING, UNKNOWN, BEGIN, END = 0, 1, 2, 3
CHUNK = 1_000  # texts at a time: what the tokenizer answers takes far more memory than the numbers do
MAX_JSON_CHARACTERS = storage.MAX_JSON_BYTES
MAX_LENGTH = 100_000  # tokens of a text

SPECIAL = ["[PAD]", "[UNK]"]
SIGNS = ["[BEGIN]", "[END]"]
# Letters, digits and what stands over them; an apostrophe only within a word. All else is between words.
WORD = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*"
ANY_CHARACTER = r"[\s\S]"


@dataclass(frozen=True)
class TokenRules:
    """How texts are cut into tokens.

    Args:
        kind: one of KINDS; SPACED or SPACED_LOWER for texts whose tokens have spaces between them; FROM_FILE. Words are
            in lower case and without what is between them; each Chinese character is a word.
        vocabulary: the most tokens there may be, padding and unknown among them.
        max_length: tokens of each text; a longer one is cut at its end.
        min_count: how often a token, or a byte pair, must occur to be taken in.
        signs: whether each text has a sign before its beginning and, where that is to be predicted, behind its end.
        made: the tokenizer of a file, as `tokenizer_files.read` gives it; nothing is learned then.
    """

    kind: str = WORDS
    vocabulary: int = 10_000
    max_length: int = 200
    min_count: int = 1
    signs: bool = False
    made: str = ""

    @property
    def special(self) -> list[str]:
        """The names of the first tokens, which no text can have in it."""
        names = [*SPECIAL, *SIGNS] if self.signs else SPECIAL
        # What is spaced keeps its brackets, but has no spaces.
        return [f"{name} " for name in names] if self.kind in (SPACED, SPACED_LOWER) else names


@dataclass(frozen=True)
class Tokenization(Learned):
    """What was learned, ready for any text.

    Args:
        kind: as in TokenRules.
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

        parts = [np.zeros((0, self.length), np.int64)]
        for start in range(0, len(texts), CHUNK):
            found = self._made.encode_batch_fast([writable(text) for text in texts[start : start + CHUNK]])
            parts.append(np.array([encoding.ids for encoding in found], np.int64))
        numbers = np.concatenate(parts)
        numbers[numbers[:, 0] == PADDING, 0] = UNKNOWN  # a network cannot look at nothing
        return numbers

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has in all, signs left out."""
        whole = self.uncut()
        return [
            len(one.ids) for some in _chunks(texts) for one in whole.encode_batch_fast(some, add_special_tokens=False)
        ]

    def following(self, texts: Sequence[str]) -> np.ndarray:
        """The number that follows each of those that `apply` gives, (N, L) int64.

        The last token of a text is followed by END, if the texts have signs; nothing follows it if they have none. What
        has no follower is IGNORED, but for a text of a single token: it is followed by an unknown one, or there would
        be nothing to predict.
        """
        import numpy as np

        found = self._cut_at(self.length + 1).apply(texts)[:, 1:].copy()
        ended = found == PADDING
        found[ended] = IGNORED
        if self.has_signs:
            found[ended & (np.cumsum(ended, axis=1) == 1)] = END
        found[found[:, 0] == IGNORED, 0] = UNKNOWN
        return found

    def _cut_at(self, length: int) -> Tokenization:
        """The same for texts of another length."""
        description = json.loads(self.tokenizer)
        description["truncation"]["max_length"] = length
        description["padding"]["strategy"] = {"Fixed": length}
        return Tokenization(self.kind, _written(description))

    @functools.cached_property
    def has_signs(self) -> bool:
        """Whether a sign stands before each text."""
        return json.loads(self.tokenizer)["post_processor"] is not None

    def uncut(self) -> Tokenizer:
        """A tokenizer that neither cuts nor fills up."""
        from tokenizers import Tokenizer

        whole = Tokenizer.from_str(self.tokenizer)
        whole.no_padding()
        whole.no_truncation()
        return whole

    def names(self, count: int) -> tuple[str, ...]:
        """A different name for each token, and for further ones up to `count`, which no text has."""
        known = [self._made.id_to_token(number) or "" for number in range(self.size)]
        if self.kind == BYTE_PAIR:
            known = [*known[: UNKNOWN + 1], *_readable(known[UNKNOWN + 1 :])]
        return (*known, *(f"[unused {number}]" for number in range(self.size, count)))

    def tokens(self, numbers: Sequence[int]) -> list[str]:
        """The tokens behind numbers, without padding."""
        return [self._made.id_to_token(number) or "" for number in numbers if number != PADDING]

    @property
    def length(self) -> int:
        """How many token numbers each text gets, L."""
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
        if not (isinstance(data, Mapping) and set(data) == {"kind", "tokenizer"} and data["kind"] in _ALL_KINDS):
            kinds = ", ".join(_ALL_KINDS)
            raise DataError(f"The tokens of the data cannot be read: their kind must be one of {kinds}.")
        kind, text = data["kind"], data["tokenizer"]
        if not isinstance(text, str) or len(text) > MAX_JSON_CHARACTERS or not _is_ours(kind, text):
            raise DataError("The vocabulary of the data cannot be read: it was not made by this program.")
        return cls(kind, text)


_ALL_KINDS = (*KINDS, SPACED, SPACED_LOWER, FROM_FILE)


def learn(rules: TokenRules, texts: Sequence[str]) -> Tokenization:
    """Learn a vocabulary: the most frequent tokens, in order of their number; ties are broken by their text.

    Args:
        texts: those of the training split, and no others; not looked at if the tokenizer is that of a file.

    Raises:
        DataError: if there is no token in them, or there would be more tokens than there may be.
    """
    from tokenizers import Tokenizer

    if rules.kind == FROM_FILE:
        tokenizer = Tokenizer.from_str(rules.made)
    else:
        tokenizer = _blank(rules.kind)
        tokenizer.train_from_iterator(_chunks(texts), _trainer(rules, texts))
    _check_size(rules, tokenizer.get_vocab_size())
    if rules.signs:
        tokenizer.post_processor = _begins(rules.special[BEGIN])
    tokenizer.enable_truncation(rules.max_length)
    tokenizer.enable_padding(pad_id=PADDING, pad_token=rules.special[PADDING], length=rules.max_length)
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []  # or “[PAD]” written in a text would become padding
    return Tokenization(rules.kind, _written(description))


def _check_size(rules: TokenRules, size: int) -> None:
    if size <= len(rules.special):
        raise DataError(
            f"No token occurs {rules.min_count:,} times in the texts of the training split. Lower the minimal count, "
            "or look whether the right column was taken for the text."
        )
    if size > rules.vocabulary:
        why = "the tokenizer in the file has" if rules.kind == FROM_FILE else "the different characters alone make"
        raise DataError(
            f"The vocabulary may have {rules.vocabulary:,} tokens, but {why} {size:,}. Set the vocabulary to at least "
            "that number."
        )


def _written(description: dict[str, Any]) -> str:
    return json.dumps(description, ensure_ascii=False, separators=(",", ":"))


def _readable(pieces: list[str]) -> list[str]:
    """Byte pairs as the text that they stand for, with a sign for a space; half characters as they are, in brackets.

    Their own characters stand for single bytes, as in GPT-2.
    """
    from tokenizers import decoders

    decoder = decoders.ByteLevel()
    texts = [decoder.decode([piece]).replace(" ", "␣") for piece in pieces]
    names = [f"⟨{piece}⟩" if "\ufffd" in text else text for piece, text in zip(pieces, texts, strict=True)]
    return names if len(set(names)) == len(names) else pieces


def writable(text: str) -> str:
    """The text without half characters, which some files hold and no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), CHUNK):
        yield [writable(text) for text in texts[start : start + CHUNK]]


def _blank(kind: str) -> Tokenizer:
    """A tokenizer that has learned nothing."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    unknown = TokenRules(kind).special[UNKNOWN]
    lower = normalizers.BertNormalizer(strip_accents=False)  # also puts spaces around Chinese characters
    match kind:
        case text_rules.BYTE_PAIR:
            tokenizer = Tokenizer(models.BPE())
            tokenizer.normalizer = normalizers.NFC()
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            return tokenizer
        case text_rules.WORD_PIECES:
            tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
            tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), lower])
            tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            return tokenizer
    tokenizer = Tokenizer(models.WordLevel(unk_token=unknown))
    match kind:
        case text_rules.CHARACTERS:
            tokenizer.normalizer = normalizers.NFC()
            tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(ANY_CHARACTER), "isolated")
        case text_rules.WORDS:
            tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("’", "'"), lower])
            tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
        case text_rules.SPACED:
            tokenizer.normalizer = normalizers.NFC()
            tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        case text_rules.SPACED_LOWER:
            tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
            tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        case _:
            raise AssertionError(kind)
    return tokenizer


def _begins(sign: str) -> PostProcessor:
    """Puts the sign before each text."""
    from tokenizers import processors

    return processors.TemplateProcessing(single=[sign, "$A"], special_tokens=[(sign, BEGIN)])


def _trainer(rules: TokenRules, texts: Sequence[str]) -> Any:
    from tokenizers import pre_tokenizers, trainers

    common: dict[str, Any] = {
        "vocab_size": rules.vocabulary,
        "min_frequency": rules.min_count,
        "special_tokens": rules.special,
        "show_progress": False,
    }
    match rules.kind:
        case text_rules.BYTE_PAIR:
            assert rules.vocabulary >= SMALLEST_BYTE_PAIR, rules
            return trainers.BpeTrainer(**common, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
        case text_rules.WORD_PIECES:
            # Else the single characters would have other numbers each time, and so would equally frequent pieces.
            return trainers.WordPieceTrainer(**common | {"special_tokens": [*rules.special, *_letters(rules, texts)]})
    return trainers.WordLevelTrainer(**common)


def _letters(rules: TokenRules, texts: Sequence[str]) -> list[str]:
    """Every character that words begin with or go on with, as a piece of its own, in order."""
    from tokenizers import trainers

    tokenizer = _blank(rules.kind)
    tokenizer.train_from_iterator(_chunks(texts), trainers.WordPieceTrainer(vocab_size=0, show_progress=False))
    return sorted(tokenizer.get_vocab())


def _is_ours(kind: str, text: str) -> bool:
    """Whether a tokenizer cuts texts as `_blank` does: another one could hold patterns that never come to an end."""
    try:
        given = storage.parse_json(text.encode(), "the vocabulary")
        length = given["truncation"]["max_length"]
        if not 0 < length <= MAX_LENGTH or given["padding"]["strategy"] != {"Fixed": length}:
            return False
        if kind == FROM_FILE:
            from studio.data.texts.tokenizer_files import is_as_read

            return is_as_read(given)
        ours = json.loads(_blank(kind).to_str())
        parts = ("normalizer", "pre_tokenizer", "decoder", "added_tokens")
        alike = all(given[part] == ours[part] for part in parts) and _settings(given) == _settings(ours)
        numbers = sorted(given["model"]["vocab"].values())
        whole = numbers == list(range(len(numbers))) and len(numbers) > UNKNOWN
        return alike and whole and _is_our_sign(kind, given["post_processor"])
    except (storage.BadFileError, UnicodeEncodeError, KeyError, TypeError, AttributeError):
        return False


def _settings(description: dict[str, Any]) -> dict[str, Any]:
    """All that its model has beside what was learned."""
    return {key: value for key, value in description["model"].items() if key not in ("vocab", "merges")}


def _is_our_sign(kind: str, given: object) -> bool:
    blank = _blank(kind)
    blank.post_processor = _begins(TokenRules(kind, signs=True).special[BEGIN])
    return given is None or given == json.loads(blank.to_str())["post_processor"]
