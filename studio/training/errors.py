"""What keeps a run from starting or going on. No torch here: the window catches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from studio.settings import TrainingSettings
    from studio.training.pretrained import WeightsFile


class TrainingError(Exception):
    """A run cannot start or go on; the message says why and what to do."""


class MissingWeightsError(TrainingError):
    """Learned weights with which the network begins are not on this machine, or are not the original ones.

    Args:
        message: for people.
        file: what may be downloaded.
    """

    def __init__(self, message: str, file: WeightsFile) -> None:
        super().__init__(message)
        self.file = file


class ChangedDataError(TrainingError):
    """The data of a run that is to go on is no longer what it was trained on."""


class MemoryShortageError(TrainingError):
    """Memory ran out in the middle of a run.

    Args:
        message: for people.
        run: folder of the run, which can go on from its last checkpoint.
        smaller: settings that need less memory for the same training; None if there are none.
    """

    def __init__(self, message: str, run: Path, smaller: TrainingSettings | None) -> None:
        super().__init__(message)
        self.run = run
        self.smaller = smaller


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why."""
