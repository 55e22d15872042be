"""Finds pictures in folders: a folder for each class, with or without train, validation and test folders above."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, MissingDataError
from studio.data.images.rules import SUFFIXES
from studio.data.own_files import printable

if TYPE_CHECKING:
    import numpy as np

TRAIN, VALIDATION, TEST = ("train", "training"), ("val", "valid", "validation", "dev"), ("test", "testing")
MOST_FILES = 2_000_000
MOST_CLASSES = 30_000
DEPTH = 3  # folders in each other below the folder of a class
_CLASSES_PEEKED = 20  # folders of which the files are counted
_PEEKED = 200  # entries of a folder that are looked at to see whether there are pictures in it
_SORTED_AT_ONCE = 10_000  # names: sorting holds up every other thread
IGNORED = ("__MACOSX", "@eaDir")  # folders that other programs make


@dataclass(frozen=True, eq=False)
class Pictures:
    """Picture files, in the order in which they are read: train, then validation, then test.

    Args:
        root: the folder in which they are.
        names: M paths below it, with slashes.
        labels: the class number of each (M,) int64.
        classes: their names, in order.
        validation_start, test_start: as in `Samples`.
        notes: what was found and is not used, in sentences.
        parts: the folders below `root` that hold the class folders, in order; none if there are no such.
    """

    root: Path
    names: list[str]
    labels: np.ndarray
    classes: tuple[str, ...]
    validation_start: int | None = None
    test_start: int | None = None
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name; hidden ones and those that macOS adds are not."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES


def has_class_folders(folder: Path) -> bool:
    """Whether pictures lie in a folder for each class, and hardly anything else does.

    Somebody's whole home has folders with pictures, too. Only a part of the entries is looked at.
    """
    found = _parts(folder)
    folders = _folders(found.train)[:_PEEKED] if found is not None else []
    classes = [place for place in folders if _has_pictures(place, DEPTH - 1)]
    return 2 * len(classes) >= max(len(folders), 1) and all(map(_is_mostly_pictures, classes[:_CLASSES_PEEKED]))


def has_flat_pictures(folder: Path) -> bool:
    """Whether most of what a folder holds are pictures, without a folder for each class."""
    names = [entry for entry in _peek(folder) if not entry.name.startswith(".")]
    pictures = [entry for entry in names if is_picture(entry.name)]
    return len(pictures) >= 2 and 2 * len(pictures) > len(names)


def find_pictures(folder: Path) -> Pictures:
    """All pictures below a folder, with their classes. Only names are read.

    Raises:
        MissingDataError: if there are none.
        DataError: if there are too many.
    """
    root = Path(os.path.realpath(folder))
    found = _parts(root)
    if found is None and has_flat_pictures(root):
        return _one_class(root)
    if found is None:
        raise MissingDataError(
            f"{printable(str(folder), 200)} holds no folders of pictures. It must have a folder for each class, such "
            "as cats and dogs, or train and test folders that have."
        )
    return _collect(root, found)


def some_pictures(folder: Path, most: int = 64) -> list[str]:
    """Paths of a few pictures of `find_pictures`, from many classes; only the beginnings of folders are listed."""
    root = Path(os.path.realpath(folder))
    found = _parts(root)
    folders = [root] if found is None else _class_folders(found.train)
    few = folders[:: max(1, len(folders) // most)]
    each = -(-most // max(1, len(few)))
    return [path for place in few for path in list(_pictures_below(place, DEPTH))[:each]]


def _pictures_below(folder: Path, depth: int) -> Iterator[str]:
    """Pictures among the first entries of a folder, or of the folders in it."""
    entries = list(_peek(folder))
    yield from (entry.path for entry in entries if is_picture(entry.name) and entry.is_file())
    for entry in entries if depth else []:
        if not entry.name.startswith(".") and not is_picture(entry.name) and entry.is_dir():
            yield from _pictures_below(Path(entry.path), depth - 1)


@dataclass(frozen=True)
class _Parts:
    """Folders that hold class folders, in the order of `Pictures`."""

    train: Path
    validation: Path | None = None
    test: Path | None = None
    unused: tuple[Path, ...] = ()


class Finder:
    """Collects names of pictures below a folder, and counts the links that lead out of it, which are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: list[str] = []
        self.links = 0

    def add(self, folder: Path, depth: int = DEPTH) -> None:
        """Add all pictures in a folder and those in it, in the order of their paths. Raises DataError."""
        prefix = f"{folder.relative_to(self.root).as_posix()}/" if folder != self.root else ""
        try:
            self.names += sorted_gently(self._below(str(folder), prefix, depth))
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{printable(str(error.filename or folder), 200)} cannot be read: {reason}.") from error
        if len(self.names) > MOST_FILES:
            raise DataError(f"{printable(str(self.root), 200)} holds more than {MOST_FILES:,} pictures.")

    def _below(self, folder: str, prefix: str, depth: int) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or (entry.is_symlink() and self.leads_out(entry.path)):
                    continue
                if is_picture(entry.name) and entry.is_file():
                    yield prefix + entry.name
                elif depth and entry.name not in IGNORED and entry.is_dir():
                    yield from self._below(entry.path, f"{prefix}{entry.name}/", depth - 1)
                elif entry.is_file():  # a pipe would be waited for
                    self.other(prefix + entry.name)

    def other(self, name: str) -> None:
        """Told of every file that is no picture."""

    def leads_out(self, path: str | Path) -> bool:
        """Whether a link leads to what is not below the folder; it is counted then."""
        out = not Path(os.path.realpath(path)).is_relative_to(self.root)
        self.links += out
        return out


