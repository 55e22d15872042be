"""Reads a tokenizer that others made: a tokenizer.json, as Hugging Face's library “tokenizers” writes it.

Such a file is a small program that cuts texts. Only parts are let in that are known to come to an end soon, whatever
the text: no regular expressions but a few well-known ones, nothing that draws at random, nothing that lets texts grow.

Its tokens get new numbers, so that 0 is padding and 1 is unknown as everywhere here. The signs that it would put around
texts, such as [CLS], are left out: they mean something only to a network that was trained with them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio import storage
from studio.data.base import DataError

MAX_BYTES = storage.MAX_JSON_BYTES // 2  # it becomes a part of other JSON files, in which quotes take more room
MAX_TOKENS = 300_000
MAX_LENGTH = 1_000  # characters of a token
MAX_PARTS = 20
MAX_WORD = 1_000  # characters that are tried as one word: the time goes with their square
# No text has this character: what is written in one is never padding.
PADDING_NAME, UNKNOWN_NAME = "\ufdd0[PAD]", "\ufdd0[UNK]"

# Of GPT-2, of Llama 3 and of Qwen 2; a word, a number, a gap and a digit.
_PATTERNS = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
    r"\w+",
    r"\d+",
    r"\s+",
    r"\d",
)


class _RefusedError(Exception):
    """What is not let in, in words."""


def read(path: Path) -> str:
    """The tokenizer of a file as JSON that `tokens.learn` takes.

    Raises:
        DataError: if the file cannot be read, is none, or has a part that is not let in; the message names it.
    """
    try:
        description = storage.parse_json(storage.read_bytes(path, MAX_BYTES), str(path))
    except storage.StorageError as error:
        raise DataError(f"{error} A tokenizer of at most {MAX_BYTES / 1e6:.0f} MB is read.") from error
    try:
        made = json.dumps(_adapted(description), ensure_ascii=False, separators=(",", ":"))
        _try(made)
    except _RefusedError as error:
        raise DataError(
            f"{path} is no tokenizer that can be used here: {error}. Choose a tokenizer.json with plain parts, or "
            "learn the tokens from your texts."
        ) from error
    return made


def _try(made: str) -> None:
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_str(made).encode("One text, to try it.")
    except Exception as error:  # the library has no class of its own for this
        raise _RefusedError(f"its parts do not fit together ({str(error)[:200]})") from error


def is_as_read(given: object) -> bool:
    """Whether a tokenizer from a checkpoint could have come from `read`, but for its length."""
    try:
        adapted = _adapted(given)
    except _RefusedError:
        return False
    assert isinstance(given, Mapping), "or it would have been refused"
    return all(given.get(key) == value for key, value in adapted.items() if key not in ("truncation", "padding"))


def _adapted(description: object) -> dict[str, Any]:
    if not isinstance(description, Mapping) or not isinstance(description.get("model"), Mapping):
        raise _RefusedError("it has no “model”")
    count = [0]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": _part(description.get("normalizer"), _NORMALIZERS, "normalizers", count),
        "pre_tokenizer": _part(description.get("pre_tokenizer"), _PRE_TOKENIZERS, "pretokenizers", count),
        "post_processor": None,
        "decoder": None,
        "model": _model(description["model"]),
    }


Check = Callable[[object], bool]
Known = Mapping[str, Mapping[str, Check]]


def _flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 20


def _character(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1


def _pattern(value: object) -> bool:
    """A text to look for, or one of the known regular expressions."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    return value.get("Regex") in _PATTERNS or (bool(value.get("String")) and _short(value["String"]))


