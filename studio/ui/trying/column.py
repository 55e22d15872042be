"""Trying the run that is chosen in the Evaluate place: a column that folds away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.evaluation.trying import FileTrial
from studio.ui.trying.asker import Asker
from studio.ui.trying.panel import FolderOf, TryPanel

_WIDTH = 300  # pixels, at least
_NOTHING = "Choose a run above: its best weights can be tried here, without its data, too."

PathOf = Callable[[], Path | None]


class TryColumn(QWidget):
    """Opens what is chosen once somebody looks.

    Args:
        path_of: the checkpoint or the run's folder that is chosen now.
        folder_of: where the person keeps the files of a project's data.
    """

    def __init__(self, path_of: PathOf, folder_of: FolderOf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tryColumn")
        self.setMinimumWidth(_WIDTH)
        self._path_of, self._folder_of = path_of, folder_of
        self._opened: Path | None = None
        self.asker: Asker | None = None
        self.panel: TryPanel | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)

    @Slot()
    def follow(self) -> None:
        """Another run or checkpoint may be chosen."""
        if not self.isVisible():
            return
        if self.panel is None or self.asker is None:
            self.asker = Asker(self)
            self.panel = TryPanel(self.asker, self._folder_of, self)
            self._rows.addWidget(self.panel)
            self.asker.refused.connect(self._forget)
        path = self._path_of()
        if path == self._opened:
            return
        self._opened = path
        if path is None:
            self.asker.forget()
            self.panel.tell(_NOTHING)
            return
        self.panel.tell("Opening the network…")
        self.asker.open(lambda: FileTrial(path))

    @Slot()
    def _forget(self) -> None:
        """It could not be opened, which may be otherwise the next time."""
        self._opened = None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.asker is not None:
            self.asker.stop_writing()

    def close(self) -> bool:
        """End the thread."""
        if self.asker is not None:
            self.asker.close()
        return super().close()
