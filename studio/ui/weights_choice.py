"""From the wish for other starting weights to a checkpoint that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from studio import storage
from studio.project import StartingWeights
from studio.ui.background import BackgroundTask
from studio.ui.document import Document
from studio.ui.prompts import Prompts

if TYPE_CHECKING:
    from studio.ui.panels.weights_import_dialog import WeightsImportDialog


class WeightsChoice(QObject):
    """Asks for a checkpoint, looks into it in the background, and makes it what runs start from.

    Weights of other programs go through a dialog that shows what of them fits.
    """

    message = Signal(str)  # for the status bar

    def __init__(self, document: Document, prompts: Prompts, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
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
        elif isinstance(task.result, StartingWeights):
            self._document.set_weights(task.result)
        else:
            assert isinstance(task.result, Path)
            self.bring_in(task.result)
        task.deleteLater()

    @Slot()
    def bring_in(self, path: Path | None = None) -> WeightsImportDialog:
        """Open the dialog for weights of another program.

        Args:
            path: the file, if it is known.
        """
        from studio.runs.folder import imports_folder  # none of this is needed to show the window
        from studio.ui.panels.weights_import_dialog import WeightsImportDialog

        dialog = WeightsImportDialog(self._document.project, imports_folder(), self._prompts, path, self._window)
        dialog.taken.connect(self._start_from)
        dialog.open()
        return dialog

    @Slot(object)
    def _start_from(self, weights: StartingWeights) -> None:
        self._document.set_weights(weights)
        self.message.emit(f"Runs start from {weights.path.name}. Undo brings back what was before.")

    def close(self) -> None:
        """Wait for a file that is being looked at."""
        if self._task is not None:
            self._task.wait()


def _checked(path: Path) -> StartingWeights | Path:
    """The choice of a checkpoint; the path itself if it holds weights of another program.

    Raises:
        CheckpointError: if it is neither.
    """
    from studio.importing.weights.kinds import look_into  # loads torch
    from studio.importing.weights.tensors import ForeignWeightsError
    from studio.training.checkpoint import read_checkpoint
    from studio.training.errors import CheckpointError

    try:
        read_checkpoint(path)
    except CheckpointError:
        try:
            look_into(path)
        except ForeignWeightsError:
            pass
        else:
            return path
        raise
    return StartingWeights(path.absolute(), storage.sha256(path))
