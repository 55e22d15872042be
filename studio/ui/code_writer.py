"""Keeps the Python source of the open network up to date, away from the GUI thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.project import Project
from studio.ui.document import Document
from studio.ui.newest import NewestOnly

if TYPE_CHECKING:
    from studio.compile.source_places import Code

logger = logging.getLogger(__name__)


class CodeWriter(QObject):
    """Writes the source after each analysis, while somebody wants to read it. Torch must be loaded by then."""

    written = Signal(object)  # Code
    _finished = Signal(int, object)  # number of the request, Code; comes from the worker thread

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._wanted = False
        self._worker: NewestOnly[tuple[int, Project]] | None = None
        self._request = 0
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(bool)
    def set_wanted(self, wanted: bool) -> None:
        """Begin or cease to write."""
        self._wanted = wanted

    @Slot()
    def write(self) -> None:
        """Write the source of the project as it is now, if it is wanted."""
        if not self._wanted:
            return
        if self._worker is None:
            self._worker = NewestOnly("code", self._write)
            self._worker.start()
        self._request += 1
        self._worker.ask((self._request, self._document.project))

    def close(self) -> None:
        """Stop, and wait for what is being written."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _write(self, asked: tuple[int, Project]) -> None:
        """In the worker thread."""
        request, project = asked
        self._finished.emit(request, _code_of(project))

    @Slot(int, object)
    def _deliver(self, request: int, code: Code) -> None:
        if request == self._request and self._worker is not None:
            self.written.emit(code)


def _code_of(project: Project) -> Code:
    from studio.compile.plan import CompileError
    from studio.compile.source_places import Code, located_source

    try:
        return located_source(project.graph, project.title)
    except CompileError as error:
        return Code(reason=f"The code comes when the network is sound:\n\n{error}")
    except Exception as error:  # whatever is wrong must not end the thread
        logger.exception("the source could not be written")
        return Code(reason=f"The code could not be written: {error}")
