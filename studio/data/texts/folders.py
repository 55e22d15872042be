"""Reads texts from a folder that has a folder for each class, or from train and test folders that have."""

from __future__ import annotations

import itertools
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
class Files:
    """Files with the names of their classes; validation and test set begin where it is said, if there are any."""

    paths: list[Path]
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


def list_files(where: ClassFolders, root: Path) -> Files:
    """All files with texts, in the order of the names of folders and files; none of them is read.

    Args:
        root: the folder that the person chose; no link may lead out of it.

    Raises:
        DataError: if there are too many, or a link leads elsewhere.
    """
    paths: list[Path] = []
    labels: list[str] = []
    starts: dict[Path, int] = {}
    for part in where.parts:
        starts[part] = len(paths)
        for folder in _classes(part):
            found = _files(folder, root)
            paths += found
            labels += [folder.name] * len(found)
    validation, test = where.validation, where.test
    return Files(paths, labels, starts[validation] if validation else None, starts[test] if test else None)


def first_files(where: ClassFolders, count: int) -> list[Path]:
    """A few texts of each class, at most so many in all, whichever come first on the disk.

    None if the folders hold more of other files: those of a program, say, have some texts among them. Files without an
    ending are settings and programs more often than texts, unless they are numbered.
    """
    folders = _classes(where.train)
    each = max(1, count // len(folders))
    found: list[Path] = []
    others = 0
    for folder in folders[:count]:
        with os.scandir(folder) as entries:
            files = [entry.name for entry in itertools.islice(entries, 4 * each) if entry.is_file()]
        texts = [name for name in files if _is_sure_text(name)]
        others += len(files) - len(texts)
        found += [folder / name for name in texts[:each]]
    return found if len(found) > others else []


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


def _is_text(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES


def _is_sure_text(name: str) -> bool:
    return _is_text(name) and ("." in name or any(map(str.isdigit, name)))


def _entries(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_text(entry.name) and entry.is_file():
                    yield entry.name
    except PermissionError:  # one of a folder that nobody means
        return


def _files(folder: Path, root: Path) -> list[Path]:
    check_inside(folder, root)
    names = sorted(_entries(folder))
    if len(names) > MAX_FILES:
        raise DataError(f"{folder} holds {len(names):,} files; more than {MAX_FILES:,} are not read. Use a table.")
    paths = [folder / name for name in names]
    for path in paths:
        if path.is_symlink():
            check_inside(path, root)
    return paths


def check_inside(path: Path, root: Path) -> None:
    """Raises DataError if a link leads out of the folder that the person chose: who made it may want to see more."""
    if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), "")):
        raise DataError(f"{path} is a link that leads out of {root}. Copy what it leads to, or take it away.")


def read_text(path: Path, encoding: str, most: int = MAX_FILE_BYTES) -> str:
    """The text of one file.

    Raises:
        DataError: if it cannot be read, is no text, or has more than so many bytes.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > most:
        raise DataError(f"{path} is larger than {most / 1e6:.0f} MB, which no single text should be.")
    return decode(content, str(path), encoding)[0]
