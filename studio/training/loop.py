"""The training loop: a plain generator of events. It never waits for a window and knows none.

After each step it yields, so that whoever drains it can pause or stop within one step: an Event a few times a
second, None otherwise. The device is read only when an event is due.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import torch
from torch import nn

from studio.data.batches import Batches
from studio.training.control import Control
from studio.training.events import DIVERGED, FINISHED, STOPPED, Changed, EpochEnded, Event, Metrics, Progress
from studio.training.keeper import Keeper
from studio.training.stepping import Stepper
from studio.training.surface import Surveyor
from studio.training.tasks import Sums, Tally, Task
from studio.training.watcher import Watcher

SECONDS_BETWEEN_EVENTS = 1 / 10
# A mean over fewer steps jumps about on the plot; where steps are slow, it comes after so many seconds at the latest.
FEWEST_STEPS, LONGEST_SECONDS = 8, 1.0

Steps = Generator[Event | None, None, None]
Measuring = Generator[Event | None, None, Metrics]


@dataclass
class Trainer:
    """A network and all it takes to train it.

    Args:
        stepper: holds the network and the optimizer, and does the steps.
        batches: one for each split: "train", "validation" and "test".
        shuffle: decides the order of the training samples.
        frozen: parts of the network that stay as they are: their weights, averages of batch norms, no dropout.
        surveyor: looks at data with two features after an epoch, if it is time; None for no looks.
        watcher: looks closely at a step now and then; None for no looks.
    """

    stepper: Stepper
    task: Task
    batches: dict[str, Batches]
    shuffle: torch.Generator
    keeper: Keeper
    control: Control
    surveyor: Surveyor | None = None
    watcher: Watcher | None = None
    frozen: tuple[nn.Module, ...] = ()
    step: int = 0
    epoch: int = 0  # completed
    status: str = FINISHED
    paused_seconds: float = field(default=0.0, init=False)

    @property
    def model(self) -> nn.Module:
        """The network."""
        return self.stepper.model

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """What moves its weights."""
        return self.stepper.optimizer

    @property
    def learning_rate(self) -> float:
        """That of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def epochs(self) -> int:
        """How many there will be."""
        return self.stepper.epochs

    def train(self) -> Steps:
        """Train until all epochs are done, the person stops it, or the loss is no longer a number."""
        for epoch in range(1, self.epochs + 1):
            epoch_started = time.perf_counter()
            train = yield from self.train_epoch(epoch)
            if self.status != FINISHED:
                return
            validation_started = time.perf_counter()
            validation = yield from self.evaluate("validation")
            self._clock.shift(time.perf_counter() - validation_started)
            if self._should_stop(validation["loss"]):
                return
            self.epoch = epoch
            best = self.keeper.keep(self.model, self.optimizer, epoch, self.step, validation)
            yield EpochEnded(epoch, self.step, train, validation, time.perf_counter() - epoch_started, best)
            yield from self._survey()

    def _survey(self) -> Steps:
        """Look at the plane, if it is time; given up when the person stops the run."""
        if self.surveyor is None or not self.surveyor.is_due():
            return
        started = time.perf_counter()
        for surface in self.surveyor.look(self.epoch):
            yield surface
            if self.control.stopping:
                break
        self._clock.shift(time.perf_counter() - started)

    @functools.cached_property
    def _clock(self) -> _Clock:
        return _Clock(self)

    def train_epoch(self, epoch: int) -> Measuring:
        """Go through the training split once; returns its figures.

        Args:
            epoch: its number, from 1.
        """
        self.model.train()
        for part in self.frozen:
            part.eval()
        clock, stepper, watcher = self._clock, self.stepper, self.watcher
        for inputs, targets in self.batches["train"].epoch(self.shuffle, epoch):
            watching = watcher is not None and watcher.is_due(self.step)
            if watching:
                watcher.begin()  # type: ignore[union-attr]
            loss, answers = stepper(inputs, targets, self.step)
            self.step += 1
            if watching:
                yield watcher.end(self.step, epoch, loss, self.learning_rate)  # type: ignore[union-attr]
            clock.tally.add(loss, answers, targets)
            yield clock.progress(epoch) if clock.is_due() else None
            if self.control.paused:
                clock.shift(self._wait())
            if self.control.changing:
                yield from self._change(epoch)
            if self._should_stop(clock.loss):
                break
        return clock.epoch_metrics()

    def _change(self, epoch: int) -> Steps:
        """Take over settings that the person changed."""
        settings = self.control.take_change()
        assert settings is not None
        for name, (before, after) in self.stepper.change(settings).items():
            yield Changed(self.step, epoch, name, before, after)

    def _wait(self) -> float:
        """Hold while paused; returns for how many seconds, which no figure counts."""
        paused = time.perf_counter()
        self.control.wait_while_paused()
        seconds = time.perf_counter() - paused
        self.paused_seconds += seconds
        return seconds

    def _should_stop(self, loss: float) -> bool:
        if not math.isfinite(loss):
            self.status = DIVERGED
        elif self.control.stopping:
            self.status = STOPPED
        return self.status != FINISHED

    def evaluate(self, split: str) -> Measuring:
        """Loss and score on a split, with the weights as they are; can be stopped between two batches."""
        self.model.eval()
        tally = Tally(self.task)
        for inputs, targets in self.batches[split].epoch(None):
            with torch.inference_mode():
                answers = self.stepper.answers(inputs)
                tally.add(self.task.loss(answers, targets), answers, targets)
            yield None
            if self.control.paused:
                self._wait()
            if self._should_stop(0.0):
                break
        sums = tally.sums()
        return {"loss": sums.mean_loss, self.task.metric: sums.mean_score}