def sorted_gently(names: Iterator[str]) -> list[str]:
    """Sorted names; never so many at once that a window would stand still meanwhile."""
    pieces: list[list[str]] = []
    piece: list[str] = []
    for name in names:
        piece.append(name)
        if len(piece) == _SORTED_AT_ONCE:
            pieces.append(sorted(piece))
            piece = []
    return list(heapq.merge(*pieces, sorted(piece))) if pieces else sorted(piece)


def _collect(root: Path, parts: _Parts) -> Pictures:
    import numpy as np

    used = [part for part in (parts.train, parts.validation, parts.test) if part is not None]
    finder, counts, starts = Finder(root), list[tuple[int, int]](), dict[Path, int]()
    folders = {part: [folder for folder in _class_folders(part) if not finder.leads_out(folder)] for part in used}
    classes = _in_order({folder.name for part in used for folder in folders[part]})
    numbers = {name: number for number, name in enumerate(classes)}
    for part in used:
        starts[part] = len(finder.names)
        for folder in folders[part]:
            before = len(finder.names)
            finder.add(folder)
            counts.append((numbers[folder.name], len(finder.names) - before))
    labels = np.repeat([number for number, _ in counts], [count for _, count in counts]).astype(np.int64)
    return Pictures(
        root, finder.names, labels, classes,
        starts[parts.validation] if parts.validation else None, starts[parts.test] if parts.test else None,
        _notes(finder, parts), tuple(part.relative_to(root).as_posix() for part in used),
    )  # fmt: skip


def _one_class(root: Path) -> Pictures:
    import numpy as np

    finder = Finder(root)
    finder.add(root, 0)
    labels = np.zeros(len(finder.names), np.int64)
    return Pictures(root, finder.names, labels, (root.name or "pictures",), notes=_notes(finder, _Parts(root)))


def _notes(finder: Finder, parts: _Parts) -> tuple[str, ...]:
    unused = [f"“{printable(part.name)}” holds no folders of these classes, and is not used." for part in parts.unused]
    links = f"{finder.links:,} links lead out of the folder, and are not followed." if finder.links else ""
    return (*unused, *([links] if links else []))


def _in_order(names: set[str]) -> tuple[str, ...]:
    """Whole numbers by their value, all else by their text."""
    if len(names) > MOST_CLASSES:
        raise DataError(f"There are {len(names):,} folders; more than {MOST_CLASSES:,} classes are not read.")
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))


def _parts(folder: Path, depth: int = DEPTH) -> _Parts | None:
    """The class folders below a folder, which may be all that another folder holds; None if there are none."""
    inside = _folders(folder)
    train = _called(inside, TRAIN)
    if train is not None:
        return _with_train(train, _called(inside, VALIDATION), _called(inside, TEST))
    if len(_class_folders(folder, most=2)) >= 2:
        return _Parts(folder)
    return _parts(inside[0], depth - 1) if len(inside) == 1 and depth else None


def _with_train(train: Path, validation: Path | None, test: Path | None) -> _Parts | None:
    """Those of the three that hold the same classes.

    A validation set alone is the test: of the rest, the studio keeps a share for validation itself.
    """
    classes = {folder.name for folder in _class_folders(train)}
    if len(classes) < 2:
        return None
    others = [part for part in (validation, test) if part is not None]
    unused = [part for part in others if not classes & {folder.name for folder in _class_folders(part)}]
    validation, test = (None if part in unused else part for part in (validation, test))
    if test is None:
        validation, test = None, validation
    return _Parts(train, validation, test, tuple(unused))


def _called(folders: list[Path], names: tuple[str, ...]) -> Path | None:
    return next((folder for folder in folders if folder.name.lower() in names), None)


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, in order; at most MOST_CLASSES."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name not in IGNORED and not entry.name.startswith(".")
                     and (not is_picture(entry.name)) and entry.is_dir()]  # fmt: skip
    except (OSError, ValueError):
        return []
    return [folder / name for name in sorted(found)[:MOST_CLASSES]]


def _class_folders(part: Path, most: int = MOST_CLASSES) -> list[Path]:
    """The folders in which there are pictures; `most` of them are enough."""
    found = []
    for folder in _folders(part):
        if _has_pictures(folder, DEPTH - 1):
            found.append(folder)
            if len(found) == most:
                break
    return found


def _has_pictures(folder: Path, depth: int) -> bool:
    entries = list(_peek(folder))
    if any(is_picture(entry.name) for entry in entries):
        return True
    below = [entry for entry in entries if not entry.name.startswith(".") and entry.name not in IGNORED]
    return depth > 0 and any(_has_pictures(Path(entry.path), depth - 1) for entry in below[:3] if entry.is_dir())


def _is_mostly_pictures(folder: Path) -> bool:
    """Whether at least half of the files in a folder are pictures; files beside them may say more about each."""
    names = [entry.name for entry in _peek(folder) if not entry.name.startswith(".") and entry.is_file()]
    return 2 * sum(map(is_picture, names)) >= len(names)


def _peek(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count == _PEEKED:
                    return
                yield entry
    except (OSError, ValueError):
        return
