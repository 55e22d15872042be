"""The folder of one run.

project.json                the project as it was when the run started; opens in the studio
run.json                    status, device, threads, versions, figures, how often the test samples were looked at on
                            this machine; rewritten as they change
preparation.json            how inputs are scaled or cut into tokens, and the names of the classes
metrics.jsonl               one line per epoch
run.lock                    held by the process that trains, as long as it lives
checkpoints/last.pt         the newest state that was written, also in the middle of an epoch: from it a run goes on
checkpoints/earlier.pt      the one before
checkpoints/position.json   where the run was then
checkpoints/best.pt         after the epoch with the lowest validation loss
hosts/                      commands that start a run of several machines; written before it begins
checkpoints/manifest.json   SHA-256 and size of each checkpoint, written last
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from studio import storage
from studio.locks import FileLock, is_locked
from studio.places import data_folder
from studio.project import Project, project_to_json

_MOST_METRICS_BYTES = 2**30
HOSTS = "hosts"  # may stand in the folder before the run begins


class RunFolderError(Exception):
    """A folder cannot be used as a run's, or holds no run."""


def runs_folder() -> Path:
    """Where runs are kept unless the person says otherwise."""
    return data_folder() / "runs"


def imports_folder() -> Path:
    """Where the window keeps the weights of imported networks."""
    return data_folder() / "imports"


class RunFolder:
    """Paths and records of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path | None, project: Project) -> RunFolder:
        """Make a new run's folder with the project in it.

        Args:
            path: the folder itself, which must be empty or not exist; None for a new one in `runs_folder()`.

        Raises:
            RunFolderError: if there is something in it already.
            StorageError: if it cannot be written.
        """
        if path is None:
            storage.clean_leftovers(runs_folder())
            path = fresh_path(project.title)
        elif path.exists() and (not path.is_dir() or any(part.name != HOSTS for part in path.iterdir())):
            raise RunFolderError(
                f"{path} is not an empty folder. Nothing was written; choose another place for the run."
            )
        storage.make_folder(path / "checkpoints")
        storage.write_json(path / "project.json", project_to_json(project))
        return cls(path)

    @property
    def project_path(self) -> Path:
        """The project as it was when the run started."""
        return self.path / "project.json"

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest validation loss."""
        return self.path / "checkpoints" / "best.pt"

    @property
    def last(self) -> Path:
        """The most recent checkpoint."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def earlier(self) -> Path:
        """The last checkpoint but one."""
        return self.path / "checkpoints" / "earlier.pt"

    def lock(self) -> FileLock:
        """What a process holds while it trains here; not yet taken."""
        return FileLock(self.path / "run.lock")

    @property
    def is_under_way(self) -> bool:
        """Whether a process trains here now."""
        return is_locked(self.path / "run.lock")

    def write_position(self, position: dict[str, Any]) -> None:
        """Write down where the run was when its last checkpoint was made. Raises StorageError."""
        storage.write_json(self.path / "checkpoints" / "position.json", position)

    def read_position(self) -> dict[str, Any]:
        """Where the run was when its last checkpoint was made, which anyone may have changed; nothing if unknown."""
        return _read_object(self.path / "checkpoints" / "position.json")

    def write_record(self, record: dict[str, Any]) -> None:
        """Write run.json. Raises StorageError."""
        storage.write_json(self.path / "run.json", record)

    def read_record(self) -> dict[str, Any]:
        """What run.json says, which anyone may have changed; nothing if there is none that can be read."""
        return _read_object(self.path / "run.json")

    def write_preparation(self, preparation: dict[str, Any]) -> None:
        """Write preparation.json. Raises StorageError."""
        storage.write_json(self.path / "preparation.json", preparation)

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Add an epoch's figures. Raises StorageError."""
        storage.append_line(self.path / "metrics.jsonl", json.dumps(row))

    @property
    def completed_epochs(self) -> int:
        """How many epochs were completed when the last checkpoint was made; 0 if that is not known."""
        epochs = self.read_position().get("completed")
        return epochs if type(epochs) is int else 0

    def cut_metrics(self, epoch: int) -> list[dict[str, Any]]:
        """Drop the figures of all epochs after one, and what a kill left of a line; returns the others.

        Raises:
            StorageError: if they cannot be read or written.
        """
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        content = storage.read_bytes(path, _MOST_METRICS_BYTES)
        rows = [(line, row) for line, row in _rows(content) if row["epoch"] <= epoch]
        kept = b"".join(line + b"\n" for line, _ in rows)
        if kept != content:
            storage.write_bytes(path, kept)
        return [row for _, row in rows]

    def read_metrics(self) -> list[dict[str, Any]]:
        """The figures of each epoch, which anyone may have changed; nothing if there are none that can be read."""
        try:
            content = storage.read_bytes(self.path / "metrics.jsonl", _MOST_METRICS_BYTES)
        except storage.StorageError:
            return []
        return [row for _, row in _rows(content)]

    def checkpoint(self) -> Path:
        """The best checkpoint, or the last if no epoch was completed.

        Raises:
            RunFolderError: if there is none.
        """
        for path in (self.best, self.last, self.earlier):
            if path.is_file():
                return path
        raise RunFolderError(f"{self.path} holds no checkpoint. Is it the folder of a run?")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        data = storage.read_json(path)
    except storage.StorageError:
        return {}
    return data if isinstance(data, dict) else {}


def _rows(content: bytes) -> list[tuple[bytes, dict[str, Any]]]:
    return [(line, row) for line in content.splitlines() if (row := _row(line))]


def _row(line: bytes) -> dict[str, Any] | None:
    """The figures of an epoch; None if the line is not whole."""
    try:
        row = storage.parse_json(line, "metrics.jsonl")
    except storage.StorageError:
        return None
    return row if isinstance(row, dict) and type(row.get("epoch")) is int else None


def fresh_path(title: str) -> Path:
    """A folder that does not exist yet, for a new run or group of runs."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", title[:60]).strip("-").lower() or "run"
    name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{stem}"
    path = runs_folder() / name
    number = 2
    while path.exists():
        path = runs_folder() / f"{name}_{number}"
        number += 1
    return path
