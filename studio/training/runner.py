"""One run from start to end: data, network, loop, run folder. The window's worker and the command line both call it."""

from __future__ import annotations

import contextlib
import gc
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch

from studio import __version__
from studio.compile.plan import Plan, make_plan
from studio.compile.shapes import analyze
from studio.data.dataset import Dataset, prepare
from studio.project import Project
from studio.runs import RunFolder, record_use
from studio.training.baseline import trivial_baseline
from studio.training.checkup import Checkup
from studio.training.control import Control
from studio.training.devices import resolve_device, thread_count
from studio.training.errors import TrainingError
from studio.training.events import DIVERGED, FINISHED, EpochEnded, Event, Finished, Metrics, Preparing, Started
from studio.training.job import Job
from studio.training.loop import SECONDS_BETWEEN_EVENTS
from studio.training.setup import make_trainer
from studio.training.starting_weights import FirstWeights, read_first_weights
from studio.training.surface import Surveyor, can_be_surveyed


def run(job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished:
    """Train a project and keep the run.

    Args:
        control: pause, resume and stop it from another thread.
        on_event: called with each event, in the calling thread.

    Raises:
        TrainingError: if the network cannot be trained on the data, its starting weights are not there, or it is
            stopped before it began, and nothing was written; or if memory runs out. A MissingWeightsError if
            torchvision's weights are to be downloaded.
        DataError: if the data is missing or broken; nothing was written.
        RunFolderError, StorageError: if the run cannot be written.
    """
    started = time.perf_counter()
    device = resolve_device(job.project.training.device)
    dataset = prepare(job.project.data, job.data_folder, _Preparation(control, on_event))
    plan = checked_plan(job.project, dataset)
    weights = read_first_weights(job.project, plan)
    folder = RunFolder.create(job.run_folder, job.project)
    with explained_shortage(), computing_with(thread_count(job.project.training.threads)), _frozen_garbage():
        session = _Session(job.project, dataset, plan, folder, device, control, on_event, weights)
        if job.surfaces and can_be_surveyed(dataset):
            session.trainer.surveyor = Surveyor(session.trainer.model, dataset, device)
        return session.run(started)


class _Preparation:
    """Told how far the data is made ready: tells it on a few times a second, and gives up if the run was stopped."""

    def __init__(self, control: Control, on_event: Callable[[Event], None]) -> None:
        self._control, self._on_event = control, on_event
        self._due = time.perf_counter() + SECONDS_BETWEEN_EVENTS  # what is ready sooner needs no words

    def __call__(self, done: int, total: int) -> None:
        if self._control.stopping:
            raise TrainingError("The run was stopped before it began, while its data was read. Nothing was written.")
        if total and time.perf_counter() >= self._due:
            self._due = time.perf_counter() + SECONDS_BETWEEN_EVENTS
            self._on_event(Preparing(done, total))


def checked_plan(project: Project, dataset: Dataset) -> Plan:
    """What the project's network is built from. Raises TrainingError if it cannot be trained on the data."""
    analysis = analyze(project.graph, dataset.spec, project.training)
    if not analysis.trainable:
        reasons = "\n".join(f"- {p.message}" for p in analysis.problems if p.severity == "error")
        raise TrainingError(f"The network cannot be trained yet:\n{reasons}")
    if analysis.parameters == 0:
        raise TrainingError("The network has nothing to learn: no block has parameters. Add a Dense or a Convolution.")
    return make_plan(project.graph)


@contextlib.contextmanager
def explained_shortage() -> Iterator[None]:
    """Turn torch's many ways of saying that memory is short into one that helps. Raises TrainingError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        if not isinstance(error, MemoryError) and not any(sign in text for sign in _SIGNS_OF_SHORTAGE):
            raise
        raise TrainingError(
            "There is not enough memory for this network and batch size. Use a smaller batch, smaller layers, or a "
            "pooling before a large Dense. What was trained so far is kept in the run’s folder."
        ) from error


_SIGNS_OF_SHORTAGE = ("out of memory", "not enough memory", "can't allocate memory")


@contextlib.contextmanager
def computing_with(count: int) -> Iterator[None]:
    """Let torch compute with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _frozen_garbage() -> Iterator[None]:
    """Keep what exists out of garbage collections: a full one would hold up the window for 200 ms."""
    if gc.get_freeze_count() > 0:  # the window did it already
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Session:
    """The state of one run under way."""

    def __init__(
        self, project: Project, dataset: Dataset, plan: Plan, folder: RunFolder, device: torch.device,
        control: Control, on_event: Callable[[Event], None], weights: FirstWeights,
    ) -> None:  # fmt: skip
        self.project = project
        self.dataset = dataset
        self.plan = plan
        self.folder = folder
        self.device = device
        self.on_event = on_event
        self.weights = weights
        self.test_uses = 0
        self.trainer = make_trainer(project, dataset, folder, device, control, weights)
        self.checkup = Checkup(project, plan, self.trainer)

    def run(self, started: float) -> Finished:
        """Drain the loop, then write and tell the result."""
        self.folder.write_preparation(self.trainer.keeper.preparation)
        self._write_record("running")
        self._tell(self._started())
        try:
            self._tell_plane()
            for event in self.trainer.train():
                if isinstance(event, EpochEnded):
                    self.folder.append_metrics(asdict(event))
                if event is not None:
                    self._tell(event)
            for event in self.checkup.conclude():
                self.on_event(event)
            finished = self._finish(started)
        except BaseException:
            self._write_record("failed")
            raise
        self.on_event(finished)
        return finished

    def _tell(self, event: Event) -> None:
        """Tell an event, and what follows from it for the health of the run."""
        self.on_event(event)
        for finding in self.checkup.follow(event):
            self.on_event(finding)

    def _started(self) -> Started:
        trainer = self.trainer
        return Started(
            run=str(self.folder.path),
            parameters=self.plan.parameters,
            epochs=trainer.epochs,
            steps_per_epoch=len(trainer.batches["train"]),
            samples={split: len(index) for split, index in self.dataset.splits.items()},
            device=str(self.device),
            threads=torch.get_num_threads(),
            metric=trainer.task.metric,
            weights=self.weights.origin,
            baseline=trivial_baseline(self.dataset, "validation"),
        )

    def _tell_plane(self) -> None:
        """Where the samples lie, and what the network makes of the plane before it has learned anything."""
        if self.trainer.surveyor is not None:
            self.on_event(self.trainer.surveyor.plane)
            self._tell_surface(0, best=False)

    def _tell_surface(self, epoch: int, *, best: bool) -> None:
        assert self.trainer.surveyor is not None
        for surface in self.trainer.surveyor.look(epoch, best=best):
            if surface is not None:
                self.on_event(surface)

    def _finish(self, started: float) -> Finished:
        trainer = self.trainer
        if trainer.status == DIVERGED and trainer.keeper.has_best:
            trainer.keeper.write()  # the weights as they are now are worth nothing
        else:
            trainer.keeper.write_last(trainer.model, trainer.optimizer, trainer.epoch, trainer.step)
        metrics = self._test() if trainer.status == FINISHED else {}
        self._tell_best_surface()
        finished = Finished(
            status=trainer.status,
            run=str(self.folder.path),
            checkpoint=str(self.folder.checkpoint()),
            parameters=self.plan.parameters,
            seconds=time.perf_counter() - started,
            epochs=trainer.epoch,
            metrics=metrics,
            baseline={split: trivial_baseline(self.dataset, split) for split in metrics},
            test_uses=self.test_uses,
        )
        self._write_record(trainer.status, asdict(finished))
        return finished

    def _tell_best_surface(self) -> None:
        """What the weights that are kept make of the plane; the figures of the result are theirs, too."""
        trainer = self.trainer
        if trainer.surveyor is not None and trainer.keeper.has_best:
            trainer.model.load_state_dict(trainer.keeper.best_weights)
            self._tell_surface(trainer.keeper.best_epoch, best=True)

    def _test(self) -> dict[str, Metrics]:
        """Figures of the best weights on the validation split, and on the test split unless it is to stay locked."""
        trainer = self.trainer
        trainer.model.load_state_dict(trainer.keeper.best_weights)
        metrics = {"validation": _exhaust(trainer.evaluate("validation"))}
        if self.project.training.test_at_end:
            self.test_uses = record_use(self.dataset.test_fingerprint(), self.folder.path.absolute())
            metrics["test"] = _exhaust(trainer.evaluate("test"))
        return metrics

    def _write_record(self, status: str, result: dict[str, Any] | None = None) -> None:
        self.folder.write_record(
            {
                "status": status,
                "device": str(self.device),
                "threads": torch.get_num_threads(),
                "data_fingerprint": self.dataset.fingerprint,
                "test_uses": self.test_uses,
                "versions": {"studio": __version__, "torch": torch.__version__, "python": platform.python_version()},
                "result": result,
            }
        )


def _exhaust(steps: Any) -> Metrics:
    """Drain a measuring generator; its events are of no interest."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return dict(end.value)
