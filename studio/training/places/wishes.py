"""What a run in a process of its own is asked for: lines of JSON, each a wish with a value."""

from __future__ import annotations

import json
import logging
from typing import Any

from studio import storage
from studio.settings import TrainingSettings
from studio.training.control import Control
from studio.training.places.mailbox import Mailbox

PAUSE, RESUME, STOP, CHANGE = "pause", "resume", "stop", "change"
MOST_BYTES = 1_000_000  # that are read at once

logger = logging.getLogger(__name__)


def send(mailbox: Mailbox, wish: str, value: Any = None) -> None:
    """Ask the run for something; it obeys within a step. Raises StorageError."""
    storage.append_line(mailbox.wishes_file, json.dumps({"wish": wish, "value": value}, allow_nan=False))


class Forwarder:
    """Tells a run what a control was asked for since the last time."""

    def __init__(self, mailbox: Mailbox, control: Control) -> None:
        self._mailbox, self._control = mailbox, control
        self._paused = self._stopping = False

    def forward(self) -> None:
        """Send what is new. Raises StorageError."""
        control = self._control
        if control.changing and (settings := control.take_change()) is not None:
            send(self._mailbox, CHANGE, settings.to_json())
        if control.paused != self._paused:
            self._paused = control.paused
            send(self._mailbox, PAUSE if self._paused else RESUME)
        if control.stopping and not self._stopping:
            self._stopping = True
            send(self._mailbox, STOP)


class Listener:
    """Obeys the wishes that came since the last time; in the process of the run."""

    def __init__(self, mailbox: Mailbox, control: Control) -> None:
        self._mailbox, self._control = mailbox, control
        self._offset = 0

    def obey(self) -> None:
        """Pass what is new on to the control; what is no wish is logged and left alone. Raises StorageError."""
        content = storage.read_appended(self._mailbox.wishes_file, self._offset, MOST_BYTES)
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for text in whole.splitlines():
            try:
                self._obey(storage.parse_json(text, str(self._mailbox.wishes_file)))
            except (storage.BadFileError, ValueError) as error:
                logger.warning("a wish was not understood: %s", error)

    def _obey(self, line: object) -> None:
        match line:
            case {"wish": "pause"}:
                self._control.pause()
            case {"wish": "resume"}:
                self._control.resume()
            case {"wish": "stop"}:
                self._control.stop()
            case {"wish": "change", "value": dict() as settings}:
                self._control.change(TrainingSettings.from_json(settings))
            case _:
                raise ValueError(f"there is no wish {str(line)[:80]!r}")
