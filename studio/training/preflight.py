"""A check before a long run, measured on this machine: time, memory, the largest batch, and whether it learns at all.

All is done with a network of its own that is thrown away: nothing is written, the project's run begins as it would have
begun, and torch's random numbers go on as before. It must not be done while a run trains in the same process: both draw
from the same generators.

Axis letters: N batch, K classes.
"""

from __future__ import annotations

import contextlib
import functools
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from studio.compile.analysis import ERROR, WARNING
from studio.compile.plan import Plan
from studio.data.batches import Batches
from studio.data.dataset import Dataset
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs import RunFolder
from studio.settings.schedules import Constant
from studio.training import doctor
from studio.training.control import Control
from studio.training.cures import remedies_in
from studio.training.devices import resolve_device
from studio.training.errors import TrainingError
from studio.training.events import Finding
from studio.training.expectation import expected_loss
from studio.training.keeper import Keeper
from studio.training.loading import load
from studio.training.loop import Trainer
from studio.training.memory import free_bytes, peak_bytes
from studio.training.probe import choose
from studio.training.runner import checked_plan
from studio.training.setup import check_settings, make_trainer
from studio.training.shortage import is_shortage
from studio.training.speed import WHOLE_STEP_LATER, computing
from studio.training.starting_weights import FirstWeights, read_first_weights

STAGES = ("Read the data", "Loss at the start", "Time", "Memory", "One batch by heart")
SECONDS_FOR_TIME, SECONDS_FOR_ONE_BATCH = 2.0, 4.0
STEPS_ON_ONE_BATCH, FEWEST_ON_ONE_BATCH = 80, 10
_STEPS_AT_ONCE = 4  # whose time is measured together
_WARM_UP_STEPS, _WARM_UP_SECONDS = 3, 0.3
_FIRST_LOSS_SAMPLES = 512
_USABLE = 0.8  # of free memory: the rest is for what nobody counts
_SECONDS_FOR_TRIAL = 3.0  # a largest batch that would take longer is not tried
_LARGEST_TRIAL = 0.5  # of the usable memory that a trial may take
_MOST_SAMPLES = 2**20


@dataclass(frozen=True)
class Preflight:
    """What was measured.

    Args:
        device, threads: on what.
        batch_size, steps_per_epoch, epochs: as the project has them.
        step_seconds: of one step, with its batch.
        epoch_seconds: of one epoch with its validation.
        run_seconds: of the whole run, without reading the data.
        memory_bytes: what one step takes at most, with weights, optimizer and gradients.
        free_bytes: what the device had left before; 0 if nobody can tell.
        largest_batch: the largest power of two whose step fits, or all training samples; 0 if nobody can tell.
        tried: whether a step with it was done.
        first_loss: of the untrained network, on training samples.
        expected_loss: of a network that answers all classes alike, or nothing for numbers; NaN if that is of no use.
        one_batch: losses of one batch from step to step, when only that is learned.
        findings: what should be looked at before the run.
    """

    device: str
    threads: int
    batch_size: int
    steps_per_epoch: int
    epochs: int
    step_seconds: float
    epoch_seconds: float
    run_seconds: float
    memory_bytes: int
    free_bytes: int
    largest_batch: int
    tried: bool
    first_loss: float
    expected_loss: float
    one_batch: tuple[float, ...]
    findings: tuple[Finding, ...]


_NOWHERE = RunFolder(Path("never written"))


class _NoKeeper(Keeper):
    """Keeps nothing."""

    def is_due(self) -> bool:
        """Never."""
        return False


