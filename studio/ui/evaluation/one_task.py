"""At most one piece of work at a time; a newer one takes the place of what is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from studio.ui.background import BackgroundTask
from studio.ui.newest import politeness

Progress = Callable[[int, int], None]
Say = Callable[[str], None]
Work = Callable[[Say, Progress], Any]


@dataclass(frozen=True, eq=False)
class _Order:
    work: Work
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


class OneTask(QObject):
    """Runs work in a thread. What it gives is handed on in the GUI thread, unless it was given up."""

    busy_changed = Signal(bool)
    said = Signal(str)  # what is being done; comes from the thread
    progressed = Signal(float, float)  # done, in all

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task: BackgroundTask | None = None
        self._order: _Order | None = None
        self._next: _Order | None = None
        self._given_up = False

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._task is not None

    def start(self, work: Work, done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        """Begin, or begin when the work under way, which is given up, has ended.

        Args:
            work: called in the thread with functions to tell what it is doing and how far it is; the second one raises
                CancelledError when it was given up.
            done: called with what the work returned.
            failed: called with what it raised; not if it was given up.
        """
        order = _Order(work, done, failed)
        if self._task is not None:
            self._next = order
            self.cancel()
            return
        self._begin(order)

    def cancel(self) -> None:
        """Give up the work under way; it ends at its next report of progress, and nobody hears of it."""
        if self._task is not None:
            self._given_up = True
            self._task.cancel()

    def close(self) -> None:
        """Give up, and wait for the thread."""
        self._next = None
        self.cancel()
        if self._task is not None:
            self._task.wait()
            self._end()

    def _begin(self, order: _Order) -> None:
        self._order, self._given_up = order, False

        def work(report: Progress) -> object:
            with politeness:
                return order.work(self.said.emit, report)

        self._task = BackgroundTask(work, self)
        self._task.progressed.connect(self.progressed)
        self._task.finished.connect(self._end)
        self.busy_changed.emit(True)
        self._task.start()

    @Slot()
    def _end(self) -> None:
        task, order = self._task, self._order
        if task is None or order is None or not task.isFinished():
            return
        self._task = self._order = None
        task.deleteLater()
        following, self._next = self._next, None
        if following is not None:
            self._begin(following)
            return
        self.busy_changed.emit(False)
        if self._given_up or task.cancelled:
            return
        if task.error is not None:
            order.failed(task.error)
        else:
            order.done(task.result)
