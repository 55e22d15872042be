"""How the person's wishes reach a running loop: flags that are looked at between two steps."""

from __future__ import annotations

import threading

from studio.settings import TrainingSettings
from studio.training.desk import Desk


class Control:
    """Pause, resume, stop, change the settings, and ask for the weights, from any thread."""

    def __init__(self) -> None:
        self._may_run = threading.Event()
        self._may_run.set()
        self._stopping = False
        self._settings: TrainingSettings | None = None
        self.desk = Desk()  # where copies of the weights are asked for

    @property
    def paused(self) -> bool:
        """Whether a pause was asked for."""
        return not self._may_run.is_set()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopping

    def pause(self) -> None:
        """Hold before the next step."""
        self._may_run.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_run.set()

    def stop(self) -> None:
        """End after the step under way, paused or not."""
        self._stopping = True
        self._may_run.set()

    def change(self, settings: TrainingSettings) -> None:
        """Go on with other settings from the next step on; only what is `changeable` in them is taken."""
        self._settings = settings

    @property
    def changing(self) -> bool:
        """Whether other settings wait to be taken."""
        return self._settings is not None

    def take_change(self) -> TrainingSettings | None:
        """The newest settings that were asked for, once."""
        settings, self._settings = self._settings, None
        return settings

    def wait_while_paused(self, seconds: float | None = None) -> bool:
        """Block until resumed or stopped; False if that has not come within so many seconds."""
        return self._may_run.wait(seconds)
