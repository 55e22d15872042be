"""When the training loop tells how far it is, and what: means over the steps since it last did."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from studio.training.events import DIVERGED, Metrics, Progress
from studio.training.tasks import Sums

if TYPE_CHECKING:
    from studio.training.loop import Trainer

SECONDS_BETWEEN_EVENTS = 1 / 10
# A mean over fewer steps jumps about on the plot; where steps are slow, it comes after so many seconds at the latest.
FEWEST_STEPS, LONGEST_SECONDS = 8, 1.0


class Clock:
    """Decides when an event is due, and sums up the steps since the last one and since the epoch's start.

    Events go on from epoch to epoch: the epochs of tiny networks are shorter than the time between two of them.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.tally = trainer.new_tally()  # of the epoch under way
        self.loss = 0.0  # of the steps before the last event
        self.good_step = trainer.step  # up to here every loss was a number
        self._told = Sums()  # what events said of the epoch under way
        self._untold = Sums()  # what no event said of the one before
        self._started = self._last = self._epoch_started = time.perf_counter()
        self._first_step = self._last_step = trainer.step
        self._due = self._last + SECONDS_BETWEEN_EVENTS

    def begin_epoch(self) -> None:
        """Begin to sum up an epoch, or go on with one of which some batches are done."""
        self._epoch_started = time.perf_counter() - self.trainer.epoch_seconds
        if self.trainer.done == 0:
            self._untold.add(self.tally.sums() - self._told)
            self.tally, self._told = self.trainer.new_tally(), Sums()

    def is_due(self) -> bool:
        """Whether to tell: neither too soon nor after too few steps."""
        now = time.perf_counter()
        if now < self._due:
            return False
        return self.trainer.step - self._last_step >= FEWEST_STEPS or now >= self._last + LONGEST_SECONDS

    def shift(self, seconds: float) -> None:
        """Leave so many seconds, in which nothing was trained, out of the throughput."""
        self._last += seconds
        self._due += seconds

    @property
    def seconds(self) -> float:
        """What the run took since it began or went on here."""
        return time.perf_counter() - self._started

    @property
    def epoch_seconds(self) -> float:
        """What the epoch under way took, also before the run went on here."""
        return time.perf_counter() - self._epoch_started

    def progress(self, epoch: int) -> Progress:
        """Means over the steps since the last event."""
        told = self.tally.sums()
        sums, self._told = told - self._told, told
        sums.add(self._untold)
        self._untold = Sums()
        self.loss = sums.mean_loss
        now = time.perf_counter()
        seconds, self._last, self._due = now - self._last, now, now + SECONDS_BETWEEN_EVENTS
        self._last_step = self.trainer.step
        if math.isfinite(self.loss):
            self.good_step = self.trainer.step
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
        per_step = (now - self._started - trainer.paused_seconds) / max(1, trainer.step - self._first_step)
        return per_step * (total - trainer.step)

    def epoch_metrics(self) -> Metrics:
        """Means over the epoch that ends now. A loss that is not a number is noticed here at the latest."""
        sums = self.tally.sums()
        if not math.isfinite(sums.loss):
            self.trainer.status = DIVERGED
        else:
            self.good_step = self.trainer.step
        return self.trainer.figures(sums)
