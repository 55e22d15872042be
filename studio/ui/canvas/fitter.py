"""Tries on fake tensors whether blocks would fit, away from the GUI thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.compile.analysis import Analysis
from studio.compile.fitting import Trial, misfit
from studio.data.base import DataSpec
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_REPORTS = 0.03

Trials = Mapping[Hashable, Trial]
Reasons = dict[Hashable, str]  # why each does not fit; empty if it does


class Fitter(QObject):
    """Answers one question at a time; a newer question takes the place of the one before.

    Until the first analysis of a graph there is nothing to know: then questions are not answered.
    """

    _found = Signal(int, object)  # number of the question, Reasons; comes from the worker thread

    def __init__(self, document: Document, analyzer: Analyzer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._analyzer = analyzer
        self._worker: _Worker | None = None
        self._question = 0
        self._answer: Callable[[Reasons], None] | None = None
        self._found.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def analysis(self) -> Analysis:
        """What is known of the graph; nothing at first."""
        return self._analyzer.analysis or Analysis()

    def ask(self, trials: Trials, answer: Callable[[Reasons], None]) -> None:
        """Try all of these.

        Args:
            trials: what to try, by any name, in this order.
            answer: called with the names tried so far since it was called last, and why each does not fit.
        """
        self.forget()
        if self._analyzer.analysis is None or not trials:
            return
        if self._worker is None:
            self._worker = _Worker(self._found.emit)
            self._worker.start()
        self._answer = answer
        self._worker.ask(self._question, dict(trials), self._analyzer.spec)

    def forget(self) -> None:
        """Nobody waits for the answer any more."""
        self._question += 1
        self._answer = None
        if self._worker is not None:
            self._worker.ask(self._question, {}, None)

    def close(self) -> None:
        """Stop, and wait for the trial under way."""
        self.forget()
        if self._worker is not None:
            self._worker.stop()
            self._worker.join()
            self._worker = None

    @Slot(int, object)
    def _deliver(self, question: int, reasons: Reasons) -> None:
        if question == self._question and self._answer is not None:
            self._answer(reasons)


class _Worker(threading.Thread):
    """Waits for questions and answers the newest.

    Args:
        found: called in this thread with the number of the question and a part of the answer.
    """

    def __init__(self, found: Callable[[int, Reasons], None]) -> None:
        super().__init__(name="fitter", daemon=True)
        self._found = found
        self._changed = threading.Condition()
        self._waiting: tuple[int, Trials, DataSpec | None] | None = None
        self._stopped = False

    def ask(self, question: int, trials: Trials, data: DataSpec | None) -> None:
        """Answer this next, in place of what is under way."""
        with self._changed:
            self._waiting = (question, trials, data)
            self._changed.notify()

    def stop(self) -> None:
        """Do nothing more after the trial under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def run(self) -> None:
        """Answer until stopped."""
        while (asked := self._next()) is not None:
            self._try_all(*asked)

    def _next(self) -> tuple[int, Trials, DataSpec | None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting is not None)
            asked, self._waiting = self._waiting, None
            return None if self._stopped else asked

    def _try_all(self, question: int, trials: Trials, data: DataSpec | None) -> None:
        reasons: Reasons = {}
        reported = time.monotonic()
        for name, trial in trials.items():
            if self._stopped or self._waiting is not None:
                return
            reasons[name] = _misfit(trial, data)
            if time.monotonic() - reported >= _SECONDS_BETWEEN_REPORTS:
                self._found(question, reasons)
                reasons, reported = {}, time.monotonic()
        if reasons:
            self._found(question, reasons)


def _misfit(trial: Trial, data: DataSpec | None) -> str:
    try:
        return misfit(trial, data)
    except Exception:  # whatever a block does wrong must not end the thread
        logger.exception("a block could not be tried")
        return ""
