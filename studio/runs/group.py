"""The folder of several runs that are one job.

project.json    the project as it was when they started
group.json      what is repeated, the runs with their figures, and means and deviations; rewritten after each run
run.lock        held by the process that trains them
run-1, run-2…   a folder for each run, as those of single runs
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio import storage
from studio.locks import FileLock, is_locked
from studio.project import Project, project_to_json
from studio.runs.folder import RunFolderError, fresh_path, runs_folder

_LOCK = "run.lock"


class GroupFolder:
    """Paths and the record of a group of runs. Nothing is written before the first run was."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def reserve(cls, path: Path | None, project: Project) -> GroupFolder:
        """Choose a folder.

        Args:
            path: the folder itself, which must be empty or not exist; None for a new one in `runs_folder()`.

        Raises:
            RunFolderError: if there is something in it already.
        """
        if path is None:
            storage.clean_leftovers(runs_folder())
            return cls(fresh_path(project.title))
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunFolderError(
                f"{path} is not an empty folder. Nothing was written; choose another place for the runs."
            )
        return cls(path)

    @property
    def is_one(self) -> bool:
        """Whether a group of runs was begun there."""
        return (self.path / "group.json").is_file()

    @property
    def project_path(self) -> Path:
        """The project as it was when they started."""
        return self.path / "project.json"

    def lock(self) -> FileLock:
        """What a process holds while it trains here; not yet taken."""
        return FileLock(self.path / _LOCK)

    @property
    def is_under_way(self) -> bool:
        """Whether a process trains here now."""
        return is_locked(self.path / _LOCK)

    def run(self, number: int) -> Path:
        """Where a run has its folder, by its number from 1."""
        return self.path / f"run-{number}"

    def write_project(self, project: Project) -> None:
        """Write project.json. Raises StorageError."""
        storage.write_json(self.project_path, project_to_json(project))

    def write_record(self, record: dict[str, Any]) -> None:
        """Write group.json. Raises StorageError."""
        storage.write_json(self.path / "group.json", record)

    def read_record(self) -> dict[str, Any]:
        """What group.json says, which anyone may have changed; nothing if there is none that can be read."""
        try:
            record = storage.read_json(self.path / "group.json")
        except storage.StorageError:
            return {}
        return record if isinstance(record, dict) else {}
