"""One line that offers a run to go on that was interrupted, as by a crash or a power failure."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from studio.runs.interrupted import InterruptedRun, interrupted_runs, leave
from studio.storage import StorageError
from studio.ui.run_state import IDLE
from studio.ui.session import Session
from studio.ui.widgets.plain_text import PlainLabel


class ResumeBar(QFrame):
    """Hidden unless there is such a run and none is under way in the window; of several the newest comes first."""

    continue_requested = Signal(object)  # InterruptedRun that is to go on

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resumeBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._session = session
        self._runs: list[InterruptedRun] = []
        self._text = PlainLabel(parent=self)
        self._text.setObjectName("resumeText")
        self.continue_button = self._button(
            "resumeContinue", "Continue", "Open its project and go on from its last checkpoint.", self._continue
        )
        self.keep_button = self._button(
            "resumeKeep", "Keep as it is", "Do not offer this run again; its folder and checkpoints stay.", self._keep
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.continue_button)
        layout.addWidget(self.keep_button)
        session.state_changed.connect(self._show)
        self.hide()

    def _button(self, name: str, text: str, tip: str, clicked: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.clicked.connect(clicked)
        return button

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()

    @Slot()
    def refresh(self) -> None:
        """Look for interrupted runs. Called once, when a network can be trained."""
        self._runs = interrupted_runs()
        self._show()

    @Slot()
    def _show(self) -> None:
        if self._runs:
            others = len(self._runs) - 1
            more = f" There {'is' if others == 1 else 'are'} {others:,} more." if others else ""
            self._text.setText(self._runs[0].words + more)
        self.setVisible(bool(self._runs) and self._session.state == IDLE)

    @Slot()
    def _continue(self) -> None:
        self.continue_requested.emit(self._runs[0])

    def take_away(self, run: InterruptedRun) -> None:
        """Offer a run no more: it goes on."""
        self._runs = [other for other in self._runs if other.path != run.path]
        self._show()

    @Slot()
    def _keep(self) -> None:
        run = self._runs.pop(0)
        try:
            leave(run)
        except StorageError as error:
            self._text.setText(str(error))
            return
        self._show()
