"""Reads running text from a file or a folder, and cuts it into windows for a language model."""

from __future__ import annotations

import functools
import os
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, MissingDataError
from studio.data.encodings import decode
from studio.data.listing import TEXT_LENGTH, Listing, Shown
from studio.data.own_files import printable
from studio.data.texts.folders import check_inside, read_text
from studio.data.texts.rules import CHARACTERS, FIND_OUT

if TYPE_CHECKING:
    from studio.data.texts.tokens import TokenRules

OF_FILES = (".txt", ".text", ".md", ".rst")
CLAIMED = (*OF_FILES, ".tex")  # of a folder that is dropped
OF_FOLDERS = (*CLAIMED, ".py")
WITHOUT_TEXT = ("license", "readme", "copying", "notice", "makefile")  # files beside them that have no ending
MAX_BYTES = 2**27  # in all
MOST_FILES = 20_000
MOST_ENTRIES = 2_000  # of a folder that are looked at when it is dropped
SAMPLE_BYTES = 2**17
FEWEST_CHARACTERS = 200  # of a text to learn from
LETTERS_SHARE = 0.5  # of what is no space
TEXTS_SHARE = 0.9  # of the files of a folder
FEWEST_PIECES = 3  # one for each split
FILLED = 0.9  # of a window, so that few are cut

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, eq=False)
class Running:
    """Running text.

    Args:
        text: of all files, in the order of their names; composed characters (NFC), lines that end with a line feed.
        found: the files, in words.
    """

    text: str
    found: str


class WindowListing(Listing):
    """Windows of a text one by one."""

    def __init__(self, windows: Sequence[str]) -> None:
        self._windows = windows
        self.count = len(windows)

    def show(self, index: int) -> Shown:
        """A window; what is to be predicted is itself, one token later."""
        return Shown(f"window {index + 1:,}", text=self._windows[index][:TEXT_LENGTH])


def looks_like_text(path: Path) -> bool:
    """Whether a file is running text, or a folder holds little else; only beginnings are read.

    Programs are read if somebody chooses them, but a folder of them is not taken for data by itself.
    """
    if not path.is_dir():
        return path.suffix.lower() in OF_FILES and path.is_file() and _is_prose(path)
    files = list(_walk(path, MOST_ENTRIES))
    texts = [file for file in files if file.suffix.lower() in CLAIMED]
    others = [file for file in files if file.suffix or file.name.lower() not in WITHOUT_TEXT]
    if not texts or len(texts) < TEXTS_SHARE * len(others):
        return False
    return any(map(_is_prose, texts[:5]))


def _is_prose(path: Path) -> bool:
    text = beginning(path)
    signs = "".join(text.split())
    return len(text) >= FEWEST_CHARACTERS and sum(map(str.isalpha, signs)) >= LETTERS_SHARE * len(signs)


def beginning(path: Path) -> str:
    """The first characters of a file; none if it is no text."""
    try:
        with open(path, "rb") as file:
            content = file.read(SAMPLE_BYTES)
        whole = len(content) < SAMPLE_BYTES
        return _plain(decode(content if whole else content[: content.rfind(b"\n") + 1 or None], str(path))[0])
    except (OSError, DataError):
        return ""


def _walk(folder: Path, most: int) -> Iterator[Path]:
    """The files in a folder and those below, in the order of their names; hidden ones and linked folders left out.

    Args:
        most: folders and files; what comes behind is not looked at.
    """
    seen = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names)[: most - seen]:
            if not name.startswith("."):
                yield Path(place, name)
        seen += len(names) + 1
        if seen >= most:
            return


def first_file(path: Path) -> Path:
    """A file, or the first of a folder that is read."""
    return (
        next(file for file in _walk(path, MOST_ENTRIES) if file.suffix.lower() in OF_FOLDERS) if path.is_dir() else path
    )


def read(path: Path, encoding: str = FIND_OUT) -> Running:
    """All text at a place.

    Raises:
        MissingDataError: if there is none.
        DataError: if a file is no text, or there is too much.
    """
    with _one_at_a_time:
        try:
            files = [path] if path.is_file() else _text_files(path) if path.is_dir() else []
        except (OSError, ValueError):
            files = []
        if not files:
            raise MissingDataError(f"There is no text at {path}. Choose a text file, or a folder of .txt, .md or .py.")
        stamps = tuple((stat.st_size, stat.st_mtime_ns) for stat in map(Path.stat, files))
        size = sum(size for size, _ in stamps)
        if size > MAX_BYTES:
            raise DataError(f"{path} has {size / 1e6:.0f} MB of text; more than {MAX_BYTES / 1e6:.0f} MB are not read.")
        return _read(tuple(files), encoding, stamps)


def _text_files(folder: Path) -> list[Path]:
    everything = list(_walk(folder, MOST_FILES + 1))
    files = [file for file in everything if file.suffix.lower() in OF_FOLDERS]
    if len(everything) > MOST_FILES:
        raise DataError(f"{folder} holds more than {MOST_FILES:,} files, which are not read. Join them.")
    for file in files:
        if file.is_symlink():
            check_inside(file, folder)
    return files


@functools.lru_cache(maxsize=1)
def _read(files: tuple[Path, ...], encoding: str, stamps: object) -> Running:
    text = "\n".join(_plain(read_text(file, encoding, MAX_BYTES)) for file in files)
    named = printable(files[0].name) if len(files) == 1 else f"{len(files):,} files, the first of them {files[0].name}"
    return Running(text, named)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


@functools.lru_cache(maxsize=2)
def windows(running: Running, rules: TokenRules) -> tuple[str, ...]:
    """The text in pieces of equal length; none of its characters stands in two of them.

    Of characters each has one more than the network sees, since the last one is only predicted. Byte pairs are learned
    from the training windows, so that it is not known before how many a window will have: they are so long that most
    have a few tokens less than `rules.max_length`.

    Raises:
        DataError: if there are fewer than three.
    """
    size = rules.max_length + 1
    if rules.kind != CHARACTERS:
        size = max(2, int(FILLED * size * _characters_per_token(running.text[:SAMPLE_BYTES], rules)))
    return cut(running.text, size, running.found)


def cut(text: str, size: int, where: str) -> tuple[str, ...]:
    """Pieces of so many characters, one behind the other; what is left at the end is no piece.

    Args:
        where: the text is from, for messages.

    Raises:
        DataError: if there are fewer than FEWEST_PIECES.
    """
    count = len(text) // size
    if count < FEWEST_PIECES:
        raise DataError(
            f"{where} has {len(text):,} characters, which are too few for windows of {size:,}. Use shorter windows, or "
            "more text."
        )
    return tuple(text[place * size : (place + 1) * size] for place in range(count))


def _characters_per_token(text: str, rules: TokenRules) -> float:
    """By byte pairs that are learned from the beginning of the text, which no split takes from the training."""
    from studio.data.texts.tokens import learn

    pieces = [text[place : place + 1_000] for place in range(0, len(text), 1_000)]
    return len(text) / max(sum(learn(rules, pieces).lengths(pieces)), 1)
