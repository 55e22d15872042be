"""Tells which dataset the files are that someone points to."""

from __future__ import annotations

from pathlib import Path

from studio.data.base import Source, registry
from studio.data.locations import is_called


def recognize(path: Path) -> list[Source]:
    """The datasets whose files a folder holds, or to whose files a file belongs; the files are not read.

    Some datasets have files of the same names. Then the name of a folder decides, or else all are returned.
    """
    folder = path if path.is_dir() else path.parent
    sources = [kind() for kind in registry]
    found = [source for source in sources if _belongs(path, source.finds(folder), folder)]
    named = [source for source in found if is_called(path.absolute(), source.folder_names)]
    return named or found


def _belongs(path: Path, files: tuple[Path, ...], folder: Path) -> bool:
    return bool(files) if path == folder else path in files
