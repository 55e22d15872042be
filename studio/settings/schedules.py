"""Schedules: how the learning rate moves in the course of a run.

A schedule is a function of the place in the run alone: a run that goes on after a break, and a preview, see the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

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


registry: Registry[Schedule] = Registry("schedule")


@registry.add
class Constant(Schedule):
    """The same rate from the first step to the last."""

    kind: ClassVar[str] = "constant"
    title: ClassVar[str] = "Constant"

    def factor(self, place: Place) -> float:
        """Always 1."""
        return 1.0


@registry.add
class Cosine(Schedule):
    """Half a wave down from the full rate to a small one, after a warm-up in which it rises evenly.

    Source: Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017.
    """

    kind: ClassVar[str] = "cosine"
    title: ClassVar[str] = "Cosine"

    warmup_epochs: float = field(0.0, min=0.0, max=1e6, help="Epochs in which the rate rises evenly to its full size.")
    floor: float = field(0.0, min=0.0, max=1.0, help="Share of the full rate that is left at the end.")

    def factor(self, place: Place) -> float:
        """Along the wave."""
        warmup = min(round(self.warmup_epochs * place.per_epoch), place.total)
        if place.step < warmup:
            return (place.step + 1) / warmup
        share = (place.step - warmup) / max(1, place.total - warmup)
        return self.floor + (1.0 - self.floor) * (1.0 + math.cos(math.pi * share)) / 2.0
