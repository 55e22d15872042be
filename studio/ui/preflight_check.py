"""Checks the open project before a run, in a thread; can be given up."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.project import Project
from studio.ui.document import Document
from studio.ui.newest import NewestOnly
from studio.ui.preferences import Preferences
from studio.ui.train_thread import EXPLAINED
from studio.ui.widgets.field_editor import commit_pending

if TYPE_CHECKING:
    from studio.training.preflight import Preflight

logger = logging.getLogger(__name__)

_Wish = tuple[int, Project, Path | None]  # the first is the number of the check


class PreflightCheck(QObject):
    """Holds what was measured last. It trains in this process, so it must not go on while a run does."""

    changed = Signal()  # it began, went on, or ended
    _went_on = Signal(int, int, str)  # number of the check, of the stage and its title; from the thread
    _ended = Signal(int, object, str)  # number of the check, the Preflight or None, and why; from the thread

    def __init__(self, document: Document, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._worker: NewestOnly[_Wish] | None = None
        self._number = 0
        self._at_rest = threading.Event()
        self._at_rest.set()
        self.checking = False
        self.stage = (0, "")  # number and title
        self.result: Preflight | None = None
        self.refusal = ""  # why there is none
        self._went_on.connect(self._note, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @Slot()
    def start(self) -> None:
        """Check the project as it is now."""
        if self.checking:
            return
        commit_pending()
        if self._worker is None:
            self._worker = NewestOnly("check before training", self._check)
            self._worker.start()
        self._number += 1
        self.checking, self.stage, self.result, self.refusal = True, (0, "Begin"), None, ""
        self._at_rest.clear()
        project = self._document.project
        self._worker.ask((self._number, project, self._preferences.data_folder(project.data.source.kind)))
        self.changed.emit()

    @Slot()
    def give_up(self) -> None:
        """Stop after the step under way, and wait for that: what comes next may train."""
        if self.checking:
            self._number += 1
            self.checking = False
            self._at_rest.wait()
            self.changed.emit()

    def close(self) -> None:
        """Give up, and end the thread."""
        self.give_up()
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _check(self, wish: _Wish) -> None:
        """In the worker thread."""
        from studio.training.preflight import preflight  # loads torch

        number, project, folder = wish
        result, refusal = None, ""
        try:
            result = preflight(
                project,
                folder,
                lambda stage, title: self._went_on.emit(number, stage, title),
                lambda: self._number != number,
            )
        except EXPLAINED as error:
            refusal = str(error)
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("a check before training failed")
            refusal = f"The check failed: a fault in the program ({error!r})."
        finally:
            self._at_rest.set()
        self._ended.emit(number, result, refusal)

    @Slot(int, int, str)
    def _note(self, number: int, stage: int, title: str) -> None:
        if number == self._number and self.checking:
            self.stage = (stage, title)
            self.changed.emit()

    @Slot(int, object, str)
    def _take(self, number: int, result: Preflight | None, refusal: str) -> None:
        if number == self._number and self.checking:
            self.checking, self.result, self.refusal = False, result, refusal
            self.changed.emit()
