"""Finds out in which encoding a text file is."""

from __future__ import annotations

import codecs
from pathlib import Path

from studio.data.base import DataError
from studio.data.texts.rules import FIND_OUT

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LONGEST_LINE = 2**24  # bytes
_BEGINNING = 4_096  # bytes in which a file that is no text has a zero


def decode(content: bytes, where: str, encoding: str = FIND_OUT) -> tuple[str, str]:
    """The text of a file, and the encoding with which Python reads exactly that.

    Found out are UTF-8 and UTF-16 with a mark at the beginning, UTF-8 without one, and cp1252, which Windows and Excel
    write in the West; where that has no such character, latin-1, in which every byte is one.

    Args:
        content: of the file.
        where: the file's name, for messages.
        encoding: one of ENCODINGS.

    Raises:
        DataError: if it is no text, or not in the encoding that was chosen.
    """
    if encoding == FIND_OUT:
        return _found_out(content, where)
    if encoding == "utf-8" and content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif encoding == "utf-16" and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le"  # as Windows writes it; without a mark Python reads no file as plain UTF-16
    try:
        return content.decode(encoding), encoding
    except UnicodeError as error:
        raise DataError(f"{where} is not in the encoding {encoding}. Choose another one, or “{FIND_OUT}”.") from error


def _found_out(content: bytes, where: str) -> tuple[str, str]:
    marked = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    if not marked and b"\0" in content[:_BEGINNING]:
        raise DataError(f"{where} is no text file: there are zero bytes in it.")
    for encoding in (*marked, "utf-8", "cp1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeError:
            continue
    return content.decode("latin-1"), "latin-1"


def check_lines(path: Path) -> None:
    """Refuse a file with an endless line before all of it is in memory. Raises DataError, also if it cannot be read."""
    try:
        with open(path, "rb") as file:
            number = 1
            while line := file.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise DataError(f"{path}, line {number:,}, is longer than {LONGEST_LINE / 1e6:.0f} MB. Divide it.")
                number += 1
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