class _Asked(Control):
    """Stops as soon as somebody says so."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        super().__init__()
        self._stopped = stopped

    @property
    def stopping(self) -> bool:
        """Whether the check was given up."""
        return self._stopped()


class PreflightStoppedError(TrainingError):
    """The person gave the check up."""


def preflight(
    project: Project,
    data_folder: Path | None = None,
    on_stage: Callable[[int, str], None] = lambda number, title: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Preflight:
    """Check a project before it is trained.

    Args:
        data_folder: where the person keeps the dataset's files; None for the studio's cache.
        on_stage: called with the number of each of STAGES, and its title, when it begins.
        stopped: asked between two steps.

    Raises:
        PreflightStoppedError: as soon as `stopped` says so.
        TrainingError, DataError: as for a run.
    """
    return _Check(project, on_stage, stopped).measure(data_folder)


class _Check:
    def __init__(self, project: Project, on_stage: Callable[[int, str], None], stopped: Callable[[], bool]) -> None:
        self.project = project
        self.on_stage = on_stage
        self.stopped = stopped
        self.settings = project.training
        self.device = resolve_device(project.training.device)

    def measure(self, data_folder: Path | None) -> Preflight:
        self._begin(0)
        self.data: Dataset = load(self.project, data_folder, lambda done, total: self._go_on())
        plan = checked_plan(self.project, self.data)
        self.weights = read_first_weights(self.project, plan)
        check_settings(self.settings, self.data)
        gpus = [self.device] if self.device.type == "cuda" else []
        try:
            with torch.random.fork_rng(gpus):
                return self._measured(plan)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            raise TrainingError(
                "There is not enough memory for this network and batch size. Use a smaller batch, smaller layers, or a "
                "pooling before a large Dense."
            ) from error

    def _measured(self, plan: Plan) -> Preflight:
        make = functools.partial(
            make_trainer, self.project, self.data, _NOWHERE, self.device, Control(), self.weights
        )  # fmt: skip
        choices = choose(self.project, self.data, plan, self.device, _Asked(self.stopped), make)
        # What is compiled in the background comes too late for a check.
        self.choices = replace(choices, compile="off") if choices.compile == WHOLE_STEP_LATER else choices
        with computing(self.choices):
            return self._figures()

    def _figures(self) -> Preflight:
        trainer = self._trainer(self.project)
        free = free_bytes(self.device)
        self._begin(1)
        first, expected = self._first_loss(trainer), expected_loss(self.project, self.data, trainer.task)
        self._begin(2)
        step_seconds, epoch_seconds = self._times(trainer)
        self._begin(3)
        memory, largest, tried = self._memory(trainer, free, step_seconds)
        self._begin(4)
        losses = self._one_batch()
        found = [*_of_first_loss(first, expected, self.weights), *_of_one_batch(losses), *_of_memory(memory, free)]
        remedies = remedies_in(self.project)
        return Preflight(
            device=str(self.device),
            threads=self.choices.threads,
            batch_size=self.settings.batch_size,
            steps_per_epoch=len(trainer.batches["train"]),
            epochs=self.settings.epochs,
            step_seconds=step_seconds,
            epoch_seconds=epoch_seconds,
            run_seconds=epoch_seconds * self.settings.epochs,
            memory_bytes=memory,
            free_bytes=free,
            largest_batch=largest,
            tried=tried,
            first_loss=first,
            expected_loss=expected,
            one_batch=losses,
            findings=tuple(replace(finding, remedies=remedies(finding)) for finding in found),
        )

    def _begin(self, number: int) -> None:
        self._go_on()
        self.on_stage(number, STAGES[number])

    def _go_on(self) -> None:
        if self.stopped():
            raise PreflightStoppedError("The check was given up.")

    def _trainer(self, project: Project) -> Trainer:
        """A network as a run would begin with, which is never written."""
        trainer = make_trainer(project, self.data, _NOWHERE, self.device, Control(), self.weights, self.choices)
        trainer.keeper = _NoKeeper(_NOWHERE, project, {})
        return trainer

    def _first_loss(self, trainer: Trainer) -> float:
        """On some training samples, as in an evaluation."""
        trainer.model.eval()
        total, seen = 0.0, 0
        for inputs, targets in trainer.batches["train"].epoch(None):
            with torch.inference_mode():
                loss = trainer.task.loss(trainer.stepper.answers(inputs), targets)
            total, seen = total + float(loss) * len(targets), seen + len(targets)
            if seen >= _FIRST_LOSS_SAMPLES:
                break
            self._go_on()
        return total / max(1, seen)

    def _times(self, trainer: Trainer) -> tuple[float, float]:
        """Seconds of a step, and of an epoch with its validation: of whole ones, where they are short."""
        self._warm_up(trainer)
        started, steps, epochs = time.perf_counter(), 0, 1  # the first was for warming up
        step_times: list[float] = []
        epoch_times: list[float] = []
        while True:
            epochs += 1
            epoch_started = last = time.perf_counter()
            for _ in trainer.train_epoch(epochs):
                self._go_on()
                steps += 1
                if steps % _STEPS_AT_ONCE == 0:
                    last = self._note(step_times, last)
                    if last - started > SECONDS_FOR_TIME and not epoch_times:
                        return self._from_steps(trainer, step_times)
            for _ in trainer.evaluate("validation"):
                self._go_on()
            self._wait()
            epoch_times.append(time.perf_counter() - epoch_started)
            if time.perf_counter() - started > SECONDS_FOR_TIME:
                break
        return statistics.mean(epoch_times) / len(trainer.batches["train"]), statistics.median(epoch_times)

    def _warm_up(self, trainer: Trainer) -> None:
        started = time.perf_counter()
        for number, _ in enumerate(trainer.train_epoch(1)):
            self._go_on()
            if number >= _WARM_UP_STEPS and time.perf_counter() - started > _WARM_UP_SECONDS:
                break
        self._wait()

    def _note(self, step_times: list[float], last: float) -> float:
        self._wait()
        now = time.perf_counter()
        step_times.append((now - last) / _STEPS_AT_ONCE)
        return now

    def _from_steps(self, trainer: Trainer, step_times: list[float]) -> tuple[float, float]:
        """An epoch takes too long: it is put together from steps, and from batches of the validation."""
        step = statistics.mean(step_times)
        started, batches = time.perf_counter(), 0
        for _ in trainer.evaluate("validation"):
            self._go_on()
            batches += 1
            if time.perf_counter() - started > SECONDS_FOR_TIME / 2:
                break
        self._wait()
        validation = (time.perf_counter() - started) / max(1, batches) * len(trainer.batches["validation"])
        return step, step * len(trainer.batches["train"]) + validation

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _memory(self, trainer: Trainer, free: int, step_seconds: float) -> tuple[int, int, bool]:
        """Bytes that a step takes, the largest batch that fits, and whether that was tried."""
        samples = trainer.batches["train"].samples
        size = min(self.settings.batch_size, samples)
        small = max(2, size // 2) if size > 2 else size
        fixed = 0 if self.device.type == "cuda" else _kept_bytes(trainer)
        whole = fixed + self._step_bytes(trainer, size)
        if small == size or not free:
            return whole, 0, False
        part = fixed + self._step_bytes(trainer, small)
        per_sample = max(1.0, (whole - part) / (size - small))
        # What is there already is not free any more; what a step takes beyond that has to fit.
        already = torch.cuda.memory_allocated(self.device) if self.device.type == "cuda" else fixed
        room = _USABLE * free - (whole - already - per_sample * size)
        largest = _round_down(int(min(room / per_sample, samples, _MOST_SAMPLES)), samples)
        cheap = step_seconds / size * largest < _SECONDS_FOR_TRIAL and per_sample * largest < _LARGEST_TRIAL * room
        if largest <= size or not cheap:
            return whole, largest, largest == size
        with contextlib.suppress(RuntimeError, MemoryError):
            self._step_bytes(trainer, largest)
            return whole, largest, True
        return whole, largest // 2, False

    def _step_bytes(self, trainer: Trainer, size: int) -> int:
        self._go_on()
        trainer.optimizer.zero_grad(set_to_none=True)
        trainer.model.train()
        inputs, targets = self._batch(size)
        given = sum(x.numel() * x.element_size() for x in (*inputs, targets))
        taken = peak_bytes(lambda: trainer.stepper(inputs, targets, 0), self.device)
        return taken if self.device.type == "cuda" else taken + given

    def _batch(self, size: int) -> tuple[tuple[Tensor, ...], Tensor]:
        """The first batch of the training split, with so many samples."""
        return next(
            iter(Batches(self.data, "train", size, self.device, self.choices.layout == "channels last").epoch(None))
        )

    def _one_batch(self) -> tuple[float, ...]:
        """Losses of one batch, when a fresh network learns nothing else, at the full rate."""
        gradients = replace_fields(self.settings.gradients, accumulate=1)
        settings = replace_fields(self.settings, schedule=Constant(), gradients=gradients)
        trainer = self._trainer(replace(self.project, training=settings))
        trainer.model.train()
        for part in trainer.frozen:
            part.eval()
        inputs, targets = self._batch(min(settings.batch_size, trainer.batches["train"].samples))
        started, losses = time.perf_counter(), []
        for step in range(STEPS_ON_ONE_BATCH):
            self._go_on()
            losses.append(trainer.stepper(inputs, targets, step)[0].item())
            if time.perf_counter() - started > SECONDS_FOR_ONE_BATCH or not math.isfinite(losses[-1]):
                break
        return tuple(losses)


def _kept_bytes(trainer: Trainer) -> int:
    """What weights and the optimizer's memory of them take; the gradients are made in each step."""
    own = [*trainer.model.parameters(), *trainer.model.buffers()]
    of_optimizer = [x for state in trainer.optimizer.state.values() for x in state.values() if isinstance(x, Tensor)]
    return sum(x.numel() * x.element_size() for x in (*own, *of_optimizer))