class _Clock:
    """Decides when an event is due, and sums up the steps since the last one and since the epoch's start.

    It goes on from epoch to epoch: those of tiny networks are shorter than the time between two events.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.tally = Tally(trainer.task)
        self.loss = 0.0  # of the steps before the last event
        self._since_event = Sums()
        self._since_epoch = Sums()
        self._started = self._last = time.perf_counter()
        self._last_step = trainer.step
        self._due = self._last + SECONDS_BETWEEN_EVENTS

    def is_due(self) -> bool:
        now = time.perf_counter()
        if now < self._due:
            return False
        return self.trainer.step - self._last_step >= FEWEST_STEPS or now >= self._last + LONGEST_SECONDS

    def shift(self, seconds: float) -> None:
        """Leave so many seconds, in which nothing was trained, out of the throughput."""
        self._last += seconds
        self._due += seconds

    def progress(self, epoch: int) -> Progress:
        """Means over the steps since the last event."""
        self._collect()
        sums, self._since_event = self._since_event, Sums()
        self.loss = sums.mean_loss
        now = time.perf_counter()
        seconds, self._last, self._due = now - self._last, now, now + SECONDS_BETWEEN_EVENTS
        self._last_step = self.trainer.step
        return Progress(
            step=self.trainer.step,
            epoch=epoch,
            loss=self.loss,
            score=sums.mean_score,
            learning_rate=self.trainer.learning_rate,
            samples_per_second=sums.samples / max(seconds, 1e-9),
            seconds_left=self._seconds_left(now),
        )

    def _seconds_left(self, now: float) -> float:
        trainer = self.trainer
        total = trainer.epochs * len(trainer.batches["train"])
        return (now - self._started - trainer.paused_seconds) / trainer.step * (total - trainer.step)

    def _collect(self) -> None:
        sums = self.tally.sums()
        self.tally = Tally(self.trainer.task)
        self._since_event.add(sums)
        self._since_epoch.add(sums)

    def epoch_metrics(self) -> Metrics:
        """Means over the epoch that ends now. A loss that is not a number is noticed here at the latest."""
        self._collect()
        sums, self._since_epoch = self._since_epoch, Sums()
        if not math.isfinite(sums.loss):
            self.trainer.status = DIVERGED
        return {"loss": sums.mean_loss, self.trainer.task.metric: sums.mean_score}
