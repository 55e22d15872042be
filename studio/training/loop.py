"""The training loop: a plain generator of events. It never waits for a window and knows none.

After each step it yields, so that whoever drains it can pause or stop within one step: an Event a few times a
second, None otherwise. The device is read only when an event is due.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from studio.data.batches import Batches
from studio.training.averaging import Averager
from studio.training.clock import SECONDS_BETWEEN_EVENTS, Clock
from studio.training.control import Control
from studio.training.desk import hand_out
from studio.training.events import (
    DIVERGED,
    FINISHED,
    STOPPED,
    Changed,
    Confusion,
    EpochEnded,
    Event,
    Metrics,
    NotSaved,
)  # fmt: skip
from studio.training.keeper import Keeper
from studio.training.metrics import Meter, Subject
from studio.training.mixing import Mixer
from studio.training.state import state_of
from studio.training.stepping import Stepper
from studio.training.stopping import Watch
from studio.training.surface import Surveyor
from studio.training.tasks import Sums, Tally, Task
from studio.training.watcher import Watcher

if TYPE_CHECKING:
    from studio.training.spread.leading import Leader

Steps = Generator[Event | None, None, None]
Measuring = Generator[Event | None, None, Metrics]


@dataclass
class Trainer:
    """A network and all it takes to train it.

    Args:
        stepper: holds the network and the optimizer, and does the steps.
        batches: one for each split: "train", "validation" and "test".
        shuffle: decides the order of the training samples.
        subject: what is measured on the validation beside loss and score.
        watch: says which epoch is the best, and when to stop early.
        frozen: parts of the network that stay as they are: their weights, averages of batch norms, no dropout.
        averager: averages the weights, and the validation is theirs; None for the weights as they are.
        mixer: mixes the batches of the training, and belongs to the stepper's loss; None for batches as they are.
        team: other processes that do the same steps on other rows; None for this one alone.
        surveyor: looks at data with two features after an epoch, if it is time; None for no looks.
        watcher: looks closely at a step now and then; None for no looks.
        step: batches done since the start of the run.
        epoch: epochs completed.
        under_way: number of the epoch of which batches are done, from 1.
        done: how many of its batches.
        order: state of `shuffle` at the start of that epoch; empty before the first.
        averaged: the last epoch whose end the averager took in.
        seconds, epoch_seconds: what the run, and the epoch under way, took before they went on here.

    What a run needs beyond that to go on to the same bits hangs on the trainer or its stepper and has `state_dict` and
    `load_state_dict`: it is kept in every checkpoint, see studio.training.state.
    """

    stepper: Stepper
    task: Task
    batches: dict[str, Batches]
    shuffle: torch.Generator
    keeper: Keeper
    control: Control
    subject: Subject
    watch: Watch
    team: Leader | None = None
    surveyor: Surveyor | None = None
    watcher: Watcher | None = None
    frozen: tuple[nn.Module, ...] = ()
    averager: Averager | None = None
    mixer: Mixer | None = None
    step: int = 0
    epoch: int = 0
    under_way: int = 1
    done: int = 0
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))
    averaged: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    status: str = FINISHED
    reason: str = ""  # why it ended early although nobody stopped it, as a sentence
    paused_seconds: float = field(default=0.0, init=False)
    _meter: Meter | None = field(default=None, init=False)  # of the last evaluation
    _confusion_due: float = field(default=0.0, init=False)

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
    def outputs(self) -> int:
        """How many Outputs the network has."""
        return 1 if self.task.outputs is None else len(self.task.outputs.parts)

    @property
    def measures(self) -> tuple[str, ...]:
        """The figures of an epoch beside the loss that can be told, the score first."""
        return self.subject.names if self.task.outputs is None else (*self.subject.names, *self.task.outputs.names)

    @property
    def epochs(self) -> int:
        """How many there will be."""
        return self.stepper.epochs

    def train(self) -> Steps:
        """Train until all epochs are done, the person stops it, or the loss is no longer a number.

        A trainer that was put where another one stood goes on from there.
        """
        self.keeper.save(state_of(self))  # a kill in the first seconds shall not make the run unknown
        for epoch in range(self.epoch + 1, self.epochs + 1):
            train = yield from self.train_epoch(epoch)
            if self.status != FINISHED:
                return
            yield from self._save_if_due()  # a long validation need not be the reason that the epoch is trained again
            validation_started = time.perf_counter()
            validation = yield from self._validate(epoch)
            self.clock.shift(time.perf_counter() - validation_started)
            if self._should_stop(validation["loss"]):
                return
            self.epoch, self.done = epoch, 0
            self.stepper.see(validation["loss"])
            if best := self.watch.is_better(validation):
                self.keeper.note(self.judged_weights(), epoch, self.step, validation)
            seconds, self.epoch_seconds = self.clock.epoch_seconds, 0.0
            yield EpochEnded(epoch, self.step, train, validation, seconds, best)
            yield from self._tell_confusion(epoch)
            yield from self._survey()
            yield from self._save_if_due()
            if self.watch.exhausted:
                self.reason = self.watch.reason(epoch)
                return

    def _validate(self, epoch: int) -> Measuring:
        """Figures of the validation after an epoch, with the averaged weights if there are any."""
        if self.averager is None:
            return (yield from self.evaluate("validation"))
        if self.averaged < epoch:  # a stop in the validation may have come after it
            self.averager.end_epoch(epoch)
            self.averaged = epoch
        with self.averager.applied():
            if self.averager.measures_norms:
                for _ in self.averager.measure_norms(self.batches["train"].epoch(None)):
                    yield None
                    if self.control.paused:
                        self._wait()
                    if self._should_stop(0.0):
                        break
            return (yield from self.evaluate("validation"))

    def judged_weights(self) -> dict[str, Tensor]:
        """The weights that the validation is of."""
        return self.model.state_dict() if self.averager is None else self.averager.weights()

    def _tell_confusion(self, epoch: int) -> Steps:
        """A few times a second, and after the last epoch."""
        over = epoch == self.epochs or self.watch.exhausted
        if self.subject.confused and (over or time.perf_counter() >= self._confusion_due):
            self._confusion_due = time.perf_counter() + SECONDS_BETWEEN_EVENTS
            yield self.confusion(epoch)

    def confusion(self, epoch: int, *, best: bool = False) -> Confusion:
        """Which class was taken for which in the last evaluation."""
        assert self._meter is not None
        return Confusion(epoch, best, self._meter.confusion())

    def _save_if_due(self) -> Steps:
        """Begin to write a checkpoint, if it is time; tell of an earlier one that could not be written."""
        if self.keeper.is_due():
            self.keeper.save(state_of(self))
        if problem := self.keeper.take_problem():
            yield NotSaved(problem)

    def _survey(self) -> Steps:
        """Look at the plane, if it is time; given up when the person stops the run."""
        if self.surveyor is None or not self.surveyor.is_due():
            return
        started = time.perf_counter()
        for surface in self.surveyor.look(self.epoch):
            yield surface
            if self.control.stopping:
                break
        self.clock.shift(time.perf_counter() - started)

    def new_tally(self) -> Tally:
        """What sums up the steps of an epoch, those of other processes, too."""
        return Tally(self.task) if self.team is None else self.team.tally(self.task)

    @functools.cached_property
    def clock(self) -> Clock:
        """What sums up the steps."""
        return Clock(self)

    def train_epoch(self, epoch: int) -> Measuring:
        """Go through the training split once; returns its figures.

        Args:
            epoch: its number, from 1.
        """
        self.model.train()
        for part in self.frozen:
            part.eval()
        clock, stepper, watcher = self.clock, self.stepper, self.watcher
        self._begin_epoch(epoch)
        for inputs, targets in self.batches["train"].epoch(self.shuffle, epoch, self.done):
            if self.mixer is not None:
                inputs = self.mixer.mix(inputs, epoch, self.step)
            looked = None
            if watcher is not None and watcher.is_due(self.step):
                with watcher.looking():
                    loss, answers = stepper(inputs, targets, self.step, plainly=watcher.plainly)
                looked = watcher.told(self.step + 1, epoch, loss, self.learning_rate)
            else:
                loss, answers = stepper(inputs, targets, self.step)
            self.step += 1
            self.done += 1
            clock.tally.add(loss, answers, targets)
            if looked is not None:
                yield looked
            if clock.is_due():
                yield clock.progress(epoch)
                yield from self._tell_news(epoch)
                if math.isfinite(clock.loss):
                    yield from self._save_if_due()
            else:
                yield None
            if self.control.paused:
                self.keeper.save(state_of(self), wait=True)
                clock.shift(self._wait(hand_out))
            if self.control.desk.wanted:
                hand_out(self)
            if self.control.changing:
                yield from self._change(epoch)
            if self._should_stop(clock.loss):
                break
        return clock.epoch_metrics()

    def _tell_news(self, epoch: int) -> Steps:
        """What became of the compiled code."""
        if news := self.stepper.news():
            yield Changed(self.step, epoch, "speed.compile", "off" if self.stepper.is_compiled else "whole step", news)

    def _begin_epoch(self, epoch: int) -> None:
        if epoch != self.under_way:
            self.under_way, self.done = epoch, 0
        if self.done == 0:
            self.order = self.shuffle.get_state()
        self.clock.begin_epoch()
        if self.team is not None:
            self.team.begin_epoch(self, epoch)

    def _change(self, epoch: int) -> Steps:
        """Take over settings that the person changed."""
        settings = self.control.take_change()
        assert settings is not None
        for name, (before, after) in self.stepper.change(settings).items():
            yield Changed(self.step, epoch, name, before, after)

    def _wait(self, asked: Callable[[Trainer], None] | None = None) -> float:
        """Hold while paused, and hand out weights by `asked`; returns for how many seconds, which no figure counts."""
        paused = time.perf_counter()
        while not self.control.wait_while_paused(SECONDS_BETWEEN_EVENTS):
            if asked is not None and self.control.desk.wanted:
                asked(self)
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
        """All figures of a split, with the weights as they are; can be stopped between two batches."""
        self.model.eval()
        tally, meter = Tally(self.task), Meter(self.subject)
        self._meter, outputs = meter, self.task.outputs
        for inputs, targets in self.batches[split].epoch(None):
            with torch.inference_mode():
                answers = self.stepper.answers(inputs)
                tally.add(self.task.loss(answers, targets), answers, targets)
                meter.add(answers if outputs is None else outputs.main_answers(answers), targets)
            yield None
            if self.control.paused:
                self._wait()
            if self._should_stop(0.0):
                break
        return {**self.figures(tally.sums()), **meter.figures()}

    def figures(self, sums: Sums) -> Metrics:
        """Loss and score of some batches, and those of each Output where there are several."""
        own = {} if self.task.outputs is None else self.task.outputs.figures(sums)
        return {"loss": sums.mean_loss, self.task.metric: sums.mean_score, **own}
