"""Trying the run under way, and watching fixed samples of it: a page at the side of the Train place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from studio.evaluation.trying import FileTrial, RunTrial
from studio.training.events import EpochEnded, Event, Started
from studio.ui.run_state import IDLE
from studio.ui.trying.asker import Asker
from studio.ui.trying.fixed_grid import FixedGrid
from studio.ui.trying.panel import FolderOf, TryPanel

if TYPE_CHECKING:
    from studio.evaluation.taken import Taken
    from studio.evaluation.trying import Trial
    from studio.ui.session import Session

_NO_RUN = "Train the network: here you can try it while it learns."
_WAITING = "The run begins. Its first weights come at once."
_LONG_SECONDS = 10.0  # of an epoch, within which the fixed samples are answered, too
_RETRY_MS = 2_000  # while a run elsewhere has written no weights yet


class RunPages(QWidget):
    """Holds both panels, and opens what they try: the run under way, or the one that ended last.

    Args:
        session: whose runs they are.
        folder_of: where the person keeps the files of a project's data.
    """

    def __init__(self, session: Session, folder_of: FolderOf, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("runTrying")
        self._session, self._folder_of = session, folder_of
        self._trial: Trial | None = None
        self._is_open = False  # whether the newest run is what is tried, or being opened
        self._check_wanted = False
        self._checked_at = 0.0
        self.asker = Asker(self)
        self.panel = TryPanel(self.asker, folder_of, self)
        self.grid = FixedGrid(self)
        self._arrange()
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(_RETRY_MS)
        self._retry.timeout.connect(self._open)
        self.asker.opened.connect(self._begin)
        self.asker.refused.connect(self._try_again)
        self.asker.checked.connect(self.grid.show_checked)
        self.asker.untaken.connect(self.grid.tell)
        session.state_changed.connect(self._follow)
        self.panel.tell(_NO_RUN)

    def _arrange(self) -> None:
        self._pages = QStackedWidget(self)
        self._buttons = QButtonGroup(self)
        choice = QHBoxLayout()
        choice.setContentsMargins(8, 6, 8, 0)
        choice.setSpacing(4)
        for page, text, name in ((self.panel, "Your own", "tryOwn"), (self.grid, "Fixed samples", "tryFixed")):
            button = QToolButton(self)
            button.setObjectName(name)
            button.setText(text)
            button.setAccessibleName(text)
            button.setCheckable(True)
            button.setAutoRaise(True)
            self._buttons.addButton(button, self._pages.addWidget(page))
            choice.addWidget(button)
        choice.addStretch(1)
        self._buttons.button(0).setChecked(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(choice)
        layout.addWidget(self._pages, 1)
        self._buttons.idClicked.connect(self.show_page)
        self.grid.chosen.connect(self._try_sample)

    @Slot(int)
    def show_page(self, number: int) -> None:
        """Show what somebody gives, 0, or the fixed samples, 1."""
        self._buttons.button(number).setChecked(True)
        self._pages.setCurrentIndex(number)
        self.look()

    @Slot(object)
    def _try_sample(self, taken: Taken) -> None:
        self.show_page(0)
        self.panel.show_sample(taken)

    @Slot()
    def look(self) -> None:
        """A page may have come to the front, or gone."""
        looked_at = self.panel.isVisible() or self.grid.isVisible()
        if looked_at and not self._is_open:
            self._open()
        self.asker.look(looked_at)
        if self.grid.isVisible() and self._trial is not None:
            self._check()

    def show_events(self, events: list[Event]) -> None:
        """Open a run that begins, and have the fixed samples answered after epochs."""
        for event in events:
            if isinstance(event, Started):
                self._is_open = False
                self.look()
            elif isinstance(event, EpochEnded):
                self._check_wanted = True
        is_long = time.monotonic() > self._checked_at + _LONG_SECONDS
        if (self._check_wanted or is_long) and self.grid.isVisible():
            self._check()

    def _check(self) -> None:
        """Unless it is too soon; then it is done after a later epoch, or at the end."""
        if self._trial is not None:
            folder = self._folder_of(self._trial.project)
            self._check_wanted = not self.asker.check(folder, self.grid.style_of_thumbs())
            self._checked_at = time.monotonic()

    @Slot(str)
    def _follow(self, state: str) -> None:
        """After its end a run is tried by its best weights."""
        if state == IDLE and self._session.run_folder is not None:
            self._is_open = False
            self.look()

    @Slot()
    def _open(self) -> None:
        session = self._session
        desk, folder, idle = session.desk, session.run_folder, session.state == IDLE
        behind = None if desk is None else desk.behind
        self._retry.stop()
        if desk is not None and behind is not None:
            self._is_open, self._trial = True, None
            self.panel.tell(_WAITING)
            self.asker.open(lambda: RunTrial(desk, behind))
            self.asker.look(True)
        elif folder is not None and (idle or session.can_detach):
            self._is_open, self._trial = True, None
            self.asker.open(lambda: FileTrial(folder, newest=not idle))

    @Slot(object)
    def _begin(self, trial: Trial) -> None:
        self._trial = trial
        if self.grid.isVisible():
            self._check()

    @Slot(str)
    def _try_again(self, reason: str) -> None:
        """A run that goes on elsewhere may only have begun."""
        self.grid.tell(reason)
        if self._session.state != IDLE and self._session.can_detach:
            self._is_open = False
            self._retry.start()

    def close(self) -> bool:
        """End the thread."""
        self._retry.stop()
        self.asker.close()
        return super().close()
