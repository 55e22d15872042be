"""One run from start to end: data, network, loop, run folder. The window's worker and the command line both call it."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import torch

from studio import storage
from studio.compile.plan import Plan, make_plan
from studio.compile.shapes import analyze
from studio.data.dataset import Dataset
from studio.project import Project
from studio.runs import RunFolder, RunFolderError, record_use
from studio.storage import StorageError
from studio.training.baseline import trivial_baseline
from studio.training.checkup import Checkup
from studio.training.control import Control
from studio.training.desk import Behind
from studio.training.devices import resolve_device
from studio.training.divergence import find_first
from studio.training.errors import CheckpointError, TrainingError
from studio.training.events import (
    DIVERGED,
    FINISHED,
    Changed,
    EpochEnded,
    Event,
    Finished,
    Metrics,
    NotSaved,
    Resumed,
    Started,
)  # fmt: skip
from studio.training.job import Job
from studio.training.loading import load
from studio.training.probe import choose
from studio.training.repeats import is_group, run_repeated
from studio.training.resuming import (
    ResumePoint,
    as_event,
    compare,
    go_on,
    read_point,
    settings_at_break,
    state_in,
    surroundings,
)  # fmt: skip
from studio.training.setup import check_settings, has_images, main_task, make_trainer, task_for
from studio.training.shortage import frozen_garbage, give_back, is_shortage, shortage
from studio.training.speed import Choices, computing, set_by_hand
from studio.training.starting_weights import FirstWeights, read_first_weights
from studio.training.state import state_of
from studio.training.story import Story
from studio.training.surface import Surveyor, can_be_surveyed
from studio.training.telling import Announcer, Rows

if TYPE_CHECKING:
    from studio.training.spread.leading import Leader


def run(job: Job, control: Control, on_event: Callable[[Event], None], team: Leader | None = None) -> Finished:
    """Train a project and keep the run, or let one that was interrupted, stopped or finished go on.

    Args:
        control: pause, resume and stop it from another thread.
        on_event: called with each event, in the calling thread.
        team: other processes that train with this one; None for this one alone.

    Raises:
        TrainingError: if the network cannot be trained on the data, its starting weights are not there, or it is
            stopped before it began, and nothing was written. A MissingWeightsError if torchvision's weights are to be
            downloaded, a ChangedDataError if the data of a run that goes on is not the same, a MemoryShortageError if
            memory runs out.
        DataError: if the data is missing or broken; nothing was written.
        CheckpointError: if there is no checkpoint from which the run can go on.
        RunFolderError, StorageError: if the run cannot be written.
    """
    if is_group(job):
        return run_repeated(job, control, on_event, run)
    started = time.perf_counter()
    point = _resume_point(job)
    project, notes = (job.project, ()) if point is None else _project_at_break(job, point)
    device = resolve_device(project.training.device)
    dataset = load(project, job.data_folder, Announcer(control, on_event))
    plan = checked_plan(project, dataset)
    check_settings(project.training, dataset)
    # One that goes on has its weights from the checkpoint, whatever became of the file that it began with.
    weights = FirstWeights({}, "") if point is not None else read_first_weights(project, plan)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_run_folder(job, project))
        stack.enter_context(frozen_garbage())
        try:
            make = functools.partial(make_trainer, project, dataset, folder, device, control, weights)
            if team is None:
                choices = _choices_at_break(project, point) or choose(project, dataset, plan, device, control, make)
            else:  # others would have to wait, and steps of several processes are not compiled
                by_hand = set_by_hand(
                    project.training, device, images=has_images(plan), outputs=len(plan.outputs)
                )  # fmt: skip
                layout = "contiguous" if team.keeps_parts(project.training) else by_hand.layout
                choices = replace(by_hand, compile="off", layout=layout)
            stack.enter_context(computing(choices))
            session = _Session(project, dataset, plan, folder, device, control, on_event, weights, choices, team)
            if job.surfaces and can_be_surveyed(dataset):
                session.trainer.surveyor = Surveyor(session.trainer.model, dataset, device, plan.main)
            if point is not None:
                session.go_on(point, notes, job)
            return session.run(started)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
        # Here the error is gone, and with it all that its traceback held: what the run took can be given back.
        session = None  # type: ignore[assignment]
        give_back(device)
        raise shortage(project.training, folder)


def _resume_point(job: Job) -> ResumePoint | None:
    if not job.resume:
        return None
    assert job.run_folder is not None
    return read_point(RunFolder(job.run_folder))


def _project_at_break(job: Job, point: ResumePoint) -> tuple[Project, tuple[str, ...]]:
    """The project of a run that goes on, with settings for its trainer, and what of the wanted ones is not taken."""
    saved = point.checkpoint.project
    settings, notes = settings_at_break(saved.training, job.project.training)
    return replace(saved, training=settings), notes


def _choices_at_break(project: Project, point: ResumePoint | None) -> Choices | None:
    """How the steps of a run that goes on were computed; None if that is to be found out, as in a new one."""
    if point is None or "speed" not in point.checkpoint.rest:
        return None
    before, now = point.checkpoint.project.training, project.training
    names = ("speed", "threads", "device", "batch_size", "gradients", "parameters")
    if any(getattr(before, name) != getattr(now, name) for name in names):
        return None
    return Choices.from_json(point.checkpoint.rest["speed"])


@contextlib.contextmanager
def _run_folder(job: Job, project: Project) -> Iterator[RunFolder]:
    """The folder of the run, which nobody else may train in meanwhile. Raises RunFolderError, StorageError."""
    if job.resume:
        assert job.run_folder is not None
        folder = RunFolder(job.run_folder)
    else:
        folder = RunFolder.create(job.run_folder, project)
    lock = folder.lock()
    if not lock.acquire():
        raise RunFolderError(f"{folder.path} is being trained already, in another window or process.")
    try:
        if job.resume:  # the lock is ours: what lies there was left by a killed write
            storage.clean_leftovers(folder.path, older_than_seconds=0.0)
        yield folder
    finally:
        lock.release()


def checked_plan(project: Project, dataset: Dataset) -> Plan:
    """The network's plan. Raises TrainingError if it cannot be trained on the data."""
    analysis = analyze(project.graph, dataset.spec, project.training)
    if not analysis.trainable:
        reasons = "\n".join(f"- {p.message}" for p in analysis.problems if p.severity == "error")
        raise TrainingError(f"The network cannot be trained yet:\n{reasons}")
    if analysis.parameters == 0:
        raise TrainingError("The network has nothing to learn: no block has parameters. Add a Dense or a Convolution.")
    return make_plan(project.graph)