_NORMALIZERS: Known = {
    **{kind: {} for kind in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")},
    "Strip": {"strip_left": _flag, "strip_right": _flag},
    "Prepend": {"prepend": _character},
    "Replace": {"pattern": _pattern, "content": _short},
    "BertNormalizer": dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), _flag),
}
_PRE_TOKENIZERS: Known = {
    **{kind: {} for kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts")},
    "ByteLevel": dict.fromkeys(("add_prefix_space", "trim_offsets", "use_regex"), _flag),
    "Metaspace": {
        "replacement": _character, "str_rep": _character, "add_prefix_space": _flag, "prepend_scheme": _short,
        "split": _flag,
    },
    "Digits": {"individual_digits": _flag},
    "Punctuation": {"behavior": _short},
    "CharDelimiterSplit": {"delimiter": _character},
    "Split": {"pattern": _pattern, "behavior": _short, "invert": _flag},
}  # fmt: skip


def _part(given: object, known: Known, several: str, count: list[int]) -> dict[str, Any] | None:
    """A normalizer or pre-tokenizer, or a sequence of them; a copy with nothing in it that is not known."""
    if given is None:
        return None
    count[0] += 1
    if not isinstance(given, dict) or count[0] > MAX_PARTS:
        raise _RefusedError(f"it has more than {MAX_PARTS} parts, or one that is none")
    kind = given.get("type")
    if kind == "Sequence" and isinstance(given.get(several), list):
        return {"type": "Sequence", several: [_part(one, known, several, count) for one in given[several]]}
    if not isinstance(kind, str) or kind not in known:
        raise _RefusedError(f"its part “{str(kind)[:40]}” is not among those that are let in")
    for name, value in given.items():
        if name != "type" and not (name in known[kind] and known[kind][name](value)):
            what = value.get("Regex", value) if isinstance(value, Mapping) else value
            raise _RefusedError(f"“{str(name)[:40]}” of its part {kind} is {str(what)[:80]!r}, which is not let in")
    if kind == "Replace" and len(given.get("content", "")) > len(given.get("pattern", {}).get("String", "")):
        raise _RefusedError("its part Replace makes texts longer")
    return given


def _model(given: Mapping[str, Any]) -> dict[str, Any]:
    match given.get("type") or _older_type(given):
        case "BPE":
            return _byte_pairs(given)
        case "WordPiece" | "WordLevel" as kind:
            return _words(given, kind)
        case "Unigram":
            return _unigram(given)
        case other:
            raise _RefusedError(f"its model is “{str(other)[:40]}”, not BPE, WordPiece, WordLevel or Unigram")


def _older_type(given: Mapping[str, Any]) -> str:
    """Of files that do not say it."""
    if "merges" in given:
        return "BPE"
    return "WordPiece" if "max_input_chars_per_word" in given else "WordLevel"


def _numbered(vocabulary: object, unknown: object) -> dict[str, int]:
    """The tokens in their order, with new numbers: padding is 0, the unknown one 1."""
    if not isinstance(vocabulary, Mapping) or len(vocabulary) > MAX_TOKENS:
        raise _RefusedError(f"its vocabulary is no list of at most {MAX_TOKENS:,} tokens")
    for token, number in vocabulary.items():
        if not (_is_token(token) and isinstance(number, int) and not isinstance(number, bool)):
            raise _RefusedError(f"“{str(token)[:40]}” in its vocabulary is no token with a number")
    if len(set(vocabulary.values())) != len(vocabulary):
        raise _RefusedError("two of its tokens have the same number")
    if unknown == PADDING_NAME:
        raise _RefusedError("its unknown token has a name that is kept for padding")
    first = [PADDING_NAME, unknown if isinstance(unknown, str) else UNKNOWN_NAME]
    others = sorted((token for token in vocabulary if token not in first), key=lambda token: vocabulary[token])
    return {token: number for number, token in enumerate([*first, *others])}


def _is_token(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_LENGTH


def _text_or_none(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not (isinstance(value, str) and _short(value)):
        raise _RefusedError(f"“{name}” of its model is {str(value)[:40]!r}")
    return value


def _byte_pairs(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("dropout"):
        raise _RefusedError("its model leaves out pairs at random (“dropout”), so that no text is ever cut as before")
    unknown = _text_or_none(given, "unk_token")
    numbers = _numbered(given.get("vocab"), unknown)
    prefix = _text_or_none(given, "continuing_subword_prefix")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unknown,
        "continuing_subword_prefix": prefix,
        "end_of_word_suffix": _text_or_none(given, "end_of_word_suffix"),
        **{name: bool(given.get(name)) for name in ("fuse_unk", "byte_fallback", "ignore_merges")},
        "vocab": numbers,
        "merges": _merges(given.get("merges"), numbers, prefix or ""),
    }


def _merges(given: object, numbers: dict[str, int], prefix: str) -> list[list[str]]:
    """Pairs of tokens that make another one; in older files a pair is a text with a space in it."""
    if not isinstance(given, list) or len(given) > 2 * MAX_TOKENS:
        raise _RefusedError("its “merges” are no list")
    pairs = [one.split(" ") if isinstance(one, str) else one for one in given]
    for pair in pairs:
        whole = isinstance(pair, list) and len(pair) == 2 and all(_is_token(one) for one in pair)
        if not whole or not {pair[0], pair[1], pair[0] + pair[1].removeprefix(prefix)} <= numbers.keys():
            raise _RefusedError(f"{str(pair)[:60]} in its “merges” is no pair of its tokens")
    return pairs


def _words(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    unknown = _text_or_none(given, "unk_token") or "[UNK]"
    made = {"type": kind, "unk_token": unknown, "vocab": _numbered(given.get("vocab"), unknown)}
    if kind == "WordLevel":
        return made
    longest = given.get("max_input_chars_per_word", 100)
    if not isinstance(longest, int) or not 1 <= longest <= MAX_WORD:
        raise _RefusedError(f"it takes words of up to {str(longest)[:20]} characters, more than {MAX_WORD:,}")
    prefix = _text_or_none(given, "continuing_subword_prefix")
    return made | {"max_input_chars_per_word": longest, "continuing_subword_prefix": "##" if prefix is None else prefix}


def _unigram(given: Mapping[str, Any]) -> dict[str, Any]:
    pieces, unknown = given.get("vocab"), given.get("unk_id")
    if not isinstance(pieces, list) or len(pieces) > MAX_TOKENS:
        raise _RefusedError(f"its vocabulary is no list of at most {MAX_TOKENS:,} pieces")
    for piece in pieces:
        pair = isinstance(piece, list) and len(piece) == 2 and _is_token(piece[0])
        if not pair or not isinstance(piece[1], int | float) or not math.isfinite(piece[1]):
            raise _RefusedError(f"{str(piece)[:60]} in its vocabulary is no piece with a score")
    if not isinstance(unknown, int) or not 0 <= unknown < len(pieces):
        raise _RefusedError("its model does not say which piece is the unknown one")
    others = [piece for number, piece in enumerate(pieces) if number != unknown and piece[0] != PADDING_NAME]
    return {
        "type": "Unigram",
        "unk_id": 1,
        "vocab": [[PADDING_NAME, -1000.0], pieces[unknown], *others],
        "byte_fallback": bool(given.get("byte_fallback")),
    }
