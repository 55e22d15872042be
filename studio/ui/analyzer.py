"""Keeps the analysis of the open graph up to date, away from the GUI thread."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.compile.analysis import ERROR, Analysis, Problem
from studio.project import Project
from studio.ui.document import Document

_SWITCH_SECONDS = 0.0005

logger = logging.getLogger(__name__)


class Analyzer(QObject):
    """Infers shapes after each edit. Only the newest graph is looked at; what came in between is skipped.

    Nothing that needs torch is imported before `start`.
    """

    analyzed = Signal(object)  # Analysis of the document's graph as it is now
    _finished = Signal(int, object)  # number of the request, Analysis; comes from the worker thread

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._analysis: Analysis | None = None
        self._worker: _Worker | None = None
        self._request = 0
        document.project_changed.connect(self._follow)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def analysis(self) -> Analysis | None:
        """The newest analysis; None before the first."""
        return self._analysis

    @Slot()
    def start(self) -> None:
        """Begin to analyze: torch is loaded. Nothing happens if it was begun before."""
        if self._worker is None:
            self._worker = _Worker(self._finished.emit)
            self._worker.start()
            self._ask()

    def close(self) -> None:
        """Stop, and wait for the analysis under way."""
        if self._worker is not None:
            self._worker.stop()
            self._worker.join()
            self._worker = None

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if (before.graph, before.data.source, before.training) != (after.graph, after.data.source, after.training):
            self._ask()

    def _ask(self) -> None:
        if self._worker is not None:
            self._request += 1
            project = self._document.project
            self._worker.ask(self._request, project)

    @Slot(int, object)
    def _deliver(self, request: int, analysis: Analysis) -> None:
        if request == self._request and self._worker is not None:
            self._analysis = analysis
            self.analyzed.emit(analysis)


class _Worker(threading.Thread):
    """Waits for graphs and analyzes the newest.

    Args:
        finished: called in this thread with the number of the request and its Analysis.
    """

    def __init__(self, finished: Callable[[int, Analysis], None]) -> None:
        super().__init__(name="analyzer", daemon=True)
        self._finished = finished
        self._changed = threading.Condition()
        self._waiting: tuple[int, Project] | None = None
        self._stopped = False

    def ask(self, request: int, project: Project) -> None:
        """Analyze this next, in place of what is waiting."""
        with self._changed:
            self._waiting = (request, project)
            self._changed.notify()

    def stop(self) -> None:
        """Do nothing more after the analysis under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def run(self) -> None:
        """Analyze until stopped."""
        while (asked := self._next()) is not None:
            with _polite():
                self._analyze(*asked)

    def _analyze(self, request: int, project: Project) -> None:
        analysis = _analysis_of(project)
        self._finished(request, analysis)
        if analysis.problems and not self._is_asked():
            self._finished(request, _with_repairs(project, analysis))

    def _is_asked(self) -> bool:
        """Whether there is something newer to do than to look for repairs."""
        with self._changed:
            return self._stopped or self._waiting is not None

    def _next(self) -> tuple[int, Project] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting is not None)
            asked, self._waiting = self._waiting, None
            return None if self._stopped else asked


@contextmanager
def _polite() -> Iterator[None]:
    """Hands the interpreter over ten times as often as usual, so that the window hardly waits for it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _analysis_of(project: Project) -> Analysis:
    from studio.compile.shapes import analyze

    try:
        return analyze(project.graph, project.data.source.spec, project.training)
    except Exception as error:  # whatever a block does wrong must not end the thread
        logger.exception("the graph could not be analyzed")
        message = f"The shapes could not be inferred: a fault in the program ({error!r}). Undo the last change."
        return Analysis(problems=(Problem(ERROR, message),))


def _with_repairs(project: Project, analysis: Analysis) -> Analysis:
    from studio.compile.repairs import with_repairs

    try:
        return with_repairs(project.graph, analysis, project.data.source.spec, project.training)
    except Exception:  # a fault in the search for help must not end the thread
        logger.exception("repairs could not be sought")
        return analysis
