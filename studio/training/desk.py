"""Where somebody asks a run for a copy of its weights, and where the run lays it down between two steps.

The run is not disturbed: it copies what it has and goes on. Whoever takes the copy computes with a network of their
own, in a thread of their own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from studio.data.dataset import Dataset
    from studio.project import Project
    from studio.training.loop import Trainer

SECONDS_BETWEEN_COPIES = 0.2
SHARE_OF_TIME = 0.01  # of the run that copies may take


@dataclass(frozen=True, eq=False)
class Behind:
    """What the weights belong to.

    Args:
        dataset: to be read only.
        preparation: as `studio.training.preparation.describe_preparation` gives it.
    """

    project: Project
    dataset: Dataset
    preparation: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Handed:
    """A copy of the weights.

    Args:
        weights: a state dict on the CPU: the weights that the validation is of.
        step: batches done when it was made.
        epoch: epochs completed.
        averaged: whether they are an average over steps or epochs.
    """

    weights: dict[str, Tensor]
    step: int
    epoch: int
    averaged: bool


class Desk:
    """Used by one run and one who asks, each in a thread of its own."""

    def __init__(self) -> None:
        self._asked = False
        self._due = 0.0
        self._handed: Handed | None = None
        self._behind: Behind | None = None

    @property
    def behind(self) -> Behind | None:
        """What the weights of the run under way belong to; None before it begins and after its end."""
        return self._behind

    def begin(self, behind: Behind) -> None:
        """A run begins. Weights of an earlier one are gone."""
        self._handed, self._behind = None, behind

    def end(self) -> None:
        """The run is over: nothing of it is kept here."""
        self._asked, self._handed, self._behind = False, None, None

    def ask(self) -> None:
        """Have a copy made, as soon as it is time for one."""
        self._asked = True

    @property
    def wanted(self) -> bool:
        """Whether a copy was asked for, and would neither come too soon nor take too large a share of the time."""
        return self._asked and time.perf_counter() >= self._due

    def hand(self, handed: Handed, seconds: float) -> None:
        """Lay down a copy.

        Args:
            seconds: what it took to make it.
        """
        self._handed, self._asked = handed, False
        self._due = time.perf_counter() + max(SECONDS_BETWEEN_COPIES, seconds / SHARE_OF_TIME)

    def take(self) -> Handed | None:
        """The newest copy, once."""
        handed, self._handed = self._handed, None
        return handed


def hand_out(trainer: Trainer) -> None:
    """Lay down a copy of a trainer's weights, between two steps and in its thread; nothing of the run changes."""
    started = time.perf_counter()
    weights = trainer.judged_weights()
    copies = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}
    averaged = trainer.averager is not None and trainer.averager.active
    handed = Handed(copies, trainer.step, trainer.epoch, averaged)
    trainer.control.desk.hand(handed, time.perf_counter() - started)
