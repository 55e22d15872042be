"""Tells which dataset the files are that someone points to."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from studio.data.base import Progress, Source, registry
from studio.data.locations import is_called
from studio.data.unpacked import forget, is_archive, title_of, unpacked


@dataclass(frozen=True)
class Recognized:
    """What files are.

    Args:
        sources: the datasets that they may be; none if they are no data. See `recognize`.
        folder: where those sources find them that do not `needs_place`; it may lie in an archive.
    """

    sources: list[Source]
    folder: Path


def recognize(path: Path) -> list[Source]:
    """The datasets whose files a folder holds, or to whose files a file belongs; at most their beginnings are read.

    Some datasets have files of the same names. Then the name of a folder decides, or else all are returned. What
    belongs to a known dataset is not taken for files of the person's own; of sources for those, the one of the lowest
    rank is meant.

    Raises:
        DataError: if it is an archive that cannot be unpacked.
    """
    return recognize_at(path).sources


def recognize_at(path: Path, progress: Progress = lambda done, total: None) -> Recognized:
    """As `recognize`, with the place. An archive is unpacked into the cache, unless a source reads it as it is.

    Args:
        progress: called with (bytes done, bytes in all) while an archive is unpacked; may raise to cancel.

    Raises:
        DataError: if an archive cannot be unpacked.
    """
    found = _claimed(path, path)
    if found:
        return Recognized(found, path if path.is_dir() else path.parent)
    archive = _only_file(path) or path
    return _inside(archive, progress) if is_archive(archive) else Recognized([], path)


def _inside(archive: Path, progress: Progress) -> Recognized:
    """What is in an archive, or in the only folder that it holds. Archives in it are not unpacked."""
    root = folder = unpacked(archive, progress)
    while not (found := _claimed(folder, archive.with_name(title_of(archive)) / folder.relative_to(root))):
        only = _only_folder(folder)
        if only is None:
            forget(root)
            break
        folder = only
    sources = [source.at(archive / Path(source.place).relative_to(root)) if source.needs_place else source
               for source in found]  # fmt: skip
    return Recognized(sources, archive / folder.relative_to(root))


def _claimed(path: Path, called: Path) -> list[Source]:
    """The datasets of a path; `called` has the names that tell them apart."""
    if (file := _only_file(path)) is not None and (meant := _claimed(file, called)):
        return meant
    found = [source for kind in registry if (source := _claim(kind(), path)) is not None]
    known = [source for source in found if not source.needs_place]
    named = [source for source in known if is_called(called.absolute(), source.folder_names)]
    return named or known or sorted(found, key=lambda source: source.rank)[:1]


def _claim(source: Source, path: Path) -> Source | None:
    try:
        return source.claim(path)
    except OSError:  # a folder that nobody may look into, or a file that went away
        return None


def _only_file(folder: Path) -> Path | None:
    """The one file of a folder that is not about it; None if there is another, or a folder."""
    inside = _few_entries(folder)
    if inside is None or any(entry.is_dir() for entry in inside):
        return None
    return Path(inside[0]) if len(inside) == 1 else None


def _only_folder(folder: Path) -> Path | None:
    """The one folder of a folder that holds nothing else but files about it."""
    inside = _few_entries(folder)
    return Path(inside[0]) if inside is not None and len(inside) == 1 and inside[0].is_dir() else None


def _few_entries(folder: Path) -> list[os.DirEntry[str]] | None:
    """What is in a folder and not about it; None if that is much, or it is none that can be read."""
    try:
        with os.scandir(folder) as entries:
            inside = list(itertools.islice(entries, _MOST_ENTRIES))
    except OSError:  # such as a file
        return None
    if len(inside) == _MOST_ENTRIES:
        return None
    return [entry for entry in inside if entry.is_dir() or not entry.name.lower().startswith(_ABOUT)]


def advice(path: Path) -> str:
    """What to do about something that is not recognized, in a sentence; empty if that is not known."""
    if path.name.lower().endswith(_OTHER_ARCHIVES):
        return "Archives of this kind are not opened: unpack it, and use the folder that comes out of it."
    if is_archive(path):
        return "What is in this archive is no data of a kind that is known here."
    if path.is_dir():
        return (
            "What is in this folder does not look like the samples of one dataset. Use the folder with the samples "
            "themselves: one that holds a folder for each class, or a single table, and little else."
        )
    return ""


_MOST_ENTRIES = 20
_ABOUT = (".", "readme", "license", "licence", "copying", "sha256sums", "md5sums", "thumbs.db", "desktop.ini")
_OTHER_ARCHIVES = (".7z", ".rar", ".zst", ".tzst", ".lz4", ".lzma", ".z", ".cab", ".iso")
