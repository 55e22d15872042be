"""Keeps the analysis of the open graph up to date, away from the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.compile.analysis import ERROR, Analysis, Problem
from studio.data import DataSpec, Findings, Source
from studio.project import Project
from studio.ui.document import Document
from studio.ui.newest import NewestOnly

_REST_SECONDS = 0.03  # in which the window shows what was found, before repairs are sought

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
        self._worker: NewestOnly[tuple[int, Project, DataSpec]] | None = None
        self._looked_into: tuple[Source | None, DataSpec | None] = (None, None)
        self._request = 0
        document.project_changed.connect(self._follow)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def analysis(self) -> Analysis | None:
        """The newest analysis; None before the first."""
        return self._analysis

    @property
    def spec(self) -> DataSpec:
        """What the open project's data gives and wants, as far as it is known by now."""
        data = self._document.project.data
        known, spec = self._looked_into
        return data.aimed(spec if spec is not None and known == data.source else data.source.spec)

    @Slot(object, object)
    def take_findings(self, source: Source, findings: Findings) -> None:
        """The files of a dataset were looked into: analyze again if that told anything new."""
        before = self.spec
        self._looked_into = (source, findings.spec)
        if self.spec != before:
            self._ask()

    @Slot()
    def start(self) -> None:
        """Begin to analyze: torch is loaded. Nothing happens if it was begun before."""
        if self._worker is None:
            self._worker = NewestOnly("analyzer", self._analyze)
            self._worker.start()
            self._ask()

    @Slot()
    def refresh(self) -> None:
        """Analyze the same graph again: what it depends on outside of the project has changed."""
        self._ask()

    def close(self) -> None:
        """Stop, and wait for the analysis under way."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if _analyzed(before) != _analyzed(after):
            self._ask()

    def _ask(self) -> None:
        if self._worker is not None:
            self._request += 1
            self._worker.ask((self._request, self._document.project, self.spec))

    def _analyze(self, asked: tuple[int, Project, DataSpec]) -> None:
        """In the worker thread; repairs are sought only if there is nothing newer to look at."""
        request, project, spec = asked
        analysis = _analysis_of(project, spec)
        self._finished.emit(request, analysis)
        worker = self._worker
        if analysis.problems and worker is not None and worker.rest(_REST_SECONDS):
            self._finished.emit(request, _with_repairs(project, spec, analysis, lambda: not worker.has_newer))

    @Slot(int, object)
    def _deliver(self, request: int, analysis: Analysis) -> None:
        if request == self._request and self._worker is not None:
            self._analysis = analysis
            self.analyzed.emit(analysis)


def _analyzed(project: Project) -> tuple[object, ...]:
    """All of a project on which an analysis depends."""
    return project.graph, project.data.source, project.data.spec, project.training


def _analysis_of(project: Project, spec: DataSpec) -> Analysis:
    from studio.compile.shapes import analyze

    try:
        return analyze(project.graph, spec, project.training)
    except Exception as error:  # whatever a block does wrong must not end the thread
        logger.exception("the graph could not be analyzed")
        message = f"The shapes could not be inferred: a fault in the program ({error!r}). Undo the last change."
        return Analysis(problems=(Problem(ERROR, message),))


def _with_repairs(project: Project, spec: DataSpec, analysis: Analysis, wanted: Callable[[], bool]) -> Analysis:
    from studio.compile.repairs import with_repairs

    try:
        return with_repairs(project.graph, analysis, spec, project.training, wanted)
    except Exception:  # a fault in the search for help must not end the thread
        logger.exception("repairs could not be sought")
        return analysis
