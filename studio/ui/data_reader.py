"""Looks into a person's own files, away from the GUI thread, for what only reading them tells."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data import DataError, Findings, Source
from studio.data.looking import look
from studio.project import Project
from studio.ui.document import Document
from studio.ui.newest import Overtaking

logger = logging.getLogger(__name__)


class DataReader(QObject):
    """Follows the project's data. Its thread begins with the first dataset that has to be read."""

    found = Signal(object, object)  # Source, Findings; if they cannot be read, the summary says why
    _delivered = Signal(object, object)  # the same, from the worker thread

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._worker: Overtaking[Source] | None = None
        self._latest: tuple[Source, Findings] | None = None
        self._delivered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        document.project_changed.connect(self._follow)

    @Slot()
    def start(self) -> None:
        """Look into the open project's data."""
        self._ask(self._document.project.data.source)

    def findings_of(self, source: Source) -> Findings | None:
        """What the last look told, if it was at this very source."""
        return self._latest[1] if self._latest is not None and self._latest[0] == source else None

    def close(self) -> None:
        """Stop, and wait for the look under way."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if before.data.source != after.data.source:
            self._ask(after.data.source)

    def _ask(self, source: Source) -> None:
        if not source.needs_place:
            return
        if self._worker is None:
            self._worker = Overtaking("data reader", self._look)
        self._worker.ask(source)

    def _look(self, source: Source) -> None:
        """In the worker thread."""
        try:
            findings = look(source)
        except DataError as error:
            findings = Findings(source.spec, str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the data could not be looked at")
            findings = Findings(source.spec, f"The files could not be read: a fault in the program ({error!r}).")
        self._delivered.emit(source, findings)

    @Slot(object, object)
    def _deliver(self, source: Source, findings: Findings) -> None:
        if self._worker is not None and source == self._document.project.data.source:
            self._latest = (source, findings)
            self.found.emit(source, findings)
