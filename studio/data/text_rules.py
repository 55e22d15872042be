"""What people can say of texts: how they lie in files, and how they are cut into tokens. Nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass

FIND_OUT = "find out"
ENCODINGS = (FIND_OUT, "utf-8", "utf-16", "cp1252", "latin-1", "gb18030")
SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "vertical bar": "|"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (".csv", ".tsv", ".tab", ".txt", *JSON_SUFFIXES)  # of tables
WORDS, BYTE_PAIR, CHARACTERS = KINDS = ("words", "byte-pair", "characters")
SMALLEST_BYTE_PAIR = 300  # every one of 256 bytes is a token of its own, or some texts could not be written


@dataclass(frozen=True)
class TableRules:
    """What is said of a table; what is empty or FIND_OUT is guessed.

    Args:
        text_column, label_column: the column's name, or its number from 1.
        separator: FIND_OUT or a key of SEPARATORS.
        header: FIND_OUT, "yes" or "no": whether the first row names the columns.
        encoding: one of ENCODINGS.
    """

    text_column: str = ""
    label_column: str = ""
    separator: str = FIND_OUT
    header: str = FIND_OUT
    encoding: str = FIND_OUT


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
