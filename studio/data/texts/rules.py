"""What people can choose for texts. No class here, and nothing is read: the window imports this before it shows."""

from __future__ import annotations

FIND_OUT = "find out"
ENCODINGS = (FIND_OUT, "utf-8", "utf-16", "cp1252", "latin-1", "gb18030")
SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "vertical bar": "|"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (".csv", ".tsv", ".tab", ".txt", *JSON_SUFFIXES)  # of tables
# Tokens that are learned from texts, and those for which a person may choose.
WORDS, BYTE_PAIR, WORD_PIECES, CHARACTERS = KINDS = ("words", "byte-pair", "word pieces", "characters")
FROM_FILE = "from a file"
CHOICES = (*KINDS, FROM_FILE)
SPACED, SPACED_LOWER = "spaced", "spaced lower case"  # what stands between spaces, each of it one token
SMALLEST_BYTE_PAIR = 300  # every one of 256 bytes is a token of its own, or some texts could not be written
