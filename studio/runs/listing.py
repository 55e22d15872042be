"""Which runs there are."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from studio.runs.folder import RunFolder

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2})_(.+)")


@dataclass(frozen=True)
class RunEntry:
    """A run with weights.

    Args:
        path: its folder.
        title: of its project, as far as the folder's name tells it.
        started: when it began; None where the folder's name does not tell.
        checkpoints: which of "best" and "last" it has, in this order.
    """

    path: Path
    title: str
    started: datetime | None
    checkpoints: tuple[str, ...]

    def checkpoint(self, name: str) -> Path:
        """The file of one of `checkpoints`."""
        folder = RunFolder(self.path)
        return folder.best if name == "best" else folder.last


def run_entry(path: Path) -> RunEntry | None:
    """What is known of a folder without reading its files; None if it has no weights."""
    folder = RunFolder(path)
    checkpoints = tuple(name for name, file in (("best", folder.best), ("last", folder.last)) if file.is_file())
    if not checkpoints:
        return None
    return RunEntry(path, *_told(path.name), checkpoints)


def _told(name: str) -> tuple[str, datetime | None]:
    """Title and begin of a run by the name of its folder."""
    found = _NAME.fullmatch(name)
    try:
        return (found[2], datetime.strptime(found[1], "%Y-%m-%d_%H-%M-%S")) if found else (name, None)
    except ValueError:
        return name, None


def list_runs(folder: Path) -> list[RunEntry]:
    """All runs in a folder that have weights, the newest first; none if the folder cannot be read."""
    try:
        with os.scandir(folder) as found:
            names = sorted((entry.name for entry in found), reverse=True)
    except OSError:
        return []
    return [entry for name in names for entry in _entries(folder / name)]


def _entries(path: Path) -> list[RunEntry]:
    """The run in a folder, or those of a group of runs."""
    entry = run_entry(path)
    if entry is not None or not (path / "group.json").is_file():
        return [entry] if entry is not None else []
    title, started = _told(path.name)
    members = [run_entry(member) for member in sorted(path.iterdir())]
    return [replace(m, title=f"{title}, {m.path.name}", started=started) for m in members if m is not None]
