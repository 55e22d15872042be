"""The Evaluate place in the window: empty until it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.background import BackgroundTask, Report
from studio.ui.document import Document
from studio.ui.preferences import Preferences
from studio.ui.prompts import Prompts
from studio.ui.run_state import IDLE

if TYPE_CHECKING:
    from studio.ui.evaluation.workplace import Workplace
    from studio.ui.session import Session
    from studio.ui.torch_loader import TorchLoader


class EvaluatePlace(QWidget):
    """Holds the workplace, which is made when the place is shown first and PyTorch is there."""

    train_wanted = Signal()

    def __init__(
        self, document: Document, preferences: Preferences, prompts: Prompts, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("evaluatePlace")
        self._made_of = document, preferences, prompts
        self._ready = False
        self._checkpoint: Path | None = None
        self._task: BackgroundTask | None = None
        self.workplace: Workplace | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def follow(self, session: Session, loader: TorchLoader) -> None:
        """Begin when PyTorch is there, and choose each run that ends."""
        loader.ready.connect(self.start)
        session.state_changed.connect(lambda state: self.follow_run(state, session.checkpoint))

    @Slot()
    def start(self) -> None:
        """Begin: PyTorch and pyqtgraph are loaded."""
        self._ready = True
        self._fill()

    def _fill(self) -> None:
        if self.workplace is not None or not self._ready or not self.isVisible():
            return
        if self._task is None:
            self._task = BackgroundTask(_load, self)  # to import it all takes a while
            self._task.finished.connect(self._make)
            self._task.start()

    @Slot()
    def _make(self) -> None:
        if self.workplace is not None or self._task is None:
            return
        if self._task.error is not None:
            raise self._task.error
        from studio.ui.evaluation.workplace import Workplace  # none of this is needed to show the window

        self.workplace = Workplace(*self._made_of, self)
        self.workplace.train_wanted.connect(self.train_wanted)
        layout = self.layout()
        assert layout is not None
        layout.addWidget(self.workplace)
        if self._checkpoint is not None:
            self.workplace.choose(self._checkpoint)

    def follow_run(self, state: str, checkpoint: Path | None) -> None:
        """A run ended with this checkpoint, or is at something else: the newest is chosen by itself."""
        if state != IDLE or checkpoint is None or checkpoint == self._checkpoint:
            return
        self._checkpoint = checkpoint
        if self.workplace is not None:
            self.workplace.choose(checkpoint)

    def close(self) -> bool:
        """Give up what is under way, and wait for it."""
        if self._task is not None:
            self._task.finished.disconnect(self._make)
            self._task.wait()
        if self.workplace is not None:
            self.workplace.stop()
        return super().close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.workplace is not None:
            self.workplace.refresh_runs()
        self._fill()


def _load(_report: Report) -> None:
    """Import what the place is made of, in the thread."""
    import studio.ui.evaluation.workplace  # noqa: F401
