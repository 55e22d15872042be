"""From the wish for other starting weights to a checkpoint that can be read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot

from studio import storage
from studio.project import StartingWeights
from studio.ui.background import BackgroundTask
from studio.ui.document import Document
from studio.ui.prompts import Prompts


class WeightsChoice(QObject):
    """Asks for a checkpoint, looks into it in the background, and makes it what runs start from."""

    def __init__(self, document: Document, prompts: Prompts, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._prompts = prompts
        self._task: BackgroundTask | None = None

    @Slot()
    def ask(self) -> None:
        """Let the person choose a checkpoint."""
        if self._task is not None:
            return
        known = self._document.project.weights
        path = self._prompts.open_checkpoint(known.path.parent if known else Path.home())
        if path is None:
            return
        self._task = BackgroundTask(lambda report: _checked(path), self)
        self._task.finished.connect(self._take)
        self._task.start()

    @Slot()
    def _take(self) -> None:
        assert self._task is not None
        task, self._task = self._task, None
        if task.error:
            self._prompts.tell("The file was not taken.", str(task.error))
        else:
            assert isinstance(task.result, StartingWeights)
            self._document.set_weights(task.result)
        task.deleteLater()

    def close(self) -> None:
        """Wait for a file that is being looked at."""
        if self._task is not None:
            self._task.wait()


def _checked(path: Path) -> StartingWeights:
    """The choice of a file. Raises CheckpointError if it is no checkpoint of this program."""
    from studio.training.checkpoint import read_checkpoint  # loads torch

    read_checkpoint(path)
    return StartingWeights(path.absolute(), storage.sha256(path))
