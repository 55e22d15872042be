"""Looks for problems of the project's data in a thread: all samples are read for it, and it can be stopped."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data import DataError, DataProblem
from studio.data.choice import DataChoice
from studio.ui.document import Document
from studio.ui.newest import Overtaking
from studio.ui.preferences import Preferences

logger = logging.getLogger(__name__)

_Wish = tuple[int, DataChoice, Path | None]  # the first is the number of the request


class ProblemSearch(QObject):
    """Holds what was found in the data as it was then; other data has none yet, and other settings keep it."""

    changed = Signal()  # it began, went on, or ended
    _went_on = Signal(int, int, int)  # number of the request, checks done, checks in all; from the worker thread
    _ended = Signal(int, object, str)  # number of the request, the problems, and why there are none; from the thread

    def __init__(self, document: Document, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._worker: Overtaking[_Wish] | None = None
        self._request = 0
        self._searching = False
        self.progress = (0, 0)  # checks done, and in all
        self.found: tuple[DataProblem, ...] | None = None  # None if nobody looked
        self.refusal = ""  # why it was in vain
        self._went_on.connect(self._note, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def searching(self) -> bool:
        """Whether a search is under way."""
        return self._searching

    @Slot()
    def search(self) -> None:
        """Look, or look again: at the data as it is now."""
        if self._worker is None:
            self._worker = Overtaking("problem search", self._search)
        self._begin(searching=True)
        data = self._document.project.data
        self._worker.ask((self._request, data, self._preferences.data_folder(data.source.kind)))

    @Slot()
    def stop(self) -> None:
        """Give up, and forget what was found: other data is there, or the person does not want to wait."""
        if self._searching or self.found is not None or self.refusal:
            self._begin(searching=False)

    def _begin(self, *, searching: bool) -> None:
        self._request += 1
        self._searching, self.found, self.refusal, self.progress = searching, None, "", (0, 0)
        self.changed.emit()

    def close(self) -> None:
        """Stop, and wait for the check under way."""
        self._request += 1
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _search(self, wish: _Wish) -> None:
        """In a worker thread."""
        from studio.data.problems import find_problems  # loads torch

        number, choice, folder = wish
        found: tuple[DataProblem, ...] = ()
        refusal = ""
        try:
            found = find_problems(
                choice,
                folder,
                lambda: self._request != number,
                lambda done, total: self._went_on.emit(number, done, total),
            )
        except DataError as error:
            refusal = str(error)
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("problems could not be sought")
            refusal = f"Problems could not be looked for: a fault in the program ({error!r})."
        self._ended.emit(number, found, refusal)

    @Slot(int, int, int)
    def _note(self, number: int, done: int, total: int) -> None:
        if number == self._request and self._searching:
            self.progress = (done, total)
            self.changed.emit()

    @Slot(int, object, str)
    def _take(self, number: int, found: tuple[DataProblem, ...], refusal: str) -> None:
        if number == self._request and self._worker is not None:
            self._searching = False
            self.found, self.refusal = (None, refusal) if refusal else (found, "")
            self.changed.emit()
