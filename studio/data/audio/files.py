"""Finds sounds in a folder: in a folder for each class, or in one folder with the class in the names of files."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from studio.data.audio.names import MOST_CLASSES, find_group, find_label, parts_of
from studio.data.base import DataError, MissingDataError
from studio.data.own_files import printable
from studio.data.texts.folders import TEST, TRAIN, VALIDATION

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
MAX_FILES = 500_000
_DEPTH = 3  # folders that may lie in each other above those of the classes


@dataclass(frozen=True, eq=False)
class Sounds:
    """Files of sounds, in the order in which they are loaded.

    Args:
        root: the folder they were found in.
        files: M of them.
        labels: the name of the class of each.
        label_part: which part of their names is the class, from 1; 0 where folders are the classes.
        group_part: which part says what belongs together; 0 if none does.
        others: further parts that might be the class.
        validation_start, test_start: index of the first sound of a set of its own; None if there is none.
        left_out: how many there are beside them, as links that lead elsewhere and names without a class.
    """

    root: Path
    files: tuple[Path, ...]
    labels: tuple[str, ...]
    label_part: int = 0
    group_part: int = 0
    others: tuple[int, ...] = ()
    validation_start: int | None = None
    test_start: int | None = None
    left_out: int = 0

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The classes in order: whole numbers by their value, all else by their text."""
        names = set(self.labels)
        numbers = all(name.isdecimal() for name in names)
        return tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))

    @functools.cached_property
    def groups(self) -> tuple[str, ...]:
        """What each belongs to, such as who speaks; one without that part is alone. Empty if no part says it."""
        if not self.group_part:
            return ()
        split = [parts_of(path.name) for path in self.files]
        at = self.group_part - 1
        return tuple(p[at] if len(p) > at else path.name for p, path in zip(split, self.files, strict=True))

    def title(self, index: int) -> str:
        """Where a file lies in the folder."""
        return self.files[index].relative_to(self.root).as_posix()


def find_sounds(root: Path, label_part: int = 0, group_part: int = 0) -> Sounds:
    """All sounds of a folder.

    Args:
        root: a folder with class folders, with or without train and test above them; or with sounds.
        label_part: which part of the names is the class, from 1; 0 to find it out.
        group_part: which part says what belongs together; 0 to find it out.

    Raises:
        MissingDataError: if there is no such folder, or it has no sounds.
        DataError: if they have no classes, or too many.
    """
    if not root.is_dir():
        raise MissingDataError(f"There is no folder {root}. Choose a folder with sounds.")
    parts = _parts(_lone_folder(root))
    entries = [] if label_part else _in_folders(parts)
    others: tuple[int, ...] = ()
    if len({entry.label for entry in entries}) < 2:
        entries = _in_names(parts)
        label_part, others = _label_part(root, entries, label_part)
        entries = [replace(entry, label=_part(entry.path.name, label_part)) for entry in entries]
    found = _assembled(root, entries, label_part, others)
    if not 2 <= len(found.names) <= MOST_CLASSES:
        which = f"Is part {label_part} of the names the class? Choose another one." if label_part else "Join some."
        raise DataError(
            f"{root} has sounds of {len(found.names):,} classes; from 2 to {MOST_CLASSES:,} can be told apart. {which}"
        )
    names = [path.name for path in found.files]
    return replace(found, group_part=group_part or find_group(names, found.labels))


def some_sounds(root: Path) -> list[Path]:
    """Some sounds of a folder that has sounds with classes; none if it has none. Only so many entries are looked at."""
    part = _parts(_lone_folder(root), most=1_000)[0][0]
    each = [found for folder in _folders(part, most=1_000)[:100] if (found := _sounds(folder, most=20))]
    if len(each) >= 2:
        return [path for found in each for path in found]
    flat = _sounds(part, most=5_000)
    return flat if find_label([path.name for path in flat]) else []


@dataclass(frozen=True)
class _Entry:
    """A file, the name of its class, empty if it has none, and whether it is for train, validation or test."""

    path: Path
    label: str
    split: str


