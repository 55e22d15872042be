"""Several runs as one job: other seeds, or the folds of a cross-validation; at the end means and deviations.

They go one after another, each in a folder of its own, and each is what it would be alone. A group that was interrupted
goes on: runs that came to their end are told again from what was written, and the one under way from its checkpoint.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from studio.data.choice import K_FOLD
from studio.fields import replace as replace_fields
from studio.project import Project, read_project
from studio.runs import GroupFolder, RunFolderError
from studio.settings.measures import MEASURES
from studio.settings.parts import Repeats
from studio.storage import StorageError
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.event_json import event_from_json, event_to_json
from studio.training.events import (
    DIVERGED,
    FINISHED,
    STOPPED,
    Event,
    Finished,
    Metrics,
    RepeatEnded,
    RepeatStarted,
    Started,
)
from studio.training.past_runs import Past, past_run

if TYPE_CHECKING:
    from studio.training.job import Job

OnEvent = Callable[[Event], None]
RunOne = Callable[["Job", Control, OnEvent], Finished]
_SEEDS = 2**31  # how many there are


def run_repeated(job: Job, control: Control, on_event: OnEvent, run_one: RunOne) -> Finished:
    """Train a project several times, as its setting `repeats` says.

    Args:
        job: one that goes on names the folder of the group, and has its project with the settings that it began with.
        control: pauses the run under way; stops it, and then all.
        on_event: told what all runs tell, each between a RepeatStarted and a RepeatEnded; then the Finished of all.
        run_one: trains a job once.

    Raises:
        TrainingError: if a group that goes on was begun with other settings.
        RunFolderError: if another process trains there.
        what `run_one` raises; the runs before are kept.
    """
    return _Group(job, control, on_event, run_one).run()


def is_group(job: Job) -> bool:
    """Whether a job is a group of runs, or goes on with one."""
    if job.resume:
        return job.run_folder is not None and GroupFolder(job.run_folder).is_one
    return job.project.training.repeats.method != "off"


def single_projects(project: Project) -> list[tuple[str, Project]]:
    """The projects of the single runs, each with what is its own in words."""
    repeats = project.training.repeats
    once = replace_fields(project.training, repeats=Repeats())
    if repeats.method == "seeds":
        seeds = [(once.seed + number) % _SEEDS for number in range(repeats.number)]
        return [(f"seed {seed}", replace(project, training=replace_fields(once, seed=seed))) for seed in seeds]
    split, found = project.data.split, []
    for fold in range(1, repeats.number + 1):
        part = replace_fields(split, method=K_FOLD, folds=repeats.number, fold=fold)
        data = replace_fields(project.data, split=part)
        found.append((f"fold {fold} of {repeats.number}", replace(project, training=once, data=data)))
    return found


class _Group:
    """The runs of a job, under way."""

    def __init__(self, job: Job, control: Control, on_event: OnEvent, run_one: RunOne) -> None:
        self._job = job
        self._control = control
        self._on_event = on_event
        self._run_one = run_one
        self._projects = single_projects(job.project)
        self._folder = _folder_of(job)
        self._lock = self._folder.lock()
        self._is_locked = False
        self._ended: list[tuple[str, Finished]] = []
        self._told_again = 0  # runs that came to their end before the group went on
        self._begun: list[dict[str, Any]] = []  # the Started of each run, as JSON

    def run(self) -> Finished:
        try:
            return self._run_all()
        finally:
            if self._is_locked:
                self._lock.release()

    def _hold(self) -> None:
        """Let nobody else go on with this group meanwhile; its folder must be there."""
        if not self._is_locked:
            if not self._lock.acquire():
                raise RunFolderError(f"{self._folder.path} is being trained already, in another window or process.")
            self._is_locked = True

    def _run_all(self) -> Finished:
        if self._job.resume:
            self._hold()
        started = time.perf_counter()
        try:
            for number, (title, project) in enumerate(self._projects, 1):
                finished = self._run(number, title, project)
                if finished.status == STOPPED or self._control.stopping:
                    break
        except BaseException:
            if self._ended:
                self._write("failed")
            raise
        earlier = sum(run.seconds for _, run in self._ended[: self._told_again])
        finished = self._finished(earlier + time.perf_counter() - started)
        self._write(finished.status)
        self._on_event(finished)
        return finished

    def _run(self, number: int, title: str, project: Project) -> Finished:
        total = len(self._projects)
        self._on_event(RepeatStarted(number, total, title))
        past = past_run(self._folder.run(number)) if self._job.resume else Past()
        if past.finished is not None:
            self._tell_again(number, past)
            finished = past.finished
        else:
            job = replace(self._job, project=project, run_folder=self._folder.run(number), resume=past.goes_on)
            finished = self._run_one(job, self._control, self._tell)
        self._ended.append((title, finished))
        self._write("running")
        ended = RepeatEnded(number, total, title, finished.status, finished.epochs, finished.run, finished.metrics)
        self._on_event(ended)
        return finished

    def _tell_again(self, number: int, past: Past) -> None:
        """What a run told that came to its end before the group was interrupted."""
        self._told_again += 1
        rows = self._folder.read_record().get("started")
        begun = rows[number - 1] if isinstance(rows, list) and len(rows) >= number else None
        self._begun.append(begun if isinstance(begun, dict) else {})
        with contextlib.suppress(StorageError):  # somebody changed it
            self._on_event(event_from_json(begun))
        for event in past.epochs:
            self._on_event(event)

    def _tell(self, event: Event) -> None:
        """Tell on what a single run tells, but for its end."""
        if isinstance(event, Started):
            self._hold()
            self._begun.append(event_to_json(event))
            if not self._ended:
                self._folder.write_project(self._job.project)
            self._write("running")
        if not isinstance(event, Finished):
            self._on_event(event)

    def _whole(self) -> list[Finished]:
        """The runs that came to their end; only these have figures that can be compared."""
        return [finished for _, finished in self._ended if finished.status == FINISHED]

    def _finished(self, seconds: float) -> Finished:
        whole = self._whole()
        last = self._ended[-1][1]
        best = min(whole, key=self._rank) if whole else last
        return Finished(
            status=STOPPED if last.status == STOPPED else FINISHED if whole else DIVERGED,
            run=str(self._folder.path) if len(self._ended) > 1 else last.run,
            checkpoint=best.checkpoint,
            parameters=best.parameters,
            seconds=seconds,
            epochs=best.epochs,
            metrics=_of_all([run.metrics for run in whole], statistics.fmean),
            baseline=_of_all([run.baseline for run in whole], statistics.fmean),
            test_uses=last.test_uses,
            reason=self._reason(),
            runs=len(self._ended),
            deviations=_of_all([run.metrics for run in whole], deviation),
        )

    def _rank(self, finished: Finished) -> float:
        """The lower the better, by the figure that decides which epoch is the best, too."""
        metric = self._job.project.training.stopping.metric
        value = finished.metrics["validation"].get(metric, 0.0)
        return -value if MEASURES[metric].higher else value

    def _reason(self) -> str:
        planned, lost = len(self._projects), sum(run.status == DIVERGED for _, run in self._ended)
        if lost:
            runs = f"{lost} of {planned} runs"
            return f"{runs} diverged and {'do' if lost > 1 else 'does'} not count in the means."
        return ""

    def _write(self, status: str) -> None:
        whole = self._whole()
        repeats = self._job.project.training.repeats
        self._folder.write_record({
            "status": status,
            "repeats": repeats.method,
            "number": repeats.number,
            "started": self._begun,
            "runs": [_record(number, title, run) for number, (title, run) in enumerate(self._ended, 1)],
            "mean": _of_all([run.metrics for run in whole], statistics.fmean),
            "deviation": _of_all([run.metrics for run in whole], deviation),
        })  # fmt: skip


def _folder_of(job: Job) -> GroupFolder:
    """The folder of a group. Raises TrainingError, StorageError, RunFolderError."""
    if not job.resume:
        return GroupFolder.reserve(job.run_folder, job.project)
    assert job.run_folder is not None
    folder = GroupFolder(job.run_folder)
    if read_project(folder.project_path).training != job.project.training:
        raise TrainingError(
            "A group of runs goes on with the settings that it began with: otherwise its runs could not be compared. "
            "Start a new group with the others."
        )
    return folder


def _record(number: int, title: str, run: Finished) -> dict[str, Any]:
    return {
        "folder": f"run-{number}", "title": title, "status": run.status, "epochs": run.epochs, "seconds": run.seconds,
        "metrics": run.metrics,
    }  # fmt: skip


def _of_all(several: list[dict[str, Metrics]], figure: Callable[[list[float]], float]) -> dict[str, Metrics]:
    """One figure of those of several runs, for each split and name that all of them have."""
    if not several:
        return {}
    return {
        split: {
            name: figure([run[split][name] for run in several])
            for name in several[0][split]
            if all(name in run.get(split, {}) for run in several)
        }
        for split in several[0]
    }


def deviation(values: list[float]) -> float:
    """The standard deviation of what the values are a sample of (dividing by one less than there are); 0 of one."""
    return statistics.stdev(values) if len(values) > 1 else 0.0
