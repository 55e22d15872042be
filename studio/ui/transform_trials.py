"""Tries the project's transforms on a sample, away from the GUI thread, while somebody looks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data.base import DataError
from studio.data.choice import DataChoice
from studio.ui.document import Document
from studio.ui.newest import NewestOnly
from studio.ui.preferences import Preferences

if TYPE_CHECKING:
    from studio.data.trials import Trial, Trials

EPOCHS = tuple(range(1, 7))
READING = "The samples are being read…"

logger = logging.getLogger(__name__)

_Data = tuple[DataChoice, Path | None, int]  # without transforms; where the files are; how often they became others


@dataclass(frozen=True, eq=False)
class Tried:
    """What is to be seen.

    Args:
        trial: of the sample; None if there is none, or none yet.
        seed: of the training, with which it was drawn.
        reason: why there is no trial, in plain words; empty if there is one, or nothing to try.
    """

    trial: Trial | None = None
    seed: int = 0
    reason: str = ""


@dataclass(frozen=True)
class _Wish:
    """What to try, on which sample."""

    choice: DataChoice
    folder: Path | None
    seed: int
    sample: int
    files: int  # how often they became others

    @property
    def data(self) -> _Data:
        return replace(self.choice, transforms=()), self.folder, self.files


class _GivenUpError(Exception):
    """Nobody waits for the samples any more."""


class TransformTrials(QObject):
    """Follows the project's data and seed. Nothing is read before somebody looks, nor while there are no transforms."""

    seen = Signal(object)  # Tried
    _finished = Signal(int, object)  # number of the request, Tried; comes from the worker thread

    def __init__(self, document: Document, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._worker: NewestOnly[tuple[int, _Wish]] | None = None
        self._looking = False
        self._sample = self._files = 0
        self._request = 0
        self._asked: _Wish | None = None  # what is seen, or will be
        self._read: tuple[_Data, Trials] | None = None  # used in the worker thread only
        self.tried = Tried()
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        document.project_changed.connect(self.refresh)

    @Slot()
    def start(self) -> None:
        """Begin: PyTorch is loaded."""
        if self._worker is None:
            self._worker = NewestOnly("transform trials", self._work)
            self._worker.start()
            self.refresh()

    def close(self) -> None:
        """Stop, and wait for what is under way."""
        worker, self._worker, self._asked = self._worker, None, None
        if worker is not None:
            worker.close()

    def set_looking(self, looking: bool) -> None:
        """Whether somebody looks: only then samples are read."""
        self._looking = looking
        self.refresh()

    @Slot()
    def show_next(self) -> None:
        """Take another sample."""
        self._sample += 1
        self.refresh()

    @Slot()
    def reread(self) -> None:
        """Read the samples again: the files are other ones now."""
        self._files += 1
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Try again if anything is other than it was."""
        project = self._document.project
        if not project.data.transforms:
            self._asked = None
            self._request += 1  # what is under way is out of date
            self._show(Tried())
        elif self._looking and self._worker is not None:
            folder = self._preferences.data_folder(project.data.source.kind)
            wish = _Wish(project.data, folder, project.training.seed, self._sample, self._files)
            if wish != self._asked:
                if self._asked is None or wish.data != self._asked.data:
                    self._show(Tried(reason=READING))
                self._asked = wish
                self._request += 1
                self._worker.ask((self._request, wish))

    def _work(self, asked: tuple[int, _Wish]) -> None:
        """In the worker thread."""
        number, wish = asked
        try:
            tried = self._try(wish)
        except _GivenUpError:
            return
        except DataError as error:
            tried = Tried(reason=str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the transforms could not be tried")
            tried = Tried(reason=f"The transforms could not be shown: a fault in the program ({error!r}).")
        self._finished.emit(number, tried)

    def _try(self, wish: _Wish) -> Tried:
        from studio.data.trials import samples_to_try

        if self._read is None or self._read[0] != wish.data:
            self._read = None  # two datasets at a time may be more than the memory holds
            self._read = (wish.data, samples_to_try(*wish.data[:2], lambda *_: self._go_on(wish)))
        trials = self._read[1]
        trial = trials.trial(wish.sample, wish.choice.transforms, wish.seed, EPOCHS)
        return Tried(trial, wish.seed)

    def _go_on(self, wish: _Wish) -> None:
        """Break the reading off if other data is wanted by now."""
        wanted = self._asked
        if wanted is None or wanted.data != wish.data:
            raise _GivenUpError

    @Slot(int, object)
    def _deliver(self, request: int, tried: Tried) -> None:
        if request == self._request and self._worker is not None:
            self._show(tried)

    def _show(self, tried: Tried) -> None:
        self.tried = tried
        self.seen.emit(tried)
