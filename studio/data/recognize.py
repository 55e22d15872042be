"""Tells which dataset the files are that someone points to."""

from __future__ import annotations

from pathlib import Path

from studio.data.base import Source, registry
from studio.data.locations import is_called


def recognize(path: Path) -> list[Source]:
    """The datasets whose files a folder holds, or to whose files a file belongs; at most their beginnings are read.

    Some datasets have files of the same names. Then the name of a folder decides, or else all are returned. What
    belongs to a known dataset is not taken for files of the person's own; of sources for those, the one of the lowest
    rank is meant.
    """
    found = [source for kind in registry if (source := kind().claim(path)) is not None]
    known = [source for source in found if not source.needs_place]
    named = [source for source in known if is_called(path.absolute(), source.folder_names)]
    return named or known or sorted(found, key=lambda source: source.rank)[:1]
