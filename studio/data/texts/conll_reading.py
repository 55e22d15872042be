"""Reads CoNLL files: a word and its tag on each line, with empty lines between sentences.

Found out are what separates the columns, and which of them have the word and the tag: the first and the last, or those
of CoNLL-U. Comments and lines with -DOCSTART- are left out.

Source: Tjong Kim Sang and De Meulder, “Introduction to the CoNLL-2003 shared task”, 2003; Nivre et al., “Universal
Dependencies v2”, 2020.
"""

from __future__ import annotations

import functools
import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import IGNORED, DataError, MissingDataError
from studio.data.encodings import check_lines, decode
from studio.data.listing import Listing, Shown
from studio.data.own_files import printable
from studio.data.texts.folders import TEST, TRAIN, VALIDATION, check_inside
from studio.data.texts.rules import FIND_OUT

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".conll", ".conllu", ".bio", ".iob", ".iob2")
PERHAPS = (".txt", ".tsv", ".tab")  # of files that may be anything else
MAX_BYTES = 2**28
MAX_TAGS = 1_000
LONGEST_SENTENCE = 20_000  # words
SAMPLE_BYTES = 2**16
CLEAR_SHARE = 0.95  # of the lines that have as many columns as most
OUTSIDE = "O"
_TAG = re.compile(r"O|[BIESLU]-.{1,60}", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:[-.]\d+)?")
_UNIVERSAL = 10  # columns of CoNLL-U: number, form, lemma, part of speech, ...

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Rules:
    """What is said of the files.

    Args:
        word, tag: number of the column, from 1; 0 to find it.
        encoding: one of ENCODINGS.
    """

    word: int = 0
    tag: int = 0
    encoding: str = FIND_OUT


@dataclass(frozen=True)
class Columns:
    """Where word and tag are, from 0, in so many columns divided by TAB, or by any spaces (None); if it is CoNLL-U."""

    separator: str | None
    count: int
    word: int
    tag: int
    universal: bool


@dataclass(frozen=True)
class Form:
    """A file by its name, and how it is written."""

    name: str
    encoding: str
    columns: Columns


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences with a tag for each word.

    Args:
        texts: the words of each with a space between two; there is none within a word.
        tags: the numbers of its tags.
        names: of the tags, “O” first.
        validation_start, test_start: as in `Samples`.
        forms: of the files, in the order in which they were read.
    """

    texts: list[str] = field(default_factory=list)
    tags: list[list[int]] = field(default_factory=list)
    names: tuple[str, ...] = ()
    validation_start: int | None = None
    test_start: int | None = None
    forms: tuple[Form, ...] = ()

    @property
    def found(self) -> str:
        """The files and their columns, in words."""
        named = printable(" and ".join(form.name for form in self.forms))
        columns = self.forms[0].columns
        return f"{named}, word in column {columns.word + 1}, tag in column {columns.tag + 1} of {columns.count}"

    def targets(self, length: int) -> np.ndarray:
        """The tags (M, T) int64, IGNORED behind the end of a sentence."""
        import numpy as np

        targets = np.full((len(self.tags), length), IGNORED, np.int64)
        for row, tags in zip(targets, self.tags, strict=True):
            row[: len(tags)] = tags[:length]
        return targets


class SentenceListing(Listing):
    """Sentences one by one, each word with its tag."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences = sentences
        self.count = len(sentences.texts)
        self.test_start, self.validation_start = sentences.test_start, sentences.validation_start

    def show(self, index: int) -> Shown:
        """The words with their tags; what is tagged in words of its own."""
        words, names = self._sentences.texts[index].split(" "), self._sentences.names
        tags = tuple(zip(words, (names[tag] for tag in self._sentences.tags[index]), strict=True))
        marked = ", ".join(f"{word} {tag}" for word, tag in tags if tag != OUTSIDE)
        return Shown(f"{index + 1:,}", marked or "nothing is marked", text=" ".join(words), tags=tags)


