"""Schedules: how the learning rate moves in the course of a run.

A schedule is a function of the place in the run alone: a run that goes on after a break, and a preview, see the same.
What a plateau has to remember lies apart, in `PlateauMemory`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from studio.fields import Declared, field
from studio.registry import Registry


@dataclass(frozen=True)
class Place:
    """Where a run is.

    Args:
        step: steps that were done before, from 0.
        total: steps of the whole run.
        per_epoch: steps of an epoch.
    """

    step: int
    total: int
    per_epoch: int


class Schedule(Declared):
    """Base of every schedule."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]

    def factor(self, place: Place) -> float:
        """What the optimizer's learning rate is multiplied with for the step that comes next."""
        raise NotImplementedError

    @property
    def moves_momentum(self) -> bool:
        """Whether it also sets the optimizer's momentum."""
        return False

    def momentum(self, place: Place) -> float:
        """The momentum of the step that comes next, where the schedule moves it."""
        raise NotImplementedError

    @property
    def is_constant(self) -> bool:
        """Whether the rate never moves."""
        return False

    def memory(self) -> PlateauMemory | None:
        """What it has to remember of a run; None for nothing."""
        return None


class Warmed(Schedule):
    """Base of those that may begin with a rise."""

    warmup_epochs: float = field(0.0, min=0.0, max=1e6, help="Epochs in which the rate rises evenly to its full size.")

    def factor(self, place: Place) -> float:
        """Evenly up, and then along the schedule as if the run began behind the rise."""
        warmup = min(round(self.warmup_epochs * place.per_epoch), place.total)
        if place.step < warmup:
            return (place.step + 1) / warmup
        return self.shape(Place(place.step - warmup, place.total - warmup, place.per_epoch))

    def shape(self, place: Place) -> float:
        """The factor at a place behind the rise, of which steps are counted from there."""
        raise NotImplementedError


registry: Registry[Schedule] = Registry("schedule")


@registry.add
class Constant(Warmed):
    """The same rate from the first step to the last."""

    kind: ClassVar[str] = "constant"
    title: ClassVar[str] = "Constant"

    def shape(self, place: Place) -> float:
        """Always 1."""
        return 1.0

    @property
    def is_constant(self) -> bool:
        """Without a rise."""
        return self.warmup_epochs == 0.0


_FLOOR_HELP = "Share of the full rate that is left at the end."


@registry.add
class Cosine(Warmed):
    """Half a wave down from the full rate to a small one, after a warm-up in which it rises evenly.

    Source: Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017.
    """

    kind: ClassVar[str] = "cosine"
    title: ClassVar[str] = "Cosine"

    floor: float = field(0.0, min=0.0, max=1.0, help=_FLOOR_HELP)

    def shape(self, place: Place) -> float:
        """Along the wave."""
        return _wave(place.step / max(1, place.total), self.floor)


def _wave(share: float, floor: float) -> float:
    """Half a wave from 1 down to a floor."""
    return floor + (1.0 - floor) * (1.0 + math.cos(math.pi * share)) / 2.0


@registry.add
class Restarts(Warmed):
    """Half a wave down again and again, each time from the full rate.

    Source: Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017.
    """

    kind: ClassVar[str] = "cosine-restarts"
    title: ClassVar[str] = "Cosine with restarts"

    first_epochs: float = field(10.0, min=0.01, max=1e6, unit="epochs", help="Length of the first wave.")
    stretch: int = field(1, min=1, max=10, help="Each wave is so many times as long as the one before.")
    floor: float = field(0.0, min=0.0, max=1.0, help=_FLOOR_HELP, rare=True)

    def shape(self, place: Place) -> float:
        """Along the wave in which the step lies."""
        length = max(1, round(self.first_epochs * place.per_epoch))
        step = place.step
        if self.stretch == 1:
            return _wave(step % length / length, self.floor)
        while step >= length:
            step -= length
            length *= self.stretch
        return _wave(step / length, self.floor)


