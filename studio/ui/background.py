"""One long piece of work in a thread of its own, with progress and a way to give up."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

Report = Callable[[int, int], None]  # (done, in all); raises CancelledError when the person gave up

_SECONDS_BETWEEN_REPORTS = 0.05


class CancelledError(Exception):
    """The person gave up on the work."""


class BackgroundTask(QThread):
    """Runs `work` once. `result` and `error` are read after it has finished.

    Args:
        work: called in the thread with a function to report progress to.
    """

    progressed = Signal(float, float)  # done, in all; numbers of bytes do not fit a signal's int

    def __init__(self, work: Callable[[Report], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.result: object = None
        self.error: Exception | None = None
        self._work = work
        self._next_report = 0.0

    @property
    def cancelled(self) -> bool:
        """Whether it ended because the person gave up."""
        return isinstance(self.error, CancelledError)

    def cancel(self) -> None:
        """Give up at the next report of progress."""
        self.requestInterruption()

    def run(self) -> None:
        try:
            self.result = self._work(self._report)
        except Exception as error:  # handed to whoever started the work
            self.error = error

    def _report(self, done: int, total: int) -> None:
        if self.isInterruptionRequested():
            raise CancelledError
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _SECONDS_BETWEEN_REPORTS
            self.progressed.emit(float(done), float(total))
