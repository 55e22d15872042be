"""What a run tells beside its loop: how far its data is made ready, and the figures of its epochs in a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from studio.runs import RunFolder
from studio.storage import StorageError
from studio.training.clock import SECONDS_BETWEEN_EVENTS
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Event, Preparing


class Announcer:
    """Told how far the data is made ready: tells it on a few times a second, and gives up if the run was stopped."""

    def __init__(self, control: Control, on_event: Callable[[Event], None]) -> None:
        self._control, self._on_event = control, on_event
        self._due = time.perf_counter() + SECONDS_BETWEEN_EVENTS  # what is ready sooner needs no words

    def __call__(self, done: int, total: int) -> None:
        """So many of so many samples are ready. Raises TrainingError if the run was stopped."""
        if self._control.stopping:
            raise TrainingError("The run was stopped before it began, while its data was read. Nothing was written.")
        if total and time.perf_counter() >= self._due:
            self._due = time.perf_counter() + SECONDS_BETWEEN_EVENTS
            self._on_event(Preparing(done, total))


class Rows:
    """Writes the figures of each epoch; what cannot be written is kept and tried again."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._waiting: list[dict[str, Any]] = []
        self._is_told = False

    def add(self, row: dict[str, Any]) -> str:
        """Take in an epoch; returns why it could not be written, in words, once."""
        self._waiting.append(row)
        try:
            self.finish()
        except StorageError as error:
            told, self._is_told = self._is_told, True
            return "" if told else str(error)
        return ""

    def finish(self) -> None:
        """Write what was not written yet. Raises StorageError."""
        if self._is_told and self._waiting:
            self._folder.cut_metrics(self._waiting[0]["epoch"] - 1)  # half a line may stand there
        while self._waiting:
            self._folder.append_metrics(self._waiting[0])
            del self._waiting[0]
        self._is_told = False