def _parts(place: Path, most: int = MAX_FILES) -> list[tuple[Path, str]]:
    """The folders that hold training, validation and test sounds, as far as there are such; or the folder itself."""
    inside = {folder.name.lower(): folder for folder in reversed(_folders(place, most))}
    train, validation, test = (
        next((inside[name] for name in names if name in inside), None) for names in (TRAIN, VALIDATION, TEST)
    )
    if train is None or (validation is None and test is None):
        return [(train or place, "train")]
    if test is None:  # of the rest a share is kept for validation anyway
        validation, test = None, validation
    found = ((train, "train"), (validation, "validation"), (test, "test"))
    return [(folder, split) for folder, split in found if folder is not None]


def _in_folders(parts: Sequence[tuple[Path, str]]) -> list[_Entry]:
    """Sounds in folders that are called as their class."""
    return [
        _Entry(path, folder.name, split)
        for part, split in parts
        for folder in _folders(part)
        for path in _sounds(folder)
    ]


def _in_names(parts: Sequence[tuple[Path, str]]) -> list[_Entry]:
    """Sounds that lie in the folders themselves."""
    return [_Entry(path, "", split) for part, split in parts for path in _sounds(part)]


def _label_part(root: Path, entries: Sequence[_Entry], chosen: int) -> tuple[int, tuple[int, ...]]:
    """Which part of the names is the class, and which else might be. Raises MissingDataError, DataError."""
    if not entries:
        raise MissingDataError(
            f"{root} holds no sounds ({', '.join(SUFFIXES)}). It must have a folder for each class, with or without "
            "train and test folders above them, or files with their class in their names, such as 7_jackson_3.wav."
        )
    guess = find_label([entry.path.name for entry in entries])
    if not chosen and not guess:
        raise DataError(
            f"The names of the sounds in {root} do not tell classes: no part between underscores comes again and "
            "again. Choose the part that is the label, or make a folder for each class."
        )
    chosen = chosen or guess[0]
    return chosen, tuple(part for part in guess if part != chosen)


def _part(name: str, number: int) -> str:
    parts = parts_of(name)
    return parts[number - 1] if len(parts) >= number else ""


def _assembled(root: Path, entries: Sequence[_Entry], label_part: int, others: tuple[int, ...]) -> Sounds:
    """What has a class and lies in the folder: a link may lead to whatever else is on the machine."""
    inside = Path(os.path.realpath(root))
    folders = {folder: os.path.realpath(folder) for folder in {entry.path.parent for entry in entries}}
    kept = [
        entry
        for entry in entries
        if entry.label
        and Path(folders[entry.path.parent]).is_relative_to(inside)
        and (not entry.path.is_symlink() or Path(os.path.realpath(entry.path)).is_relative_to(inside))
    ]
    splits = [entry.split for entry in kept]
    starts = [splits.index(split) if split in splits else None for split in ("validation", "test")]
    return Sounds(
        root,
        tuple(entry.path for entry in kept),
        tuple(printable(entry.label) for entry in kept),
        label_part,
        others=others,
        validation_start=starts[0] if starts[1] is not None else None,
        test_start=starts[1],
        left_out=len(entries) - len(kept),
    )


def _lone_folder(root: Path) -> Path:
    """The folder itself, or what it holds if that is one folder and no sound."""
    for _ in range(_DEPTH):
        inside = _folders(root, most=1_000)
        if len(inside) != 1 or _sounds(root, most=1_000):
            break
        root = inside[0]
    return root


def _folders(folder: Path, most: int = MAX_FILES) -> list[Path]:
    """In the order of their names."""
    return sorted(Path(entry) for entry in _entries(folder, most) if entry.is_dir())


def _sounds(folder: Path, most: int = MAX_FILES) -> list[Path]:
    """In the order of their names. Raises DataError if there are too many."""
    found = [
        Path(entry) for entry in _entries(folder, most) if entry.name.lower().endswith(SUFFIXES) and entry.is_file()
    ]
    if len(found) >= MAX_FILES:
        raise DataError(f"{folder} holds more than {MAX_FILES:,} files, which are too many to be read.")
    return sorted(found)


def _entries(folder: Path, most: int) -> Iterator[os.DirEntry[str]]:
    """The first `most` that are not hidden; none of a folder that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in islice(entries, most) if not entry.name.startswith("."))
    except OSError:
        return