@registry.add
class Steps(Warmed):
    """Down at once after every so many epochs."""

    kind: ClassVar[str] = "step"
    title: ClassVar[str] = "Steps"

    every: int = field(10, min=1, max=1_000_000, unit="epochs", help="After how many epochs the rate falls again.")
    gamma: float = field(0.1, min=0.0, max=1.0, help="What the rate is multiplied with then.")

    def shape(self, place: Place) -> float:
        """By the number of falls."""
        return float(self.gamma ** (place.step // (place.per_epoch * self.every)))


@registry.add
class Milestones(Warmed):
    """Down at once after certain epochs."""

    kind: ClassVar[str] = "multi-step"
    title: ClassVar[str] = "Milestones"

    epochs: tuple[int, ...] = field((30, 60, 90), min=1, max=1_000_000, help="After which epochs the rate falls.")
    gamma: float = field(0.1, min=0.0, max=1.0, help="What the rate is multiplied with then.")

    def shape(self, place: Place) -> float:
        """By the number of falls."""
        epoch = place.step // place.per_epoch
        return float(self.gamma ** sum(epoch >= milestone for milestone in self.epochs))


@registry.add
class Exponential(Warmed):
    """Down by the same share after each epoch."""

    kind: ClassVar[str] = "exponential"
    title: ClassVar[str] = "Exponential"

    gamma: float = field(0.95, min=0.0, max=1.0, help="What the rate is multiplied with after each epoch.")

    def shape(self, place: Place) -> float:
        """By the number of epochs."""
        return float(self.gamma ** (place.step // place.per_epoch))


@registry.add
class Polynomial(Warmed):
    """Down to zero with the last step: along a line for a power of 1, first fast and then slowly for higher ones."""

    kind: ClassVar[str] = "polynomial"
    title: ClassVar[str] = "Polynomial or linear"

    power: float = field(1.0, min=0.01, max=100.0, help="1 is a line; 2 falls fast at first and slowly at the end.")

    def shape(self, place: Place) -> float:
        """What is left of the run, to the power."""
        return float((1.0 - min(place.step, place.total) / max(1, place.total)) ** self.power)


@registry.add
class OneCycle(Schedule):
    """Up in a wave to the full rate and down to almost nothing; the momentum moves the other way.

    Source: Smith and Topin, "Super-convergence", 2018.
    """

    kind: ClassVar[str] = "one-cycle"
    title: ClassVar[str] = "One cycle"

    rise: float = field(0.3, min=0.01, max=0.99, help="Share of the run in which the rate rises.")
    start: float = field(25.0, min=1.0, max=1e9, help="The rate begins at one so-manieth of the full one.", rare=True)
    end: float = field(1e4, min=1.0, max=1e12, help="It ends at one so-manieth of that at the start.", rare=True)
    cycle_momentum: bool = field(True, help="Move the momentum too: least where the rate is full.", rare=True)
    least_momentum: float = field(0.85, min=0.0, max=0.9999, help="At the full rate.", rare=True)
    most_momentum: float = field(0.95, min=0.0, max=0.9999, help="At the start and at the end.", rare=True)

    def factor(self, place: Place) -> float:
        """Up, then down."""
        return self._between(place, 1.0 / self.start, 1.0, 1.0 / (self.start * self.end))

    @property
    def moves_momentum(self) -> bool:
        """If it was asked for."""
        return self.cycle_momentum

    def momentum(self, place: Place) -> float:
        """Down, then up."""
        return self._between(place, self.most_momentum, self.least_momentum, self.most_momentum)

    def _between(self, place: Place, first: float, middle: float, last: float) -> float:
        top, end = self.rise * place.total - 1, place.total - 1
        if place.step <= top or end <= top:
            return _eased(first, middle, place.step / top if top > 0 else 1.0)
        return _eased(middle, last, (place.step - top) / (end - top))


def _eased(first: float, last: float, share: float) -> float:
    """Along half a wave from one number to another."""
    return last + (first - last) / 2.0 * (1.0 + math.cos(math.pi * min(1.0, share)))


@registry.add
class Plateau(Warmed):
    """Down each time that the validation loss has not fallen for some epochs."""

    kind: ClassVar[str] = "plateau"
    title: ClassVar[str] = "Plateau"

    gamma: float = field(0.1, min=0.0, max=0.9999, help="What the rate is multiplied with then.")
    patience: int = field(10, min=0, max=1_000_000, unit="epochs", help="How many epochs without a gain are borne.")
    threshold: float = field(
        1e-4, min=0.0, max=0.9999, help="A gain is a fall of the loss by more than this share.", rare=True
    )
    cooldown: int = field(
        0, min=0, max=1_000_000, unit="epochs", help="Epochs after a fall that do not count.", rare=True
    )
    floor: float = field(0.0, min=0.0, max=1.0, help="Share of the full rate below which it does not fall.", rare=True)

    def shape(self, place: Place) -> float:
        """Always 1: the falls are in its memory."""
        return 1.0

    def memory(self) -> PlateauMemory:
        """Of a run that begins."""
        return PlateauMemory(self)


class PlateauMemory:
    """What a plateau has seen of a run: `factor` is what its falls come to."""

    def __init__(self, plateau: Plateau) -> None:
        self.plateau = plateau
        self.factor = 1.0
        self._best = math.inf
        self._bad = 0
        self._cooling = 0

    def see(self, loss: float) -> None:
        """Take in the validation loss of an epoch."""
        plateau = self.plateau
        if loss < self._best * (1.0 - plateau.threshold):
            self._best, self._bad = loss, 0
        else:
            self._bad += 1
        if self._cooling > 0:
            self._cooling -= 1
            self._bad = 0
        if self._bad > plateau.patience:
            self.factor = max(self.factor * plateau.gamma, plateau.floor)
            self._cooling, self._bad = plateau.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        """All that it remembers, as plain numbers."""
        return {"factor": self.factor, "best": self._best, "bad": self._bad, "cooling": self._cooling}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember what `state_dict` gave."""
        self.factor, self._best = float(state["factor"]), float(state["best"])
        self._bad, self._cooling = int(state["bad"]), int(state["cooling"])


def preview(schedule: Schedule, epochs: int, points: int = 200) -> list[tuple[float, float]]:
    """How the rate will move: pairs of the epoch and the factor, in order.

    Args:
        epochs: how many the run has.
        points: about how many pairs.
    """
    # The real number of steps is known when the data is there; the curve hardly depends on it.
    per_epoch = max(10, points // epochs)
    total = epochs * per_epoch
    stride = max(1, total // points)
    return [(step / per_epoch, schedule.factor(Place(step, total, per_epoch))) for step in range(0, total, stride)]
