"""Runs that nobody meant to end: by a crash, a kill, a power failure, or with the window. They can go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from studio import storage
from studio.fields import FieldError
from studio.project import Project, read_project
from studio.registry import UnknownKindError
from studio.runs.folder import RunFolder, runs_folder
from studio.runs.group import GroupFolder
from studio.settings import TrainingSettings

_WITH_WINDOW = "ended_with_window"
_MOST_RUNS = 50  # the newest ones are looked at: who comes back later than that wants no offer


@dataclass(frozen=True)
class InterruptedRun:
    """A run that can go on.

    Args:
        project: with the settings that it had last.
        epoch: the one that was under way when its last checkpoint was made, from 1.
        step, steps: how many were done then, and how many there are in all.
        saved: when that was, in local time; None if it is not known.
        with_window: whether it was stopped because its window was closed.
        number, runs: of a group of runs, which one was under way, and how many there are in all; otherwise 0.
    """

    path: Path
    project: Project
    epoch: int
    step: int
    steps: int
    saved: datetime | None
    with_window: bool = False
    number: int = 0
    runs: int = 0

    @property
    def words(self) -> str:
        """What happened, in one sentence."""
        when = "" if self.saved is None else f" ({_moment(self.saved)})"
        what = "ended with the window" if self.with_window else "was interrupted"
        where = f"in run {self.number:,} of {self.runs:,}, " if self.runs else ""
        return (
            f"“{self.project.title[:60] or self.path.name}” {what} {where}at epoch {self.epoch:,}, "
            f"step {self.step:,} of {self.steps:,}{when}."
        )


def interrupted_runs(folder: Path | None = None) -> list[InterruptedRun]:
    """Runs that say they are under way though no process trains them, or that ended with a window; the newest first.

    Args:
        folder: where the runs are; None for the studio's own.
    """
    try:
        paths = sorted((folder or runs_folder()).iterdir(), reverse=True)
    except OSError:
        return []
    return [run for path in paths[:_MOST_RUNS] if (run := _group(GroupFolder(path)) or _interrupted(RunFolder(path)))]


def _group(group: GroupFolder) -> InterruptedRun | None:
    """A group of runs, with where the one stands that was under way."""
    record = group.read_record()
    with_window = _ended_with_window(record)
    if not (with_window or record.get("status") == "running") or group.is_under_way:
        return None
    try:
        project = read_project(group.project_path)
    except storage.StorageError:
        return None
    runs = project.training.repeats.number
    number = sum(1 for each in range(1, runs + 1) if group.run(each).exists())
    match RunFolder(group.run(number)).read_position():
        case {"epoch": int() as epoch, "step": int() as step, "steps": int() as steps, "saved": str() as saved}:
            when = _time(saved)
            return InterruptedRun(group.path, project, epoch, step, steps, when, with_window, number, runs)
    return None


def _ended_with_window(record: dict[str, Any]) -> bool:
    return record.get("status") == "stopped" and record.get(_WITH_WINDOW) is True


def _interrupted(folder: RunFolder) -> InterruptedRun | None:
    record = folder.read_record()
    with_window = _ended_with_window(record)
    if not (with_window or record.get("status") == "running") or folder.is_under_way:
        return None
    match folder.read_position():
        case {"epoch": int() as epoch, "step": int() as step, "steps": int() as steps, "saved": str() as saved}:
            project = saved_project(folder)
            if project is not None:
                return InterruptedRun(folder.path, project, epoch, step, steps, _time(saved), with_window)
    return None


def note_closing(path: Path) -> None:
    """Remember that a run was stopped only because its window was closed: it is offered again. Raises StorageError.

    Args:
        path: its folder; if it is one of a group, the whole group is offered again.
    """
    folder = _keeper_of(path.parent if GroupFolder(path.parent).is_one else path)
    record = folder.read_record()
    if record.get("status") == "stopped":
        folder.write_record({**record, _WITH_WINDOW: True})


def _keeper_of(path: Path) -> RunFolder | GroupFolder:
    """Where the record of a run or a group is kept."""
    group = GroupFolder(path)
    return group if group.is_one else RunFolder(path)


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
    folder = _keeper_of(run.path)
    folder.write_record({**folder.read_record(), "status": "interrupted"})


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _moment(when: datetime) -> str:
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%d %b %Y, %H:%M}"