class _Session:
    """The state of one run under way."""

    def __init__(
        self, project: Project, dataset: Dataset, plan: Plan, folder: RunFolder, device: torch.device,
        control: Control, on_event: Callable[[Event], None], weights: FirstWeights, choices: Choices,
        team: Leader | None,
    ) -> None:  # fmt: skip
        self.project = project
        self.dataset = dataset
        self.plan = plan
        self.folder = folder
        self.device = device
        self.on_event = on_event
        self.weights = weights
        self.choices = choices
        self.test_uses = 0
        self.resumed_at: list[int] = []  # steps done before, each time that the run went on
        self.notes: tuple[str, ...] = ()
        self.changes: dict[str, tuple[Any, Any]] = {}
        self.rows = Rows(folder)
        self.about = {
            **surroundings(dataset.fingerprint, str(device), torch.get_num_threads()), "speed": choices.to_json(),
        }  # fmt: skip
        stays = team is not None and team.keeps_parts(project.training)
        self.trainer = make_trainer(project, dataset, folder, device, control, weights, choices, stays=stays)
        self.trainer.team = team
        self.trainer.keeper.about = self.about
        self.checkup = Checkup(project, plan, self.trainer)
        self.story = Story()

    def go_on(self, point: ResumePoint, notes: tuple[str, ...], job: Job) -> None:
        """Stand where the run stood. Raises ChangedDataError, CheckpointError, TrainingError."""
        before = point.checkpoint.rest
        found = compare(before, self.about, anyway=job.anyway)
        other_data = before.get("data_fingerprint") != self.about["data_fingerprint"]
        go_on(self.trainer, point, whole_epochs=other_data)
        self.changes = self.trainer.stepper.change(job.project.training)
        record = self.folder.read_record()
        earlier = record.get("resumed_at")
        self.resumed_at = [*(earlier if isinstance(earlier, list) else []), self.trainer.step]
        self.story = Story(record)
        uses = record.get("test_uses")
        self.test_uses = uses if type(uses) is int else 0
        self.notes = (*point.notes, *found, *notes)

    def run(self, started: float) -> Finished:
        """Drain the loop, then write and tell the result."""
        try:
            self.folder.write_preparation(self.trainer.keeper.preparation)
            self._write_record("running")
            trainer = self.trainer
            trainer.control.desk.begin(Behind(self.project, self.dataset, trainer.keeper.preparation))
            self._tell(self._started())
            if self.trainer.team is not None:
                self._tell(self.trainer.team.lead(self.trainer, self.project))
            self._tell_earlier_epochs()
            self._tell_unused()
            self._tell_plane()
            for event in self.trainer.train():
                if isinstance(event, EpochEnded) and (problem := self.rows.add(asdict(event))):
                    self.on_event(NotSaved(problem))
                if event is not None:
                    self._tell(event)
            finished = self._finish(started)
        except BaseException:
            self.trainer.keeper.close()
            with contextlib.suppress(StorageError):  # the error that is on its way tells more
                self._write_record("failed")
            raise
        finally:
            self.trainer.control.desk.end()
        self.on_event(finished)
        return finished

    def _tell(self, event: Event) -> None:
        """Tell an event, and what follows from it for the health of the run."""
        self.story.follow(event)
        self.on_event(event)
        if diagnosis := self.checkup.follow(event):
            self.story.follow(diagnosis)
            self.on_event(diagnosis)

    def _tell_earlier_epochs(self) -> None:
        """What a run that goes on told before; later figures are dropped, since their epochs are trained again."""
        if not self.resumed_at:
            return
        metric = self.trainer.task.metric
        for row in self.folder.cut_metrics(self.trainer.epoch):
            if event := as_event(row, metric):
                self.on_event(event)
        step, epoch = self.trainer.step, self.trainer.epoch + 1
        self.on_event(Resumed(step, epoch, self.notes))
        for name, (old, new) in self.changes.items():
            self._tell(Changed(step, epoch, name, old, new))

    def _tell_unused(self) -> None:
        """What was set and has no use here."""
        team, shard = self.trainer.team, self.project.training.spread.shard
        if shard != "none" and (team is None or not team.is_needed):
            step, epoch = self.trainer.step, self.trainer.epoch + 1
            self._tell(Changed(step, epoch, "spread.shard", shard, "none: there is only one process"))

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
            baseline=self._baseline("validation"),
            first_step=trainer.step,
            speed=self.choices.in_words(),
            measured=self.choices.measured,
            measures=trainer.measures,
            classes=self.dataset.spec.target.names if trainer.subject.confused else (),
        )

    def _baseline(self, split: str) -> Metrics:
        """Measured with the loss of the run; of several Outputs that of the main one is known."""
        task = task_for(self.project, self.dataset, torch.device("cpu"))
        found = trivial_baseline(self.dataset, split, main_task(task))
        if task.outputs is None:
            return found
        return {task.outputs.main_loss if name == "loss" else name: value for name, value in found.items()}

    def _tell_plane(self) -> None:
        """Where the samples lie, and what the network makes of the plane before it has learned anything."""
        if self.trainer.surveyor is not None:
            self.on_event(self.trainer.surveyor.plane)
            self._tell_surface(self.trainer.epoch, best=False)

    def _tell_surface(self, epoch: int, *, best: bool) -> None:
        assert self.trainer.surveyor is not None
        for surface in self.trainer.surveyor.look(epoch, best=best):
            if surface is not None:
                self.on_event(surface)

    def _finish(self, started: float) -> Finished:
        trainer = self.trainer
        lost = trainer.status == DIVERGED  # the weights as they are now are worth nothing
        trainer.keeper.finish(None if lost else state_of(trainer))
        trainer.keeper.close()
        if trainer.team is not None and not trainer.team.is_needed:  # what follows is done by this process alone
            trainer.team.disband()
        self.rows.finish()
        metrics = self._test() if trainer.status == FINISHED else {}
        self._tell_best_surface()
        finished = Finished(
            status=trainer.status,
            run=str(self.folder.path),
            checkpoint=str(self.folder.checkpoint()),
            parameters=self.plan.parameters,
            seconds=trainer.seconds + time.perf_counter() - started,
            epochs=trainer.epoch,
            metrics=metrics,
            baseline={split: self._baseline(split) for split in metrics},
            test_uses=self.test_uses,
            reason=trainer.reason,
        )
        if lost:
            self._tell_cause()
        if diagnosis := self.checkup.conclude():
            self.story.follow(diagnosis)
            self.on_event(diagnosis)
        self._write_record(finished.status, asdict(finished))
        return finished

    def _tell_cause(self) -> None:
        """Which block was the first whose numbers were none; not found out where processes keep parts of them."""
        if self.trainer.team is not None and self.trainer.team.is_needed:
            return
        try:
            point = read_point(self.folder)
        except CheckpointError:  # none could be written
            return
        if found := find_first(self.trainer, self.plan, state_in(point)):
            self._tell(found)

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
        if trainer.subject.confused:
            self.on_event(trainer.confusion(trainer.keeper.best_epoch, best=True))
        if self.project.training.test_at_end:
            self.test_uses = record_use(self.dataset.test_fingerprint(), self.folder.path.absolute())
            metrics["test"] = _exhaust(trainer.evaluate("test"))
        return metrics

    def _write_record(self, status: str, result: dict[str, Any] | None = None) -> None:
        self.folder.write_record(
            {
                "status": status,
                **self.about,
                "test_uses": self.test_uses,
                **({"resumed_at": self.resumed_at} if self.resumed_at else {}),
                **self.story.to_json(),
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
