"""Reads texts from a folder that has a folder for each class, or from train and test folders that have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.data.base import DataError
from studio.data.encodings import decode

TRAIN, VALIDATION, TEST = ("train", "training"), ("val", "valid", "validation", "dev"), ("test", "testing")
SUFFIXES = (".txt", ".text", "")
MAX_FILE_BYTES = 2**24
MAX_FILES = 2_000_000


@dataclass(frozen=True)
class ClassFolders:
    """Folders that hold a folder for each class.

    Args:
        train: for training, or all there is.
        validation: a validation set of its own; None if there is none, or no test set either.
        test: a test set of its own; None if there is none.
    """

    train: Path
    validation: Path | None = None
    test: Path | None = None

    @property
    def parts(self) -> tuple[Path, ...]:
        """Those there are, in the order in which they are read."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


@dataclass(frozen=True, eq=False)
class Folder:
    """Texts with the names of their classes; validation and test set begin where it is said, if there are any."""

    texts: list[str]
    labels: list[str]
    validation_start: int | None
    test_start: int | None


def find_classes(folder: Path, depth: int = 3) -> ClassFolders | None:
    """The class folders below a folder; None if there are none.

    Args:
        folder: what holds them, or holds nothing but the folder that does.
        depth: how many such folders may lie in each other; links can make them endless.
    """
    inside = _folders(folder)
    train, validation, test = (_called(inside, names) for names in (TRAIN, VALIDATION, TEST))
    if train is not None:
        # A validation set alone is the test: of the rest, the studio keeps a share for validation itself.
        found = ClassFolders(train, validation, test) if test else ClassFolders(train, test=validation)
        return found if all(len(_classes(part)) >= 2 for part in found.parts) else None
    if len(_classes(folder)) >= 2:
        return ClassFolders(folder)
    return find_classes(inside[0], depth - 1) if len(inside) == 1 and depth else None


def read_folders(where: ClassFolders, encoding: str) -> Folder:
    """All texts, in the order of the names of folders and files.

    Raises:
        DataError: if a file cannot be read, or is no text.
    """
    texts: list[str] = []
    labels: list[str] = []
    starts: dict[Path, int] = {}
    for part in where.parts:
        starts[part] = len(texts)
        for folder in _classes(part):
            for path in _files(folder):
                texts.append(_read(path, encoding))
                labels.append(folder.name)
    validation, test = where.validation, where.test
    return Folder(texts, labels, starts[validation] if validation else None, starts[test] if test else None)


def stamp(where: ClassFolders) -> tuple[object, ...]:
    """What changes when a file is added, taken away or written anew; its files are not read."""
    known = []
    for part in where.parts:
        for folder in _classes(part):
            with os.scandir(folder) as entries:
                sizes = [(entry.name, (found := entry.stat()).st_size, found.st_mtime_ns) for entry in entries]
            known.append((str(folder), hash(frozenset(sizes))))
    return tuple(known)


def _called(folders: list[Path], names: tuple[str, ...]) -> Path | None:
    return next((folder for folder in folders if folder.name.lower() in names), None)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _classes(part: Path) -> list[Path]:
    """The folders that hold at least one text."""
    return [folder for folder in _folders(part) if next(_entries(folder), None) is not None]


def _entries(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            text = not entry.name.startswith(".") and os.path.splitext(entry.name)[1].lower() in SUFFIXES
            if text and entry.is_file():
                yield entry.name


def _files(folder: Path) -> list[Path]:
    names = sorted(_entries(folder))
    if len(names) > MAX_FILES:
        raise DataError(f"{folder} holds {len(names):,} files; more than {MAX_FILES:,} are not read. Use a table.")
    return [folder / name for name in names]


def _read(path: Path, encoding: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise DataError(f"{path} is larger than {MAX_FILE_BYTES / 1e6:.0f} MB, which no single text should be.")
    return decode(content, str(path), encoding)[0]
