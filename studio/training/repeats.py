"""Several runs as one job: other seeds, or the folds of a cross-validation; at the end means and deviations.

They go one after another, each in a folder of its own, and each is what it would be alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from studio.data.choice import K_FOLD
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs import GroupFolder
from studio.settings.measures import MEASURES
from studio.settings.parts import Repeats
from studio.training.control import Control
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

if TYPE_CHECKING:
    from studio.training.job import Job

OnEvent = Callable[[Event], None]
RunOne = Callable[["Job", Control, OnEvent], Finished]
_SEEDS = 2**31  # how many there are


def run_repeated(job: Job, control: Control, on_event: OnEvent, run_one: RunOne) -> Finished:
    """Train a project several times, as its setting `repeats` says.

    Args:
        control: pauses the run under way; stops it, and then all.
        on_event: told what all runs tell, each between a RepeatStarted and a RepeatEnded; then the Finished of all.
        run_one: trains a job once.

    Raises:
        what `run_one` raises; the runs before are kept.
    """
    return _Group(job, control, on_event, run_one).run()


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
        self._folder = GroupFolder.reserve(job.run_folder, job.project)
        self._ended: list[tuple[str, Finished]] = []

    def run(self) -> Finished:
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
        finished = self._finished(time.perf_counter() - started)
        self._write(finished.status)
        self._on_event(finished)
        return finished

    def _run(self, number: int, title: str, project: Project) -> Finished:
        total = len(self._projects)
        self._on_event(RepeatStarted(number, total, title))
        job = replace(self._job, project=project, run_folder=self._folder.run(number))
        finished = self._run_one(job, self._control, self._tell)
        self._ended.append((title, finished))
        self._write("running")
        ended = RepeatEnded(number, total, title, finished.status, finished.epochs, finished.run, finished.metrics)
        self._on_event(ended)
        return finished

    def _tell(self, event: Event) -> None:
        """Tell on what a single run tells, but for its end."""
        if isinstance(event, Started) and not self._ended:
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
            "runs": [_record(number, title, run) for number, (title, run) in enumerate(self._ended, 1)],
            "mean": _of_all([run.metrics for run in whole], statistics.fmean),
            "deviation": _of_all([run.metrics for run in whole], deviation),
        })  # fmt: skip


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
