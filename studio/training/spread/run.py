"""A run in one of several processes that torchrun started."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from studio import storage
from studio.data.base import DataError
from studio.runs import RunFolder, RunFolderError
from studio.runs.folder import HOSTS
from studio.storage import StorageError
from studio.training.control import Control
from studio.training.devices import resolve_device
from studio.training.errors import CheckpointError, TrainingError
from studio.training.events import Event, Finished
from studio.training.job import Job
from studio.training.runner import run as run_here
from studio.training.spread.errors import TeamError
from studio.training.spread.following import follow
from studio.training.spread.leading import Leader
from studio.training.spread.showing import showing
from studio.training.spread.team import Team, join, own_device

FINAL = (TrainingError, DataError, RunFolderError, StorageError, CheckpointError)  # to begin again would not help


def run(job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished | None:
    """Train with the other processes; see `runner.run`. A run that was begun goes on from its checkpoint.

    Returns:
        the result in the process that leads, nothing in the others.

    Raises:
        TeamError: if another process is gone; torchrun begins all of them again then.
        What `runner.run` raises.
    """
    device, team = enter(job)
    finished = None
    if team.leads:
        finished = lead(team, job, control, on_event)
    else:
        follow_shown(team, job.data_folder, device)
    team.leave()
    return finished


def join_in(device_choice: str, data_folder: Path | None) -> None:
    """Follow a process on another machine, from which all but the data comes. Raises TrainingError, TeamError."""
    device = own_device(resolve_device(device_choice))
    team = join(device)
    if team.leads:
        raise TrainingError("No other machine leads the run. Start it on the first one with: studio train --on hosts:2")
    follow_shown(team, data_folder, device)
    team.leave()


def follow_shown(team: Team, data_folder: Path | None, device: torch.device) -> None:
    """Follow, and show the others what it does; see `follow`."""
    with showing(team.board, team.pulse, team.rank, team.size):
        follow(team, data_folder, device)


def enter(job: Job) -> tuple[torch.device, Team]:
    """The device of this process, and the other processes. Raises TrainingError, TeamError."""
    device = own_device(resolve_device(job.project.training.device))
    return device, join(device)


def lead(team: Team, job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished:
    """Train as the process that leads; see `run`."""
    leader = Leader(team, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))
    telling = threading.Lock()
    team.pulse.is_paused = lambda: control.paused

    last: list[Finished] = []

    def tell(event: Event) -> None:  # in two threads
        with telling:
            if isinstance(event, Finished):  # nothing is told behind it, not even that all have gone home
                last.append(event)
            else:
                on_event(event)

    try:
        with showing(team.board, team.pulse, team.rank, team.size, tell):
            return _lead(leader, job, control, tell)
    finally:
        for event in last:
            on_event(event)


def _lead(leader: Leader, job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished:
    try:
        if job.project.training.repeats.method != "off":
            raise TrainingError(
                "Several processes do not repeat a run. Set its repeats to off, or train in one process."
            )
        finished = run_here(_going_on(job), control, on_event, leader)
    except FINAL:
        with contextlib.suppress(TeamError):  # they are gone themselves
            leader.disband()
        raise  # after any other error the connection breaks, and the others end with an error, too: all begin again
    leader.disband()
    return finished


def _going_on(job: Job) -> Job:
    """A job whose run was begun already goes on.

    Raises:
        RunFolderError: if no folder was given: after the loss of a process nobody would know where the run is.
    """
    if job.run_folder is None:
        raise RunFolderError("Several processes need a folder for their run: give it with --run-dir.")
    folder = RunFolder(job.run_folder)
    if folder.is_under_way or folder.read_record().get("status") not in ("running", "failed"):
        return job
    if folder.last.exists() or folder.earlier.exists():
        return replace(job, resume=True)
    _empty(folder.path)  # it ended before there was anything to go on from
    return job


def _empty(folder: Path) -> None:
    """Take away all but the commands for other machines."""
    for part in folder.iterdir():
        if part.is_file():
            storage.remove(part)
        elif part.name != HOSTS:
            storage.remove_folder(part)
