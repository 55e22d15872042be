"""One line that offers a run that goes on without a window, or ended while none watched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from studio.project import Project
from studio.storage import StorageError
from studio.training.errors import TrainingError
from studio.ui.document import Document
from studio.ui.project_files import ProjectFiles
from studio.ui.prompts import Prompts
from studio.ui.run_state import IDLE
from studio.ui.session import Session
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.training.places.mailbox import Mailbox

_LONGEST_TITLE = 60
_TICK_MS = 1_000


class LeftRunBar(QFrame):
    """Hidden unless there is such a run and none is under way in the window; of several the oldest comes first.

    To watch a run opens its project, too: what the window shows of settings and network is what is trained.
    """

    def __init__(
        self, session: Session, document: Document, files: ProjectFiles, prompts: Prompts, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("leftRunBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._session = session
        self._document = document
        self._files = files
        self._prompts = prompts
        self._mailbox: Mailbox | None = None
        self._was_alive = False  # when it was offered
        self._put_off: set[str] = set()  # names of folders that the person does not want to hear of now
        self._text = PlainLabel(parent=self)
        self._text.setObjectName("leftRunText")
        self.watch_button = self._button("leftRunWatch", "Watch", self._watch)
        self.end_button = self._button("leftRunEnd", "Stop", self._end)
        self.later_button = self._button("leftRunLater", "Later", self._leave)
        self.later_button.setToolTip("Do not show this until the next start.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.addWidget(self._text, 1)
        for button in (self.watch_button, self.end_button, self.later_button):
            layout.addWidget(button)
        session.state_changed.connect(self.refresh)
        self._timer = QTimer(self)  # while it is shown, the run may end
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.refresh)
        self.hide()

    def _button(self, name: str, text: str, clicked: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.clicked.connect(clicked)
        return button

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()

    @Slot()
    def refresh(self) -> None:
        """Look for runs that nobody watches."""
        from studio.training.places.mailbox import mailboxes  # not needed to show the window

        free = self._session.state == IDLE
        left = [m for m in mailboxes() if m.folder.name not in self._put_off and not m.is_watched] if free else []
        self._mailbox = left[0] if left else None
        if self._mailbox is not None:
            self._offer(self._mailbox)
        self.setVisible(self._mailbox is not None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _offer(self, mailbox: Mailbox) -> None:
        self._was_alive = alive = mailbox.is_alive
        title = mailbox.title[:_LONGEST_TITLE] or "a project"
        begun = _moment(mailbox.started)
        self._text.setText(
            f"“{title}” is still being trained, since {begun}."
            if alive
            else f"The training of “{title}”, begun {begun}, has ended."
        )
        self.watch_button.setText("Watch" if alive else "Show")
        self.watch_button.setToolTip(
            "See it from its first epoch, pause it, change it." if alive else "See how it went."
        )
        self.end_button.setText("Stop" if alive else "Dismiss")
        self.end_button.setToolTip(
            "Stop it after this step and keep what it learned."
            if alive
            else "Do not show this again; the folder of the run stays."
        )

    @Slot()
    def _watch(self) -> None:
        if self._mailbox is not None:
            self._attach(self._mailbox, self._open)

    def _open(self, project: Project) -> bool:
        """Show the project of a run; False if the person keeps the one that is open."""
        return self._document.project == project or self._files.begin_with(project)

    @Slot()
    def _end(self) -> None:
        mailbox = self._mailbox
        if mailbox is None:
            return
        if self._was_alive:
            self._attach(mailbox, lambda project: True)
            self._session.stop()
        else:
            mailbox.remove()
            self.refresh()

    @Slot()
    def _leave(self) -> None:
        if self._mailbox is not None:
            self._put_off.add(self._mailbox.folder.name)
            self.refresh()

    def _attach(self, mailbox: Mailbox, open_project: Callable[[Project], bool]) -> None:
        try:
            job = mailbox.read_job()
            if open_project(job.project):
                self._session.attach(mailbox, job)
        except (StorageError, TrainingError) as error:
            self._leave()
            self._prompts.tell("The run cannot be watched.", str(error))


def _moment(when: datetime) -> str:
    """A time of day, with its date unless it is today's."""
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%d %b %Y, %H:%M}"
