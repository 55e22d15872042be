"""Runs that ended without a word, as by a crash, a kill or a power failure: they can go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from studio import storage
from studio.fields import FieldError
from studio.project import Project, read_project
from studio.registry import UnknownKindError
from studio.runs.folder import RunFolder, runs_folder
from studio.settings import TrainingSettings

_MOST_RUNS = 50  # the newest ones are looked at: who comes back later than that wants no offer


@dataclass(frozen=True)
class InterruptedRun:
    """A run that can go on.

    Args:
        project: with the settings that it had last.
        epoch: the one that was under way when its last checkpoint was made, from 1.
        step, steps: how many were done then, and how many there are in all.
        saved: when that was, in local time; None if it is not known.
    """

    path: Path
    project: Project
    epoch: int
    step: int
    steps: int
    saved: datetime | None

    @property
    def words(self) -> str:
        """What happened, in one sentence."""
        when = "" if self.saved is None else f" ({_moment(self.saved)})"
        return (
            f"“{self.project.title[:60] or self.path.name}” was interrupted at epoch {self.epoch:,}, "
            f"step {self.step:,} of {self.steps:,}{when}."
        )


def interrupted_runs(folder: Path | None = None) -> list[InterruptedRun]:
    """Runs that say they are under way though no process trains them, the newest first.

    Args:
        folder: where the runs are; None for the studio's own.
    """
    try:
        paths = sorted((folder or runs_folder()).iterdir(), reverse=True)
    except OSError:
        return []
    return [run for path in paths[:_MOST_RUNS] if (run := _interrupted(RunFolder(path)))]


def _interrupted(folder: RunFolder) -> InterruptedRun | None:
    if folder.read_record().get("status") != "running" or folder.is_under_way:
        return None
    match folder.read_position():
        case {"epoch": int() as epoch, "step": int() as step, "steps": int() as steps, "saved": str() as saved}:
            project = saved_project(folder)
            return None if project is None else InterruptedRun(folder.path, project, epoch, step, steps, _time(saved))
    return None


def saved_project(folder: RunFolder) -> Project | None:
    """The project of a run with the training settings of its last checkpoint; None if it cannot be read."""
    try:
        project = read_project(folder.project_path)
    except storage.StorageError:
        return None
    try:
        return replace(project, training=TrainingSettings.from_json(folder.read_position().get("settings")))
    except (FieldError, UnknownKindError):  # there is no checkpoint, or somebody changed the file
        return project


def leave(run: InterruptedRun) -> None:
    """Keep a run as it is, and offer it no more. Raises StorageError."""
    folder = RunFolder(run.path)
    folder.write_record({**folder.read_record(), "status": "interrupted"})


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _moment(when: datetime) -> str:
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%d %b %Y, %H:%M}"
