"""Reads texts with a class each, and keeps the last ones: the window looks, shows samples and trains on the same."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, MissingDataError
from studio.data.encodings import check_lines
from studio.data.listing import TEXT_LENGTH, Listing, Shown
from studio.data.texts import imdb
from studio.data.texts.folders import ClassFolders, Files, find_classes, first_files, list_files, read_text, stamp
from studio.data.texts.rules import FIND_OUT
from studio.data.texts.tables import Layout, TableRules, are_words, first_texts, read_table

if TYPE_CHECKING:
    import numpy as np

MAX_CLASSES = 1_000
FIRST_FILES, FIRST_BYTES = 200, 2**17  # of a folder that are looked at when it is dropped, and of each file
MAX_LABEL_LENGTH = 200  # characters
MOST_COUNTED = 10  # classes in a summary

_one_at_a_time = threading.Lock()  # or two threads that want the same texts would both read them


@dataclass(frozen=True, eq=False)
class Labelled:
    """Texts with the name of the class of each.

    Args:
        names: of all classes, in order.
        test_start: index of the first text of a test set of its own; None if there is none.
        validation_start: the same of its own validation set, which goes to `test_start`.
        guesses: what was found out on the way, for people.
        form: how they lie in the person's files; None for those of a known dataset.
    """

    texts: Sequence[str]
    labels: Sequence[str]
    names: tuple[str, ...]
    test_start: int | None = None
    validation_start: int | None = None
    guesses: str = ""
    form: Layout | ClassFolders | None = None

    @property
    def summary(self) -> str:
        """Counts and guesses, in sentences."""
        counts = Counter(self.labels)
        names = ", ".join(f"{name} ({counts[name]:,})" for name in self.names[:MOST_COUNTED])
        more = f" and {len(self.names) - MOST_COUNTED:,} more" if len(self.names) > MOST_COUNTED else ""
        own = 0 if self.test_start is None else len(self.texts) - self.test_start
        test = f", {own:,} of them in a test set of its own" if own else ""
        return f"{len(self.texts):,} texts{test}. Classes: {names}{more}. Found: {self.guesses}."


def read_own(path: Path, rules: TableRules) -> Labelled:
    """Texts of the person's own: a table, or a folder of texts for each class.

    Raises:
        MissingDataError: if there is nothing of the kind.
        DataError: if a file is broken, or the labels are none.
    """
    with _one_at_a_time:
        return _read_own(path, rules, _stamp(path))


def read_imdb(place: Path, classes: tuple[str, ...]) -> Labelled:
    """All reviews of a folder or an archive.

    Args:
        classes: names for `studio.data.texts.imdb.CLASSES`.

    Raises:
        DataError: if a file is broken.
    """
    with _one_at_a_time:
        return _read_imdb(place, classes, _stamp(place))


def _stamp(path: Path) -> object:
    """What changes when the files do. Raises MissingDataError if they are gone."""
    try:
        if path.is_dir():
            found = find_classes(path)
            return stamp(found) if found is not None else None
        known = path.stat()
        if path.is_file():
            return known.st_size, known.st_mtime_ns
    except (OSError, ValueError):
        pass
    raise MissingDataError(f"There are no texts at {path}. Choose a file with a table, or a folder of texts.")


@functools.lru_cache(maxsize=1)
def _read_own(path: Path, rules: TableRules, stamp: object) -> Labelled:
    if not path.is_dir():
        check_lines(path)
        table = read_table(path, rules)
        names = _names(table.labels, path)
        return Labelled(table.texts, table.labels, names, guesses=table.summary, form=table.layout)
    where = _class_folders(path)
    files = list_files(where, path)
    texts = [read_text(file, rules.encoding) for file in files.paths]
    guesses = f"a folder for each class in {' and '.join(part.name for part in where.parts)}"
    names = _names(files.labels, path)
    return Labelled(texts, files.labels, names, files.test_start, files.validation_start, guesses, where)


def beginning(path: Path) -> tuple[list[str], bool]:
    """The first texts of a place, read quickly, and whether these are all; none if there are no texts with classes."""
    if path.is_dir():
        where = find_classes(path)
        if where is None:
            return [], False
        # Of those without a size some never come to an end: they are no files on a disk.
        files = [file for file in first_files(where, FIRST_FILES) if file.stat().st_size]
        texts = []
        for file in files:
            with contextlib.suppress(DataError):  # that one cannot be read is told when all of them are
                texts.append(read_text(file, FIND_OUT, FIRST_BYTES))
        return (texts, False) if 2 * len(texts) > len(files) and are_words(texts) else ([], False)
    return first_texts(path)


def _class_folders(path: Path) -> ClassFolders:
    where = find_classes(path)
    if where is None:
        raise MissingDataError(
            f"{path} holds no folders of .txt files. It must have a folder for each class, such as pos and neg, or "
            "train and test folders that have."
        )
    return where


def listing_of(path: Path, rules: TableRules) -> Listing:
    """The texts one by one; those of folders are not read before they are shown. Raises DataError as `read_own`."""
    if not path.is_dir():
        return _TableListing(read_own(path, rules))
    files = list_files(_class_folders(path), path)
    return _FolderListing(path, files, _names(files.labels, path), rules.encoding)


class _TableListing(Listing):
    def __init__(self, labelled: Labelled) -> None:
        self._labelled = labelled
        self.names, self.labels = labelled.names, class_numbers(labelled.labels, labelled.names)
        self.count = len(labelled.texts)

    def show(self, index: int) -> Shown:
        """The text in a row, and its class."""
        labelled = self._labelled
        return Shown(f"{index + 1:,}", labelled.labels[index], text=labelled.texts[index][:TEXT_LENGTH])


class _FolderListing(Listing):
    def __init__(self, root: Path, files: Files, names: tuple[str, ...], encoding: str) -> None:
        self._root, self._files, self._encoding = root, files, encoding
        self.names, self.labels = names, class_numbers(files.labels, names)
        self.count = len(files.paths)
        self.test_start, self.validation_start = files.test_start, files.validation_start

    def show(self, index: int) -> Shown:
        """The text of a file, and its class."""
        path, answer = self._files.paths[index], self._files.labels[index]
        title = path.relative_to(self._root).as_posix()
        try:
            return Shown(title, answer, text=read_text(path, self._encoding)[:TEXT_LENGTH])
        except DataError as error:
            return Shown(title, answer, problem=str(error))


def class_numbers(labels: Sequence[str], names: tuple[str, ...]) -> np.ndarray:
    """The number of each label (M,) int64."""
    import numpy as np

    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[label] for label in labels], np.int64)


def _names(labels: Sequence[str], path: Path) -> tuple[str, ...]:
    """The classes in order: whole numbers by their value, all else by their text."""
    names = set(labels)
    if len(names) < 2:
        raise DataError(f"{path} has texts of one class only, “{next(iter(names))[:40]}”; there must be two or more.")
    if len(names) > MAX_CLASSES or max(map(len, names)) > MAX_LABEL_LENGTH:
        raise DataError(
            f"{path} has {len(names):,} different labels, the longest of {max(map(len, names)):,} characters. Is that "
            "the column with the classes? Name the right one."
        )
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))


@functools.lru_cache(maxsize=1)
def _read_imdb(place: Path, classes: tuple[str, ...], stamp: object) -> Labelled:
    reviews = imdb.read_archive(place) if place.is_file() else imdb.read_folder(place)
    names = dict(zip(imdb.CLASSES, classes, strict=True))
    texts = [text for part in imdb.PARTS for text in reviews[part]]
    labels = [names[part[1]] for part in imdb.PARTS for _ in reviews[part]]
    test_start = sum(len(reviews[part]) for part in imdb.PARTS if part[0] == "train")
    return Labelled(texts, labels, classes, test_start)