def looks_like_conll(path: Path) -> bool:
    """Whether the beginning of a file is words with tags; where its name does not say it, the tags must."""
    suffix = path.suffix.lower()
    if suffix not in (*SUFFIXES, *PERHAPS) or not path.is_file():
        return False
    try:
        with open(path, "rb") as file:
            content = file.read(SAMPLE_BYTES)
        lines = decode(content[: content.rfind(b"\n") + 1 or None], str(path))[0].split("\n")
        columns = _columns(lines, path, Rules())
        tags = [line.split(columns.separator)[columns.tag].strip() for line in lines if _is_whole(line, columns)]
    except (OSError, DataError):
        return False
    between = any(not line.strip() for line in itertools.islice(lines, 1, len(lines) - 1))
    marked = sum(_TAG.fullmatch(tag) is not None for tag in tags) > 0.9 * len(tags) and len(set(tags)) > 1
    return between and bool(tags) and (marked or (suffix in SUFFIXES and 1 < len(set(tags)) <= max(2, len(tags) // 3)))


def find_files(folder: Path) -> tuple[Path | None, Path | None, Path | None]:
    """The files for training, validation and test in a folder; a validation set alone is the test."""
    try:
        inside = sorted(path for path in itertools.islice(folder.iterdir(), 1_000) if not path.name.startswith("."))
    except OSError:
        return None, None, None
    files = [path for path in inside if path.suffix.lower() in SUFFIXES and path.is_file()]
    files = files or [path for path in inside if path.suffix.lower() in PERHAPS and path.is_file()]
    train, validation, test = (_called(files, names) for names in (TRAIN, VALIDATION, TEST))
    if train is None and len(files) == 1:
        train = files[0]
    return (train, None, validation) if test is None else (train, validation, test)


def _called(files: list[Path], names: tuple[str, ...]) -> Path | None:
    """The first file with such a name in its own: eng.train, wnut17train, testa of CoNLL-2003."""
    others = ("testa",) if names is VALIDATION else ("testb",) if names is TEST else ()
    for file in files:
        stem = file.stem.lower()
        parts = re.split(r"[^a-z]+", stem)
        if any(name in parts or stem.endswith(name) or stem.startswith(name) for name in (*names, *others)):
            return file
    return None


def read(path: Path, rules: Rules) -> Sentences:
    """All sentences of a file, or of the files for training, validation and test in a folder.

    Raises:
        MissingDataError: if there are none.
        DataError: if one is broken; the message names the line.
    """
    with _one_at_a_time:
        files = _files(path)
        stamps = tuple((stat.st_size, stat.st_mtime_ns) for stat in (file.stat() for file in files if file is not None))
        return _read(files, rules, stamps)


def _files(path: Path) -> tuple[Path | None, Path | None, Path | None]:
    try:
        files = find_files(path) if path.is_dir() else (path if path.is_file() else None, None, None)
    except (OSError, ValueError):
        files = (None, None, None)
    if files[0] is None:
        raise MissingDataError(
            f"There are no words with tags at {path}. Choose a CoNLL file, or a folder with one whose name has “train” "
            "in it, and perhaps “dev” and “test”."
        )
    for file in files:
        if path.is_dir() and file is not None and file.is_symlink():
            check_inside(file, path)
    return files


@functools.lru_cache(maxsize=1)
def _read(files: tuple[Path | None, ...], rules: Rules, stamps: object) -> Sentences:
    texts: list[str] = []
    tags: list[list[str]] = []
    starts: list[int] = []
    forms: list[Form] = []
    for file in files:
        starts.append(len(texts))
        if file is None:
            continue
        text, encoding = decode(_content(file), str(file), rules.encoding)
        lines = text.split("\n")
        columns = _columns(lines, file, rules)
        forms.append(Form(file.name, encoding, columns))
        for words, marks in _sentences(lines, file, columns):
            texts.append(" ".join(words))
            tags.append(marks)
    names = _names(tags, files[0])
    numbers = {name: number for number, name in enumerate(names)}
    return Sentences(
        texts,
        [[numbers[tag] for tag in marks] for marks in tags],
        names,
        starts[1] if files[1] is not None else None,
        starts[2] if files[2] is not None else None,
        tuple(forms),
    )


def _content(file: Path) -> bytes:
    check_lines(file)
    try:
        with open(file, "rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{file} is larger than {MAX_BYTES / 1e6:.0f} MB, which does not fit into memory. Divide it.")
    return content


def _columns(lines: list[str], path: Path, rules: Rules) -> Columns:
    """What divides the columns, and where word and tag are."""
    some = [line for line in itertools.islice(lines, 5_000) if line.strip() and not _is_mark(line)]
    some = [line for line in some if line.split(None, 1)[0] != "#"] or some  # without comments
    tabs = sum("\t" in line.strip() for line in some)
    separator = "\t" if 2 * tabs > len(some) else None
    counts = Counter(len(line.split(separator)) for line in some)
    count, lines_with = counts.most_common(1)[0] if counts else (0, 0)
    if count < 2 or lines_with < CLEAR_SHARE * sum(number for cells, number in counts.items() if cells > 1):
        raise DataError(
            f"{path} does not look like words with tags: on each line must stand a word and its tag, with a tab or a "
            "space between them."
        )
    rows = [cells for line in some if len(cells := line.split(separator)) == count]
    universal = count == _UNIVERSAL and all(_NUMBER.fullmatch(row[0]) for row in rows)
    word, tag = (1, 3) if universal else (0, count - 1)
    for chosen in (rules.word, rules.tag):
        if chosen > count:
            raise DataError(f"{path} has no column {chosen}: there are {count}.")
    return Columns(
        separator, count, rules.word - 1 if rules.word else word, rules.tag - 1 if rules.tag else tag, universal
    )


def _is_mark(line: str) -> bool:
    """Whether a line begins a document."""
    return line.startswith("-DOCSTART-")


def _is_whole(line: str, columns: Columns) -> bool:
    return bool(line.strip()) and not _is_mark(line) and len(line.split(columns.separator)) == columns.count


def _sentences(lines: list[str], path: Path, columns: Columns) -> Iterator[tuple[list[str], list[str]]]:
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or _is_mark(line):
            if words:
                yield words, tags
            words, tags = [], []
            continue
        cells = line.split(columns.separator)
        if len(cells) != columns.count:
            if line.startswith("#"):
                continue
            raise DataError(
                f"{path}, line {number:,}, has {_columns_of(len(cells))}, but most lines have {columns.count}: “"
                f"{printable(line, 60)}”. Correct it, or put “#” before it."
            )
        if columns.universal and not cells[0].isdecimal():  # a word that is written as one and taken as two
            continue
        words.append("_".join(cells[columns.word].split()) or "_")
        tags.append(cells[columns.tag].strip())
        if len(words) > LONGEST_SENTENCE:
            raise DataError(
                f"{path}, line {number:,}: more than {LONGEST_SENTENCE:,} words without an empty line, which has to "
                "stand between two sentences."
            )
    if words:
        yield words, tags


def _columns_of(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _names(tags: list[list[str]], path: Path | None) -> tuple[str, ...]:
    names = sorted({tag for marks in tags for tag in marks})
    if len(names) < 2:
        raise DataError(f"{path} has no two different tags. Is the right column taken for the tags?")
    if len(names) > MAX_TAGS:
        raise DataError(f"{path} has {len(names):,} different tags. Is the right column taken for the tags?")
    return (*(name for name in names if name == OUTSIDE), *(name for name in names if name != OUTSIDE))