def _round_down(count: int, samples: int) -> int:
    """To a power of two, unless all samples fit."""
    return samples if count >= samples else 2 ** max(0, count.bit_length() - 1) if count > 0 else 0


def _of_first_loss(first: float, expected: float, weights: FirstWeights) -> Iterator[Finding]:
    if not math.isfinite(first):
        text = "The untrained network gives a loss that is infinite or no number."
        yield Finding(doctor.START, ERROR, "Broken from the start", text, "Look for problems in the Data place.")
    elif first > 2 * expected:
        text = (
            f"The untrained network has a loss of {first:.3g}; one that knows nothing and does not pretend to has "
            f"{expected:.3g}. Its first answers are far too large."
        )
        advice = "Are the inputs scaled (in the Data place)? Large numbers in the input make large answers."
        yield Finding(doctor.START, WARNING, "High loss at the start", text, advice)
    elif first < 0.5 * expected and not weights.tensors:
        text = f"The untrained network has a loss of {first:.3g}, where {expected:.3g} is to be expected of chance."
        advice = "Does a column of the input tell the answer? Is one class much more frequent than the others?"
        yield Finding(doctor.START, WARNING, "Low loss at the start", text, advice)


def _of_one_batch(losses: Sequence[float]) -> Iterator[Finding]:
    first, last = losses[0], statistics.mean(losses[-3:])
    if not math.isfinite(last) or last > 1.5 * first:
        text = f"On one and the same batch the loss rises: from {first:.3g} to {last:.3g} in {len(losses)} steps."
        yield Finding(doctor.RATE_HIGH, ERROR, "Learning rate too high", text)
    elif len(losses) >= FEWEST_ON_ONE_BATCH and last > 0.95 * first:
        text = (
            f"On one and the same batch the loss goes from {first:.3g} to {last:.3g} in {len(losses)} steps only. A "
            "network that can learn learns one batch by heart."
        )
        advice = "Is something frozen that should learn? Does a block lose what the input says?"
        yield Finding(doctor.STUCK, WARNING, "One batch is not learned", text, advice)


def _of_memory(needed: int, free: int) -> Iterator[Finding]:
    if free and needed > _USABLE * free:
        text = f"A step takes {needed / 1e9:.2g} GB, and {free / 1e9:.2g} GB were free before."
        yield Finding(doctor.TIGHT, WARNING, "Memory is tight", text, "Smaller layers, or a pooling, help as well.")
