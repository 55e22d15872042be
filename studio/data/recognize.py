"""Tells which dataset the files are that someone points to."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from studio.data.base import Source, registry
from studio.data.locations import is_called


def recognize(path: Path) -> list[Source]:
    """The datasets whose files a folder holds, or to whose files a file belongs; at most their beginnings are read.

    Some datasets have files of the same names. Then the name of a folder decides, or else all are returned. What
    belongs to a known dataset is not taken for files of the person's own; of sources for those, the one of the lowest
    rank is meant.
    """
    if (file := _only_file(path)) is not None and (meant := recognize(file)):
        return meant
    found = [source for kind in registry if (source := kind().claim(path)) is not None]
    known = [source for source in found if not source.needs_place]
    named = [source for source in known if is_called(path.absolute(), source.folder_names)]
    return named or known or sorted(found, key=lambda source: source.rank)[:1]


def _only_file(folder: Path) -> Path | None:
    """The one file of a folder that is not about it; None if there is another, or a folder."""
    try:
        with os.scandir(folder) as entries:
            inside = list(itertools.islice(entries, _MOST_ENTRIES))
        if len(inside) == _MOST_ENTRIES or any(entry.is_dir() for entry in inside):
            return None
    except OSError:  # such as a file
        return None
    files = [entry for entry in inside if not entry.name.lower().startswith(_ABOUT)]
    return Path(files[0]) if len(files) == 1 else None


def advice(path: Path) -> str:
    """What to do about something that is not recognized, in a sentence; empty if that is not known."""
    if path.name.lower().endswith(_ARCHIVES):
        return "It is an archive: unpack it, and use the folder that comes out of it."
    return ""


_MOST_ENTRIES = 20
_ABOUT = (".", "readme", "license", "licence", "copying", "sha256sums", "md5sums", "thumbs.db", "desktop.ini")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".gz", ".bz2", ".xz")
