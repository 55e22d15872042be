"""What stands at the right of the Train place: figures of the run, its health, the check before it, and trying it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal, Slot
from PySide6.QtGui import QHideEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from studio.training.events import Diagnosis, Event, Finding, Health, Started
from studio.ui.background import BackgroundTask, Report
from studio.ui.document import Document

if TYPE_CHECKING:
    from studio.ui.panels.health_panel import HealthPanel
    from studio.ui.panels.preflight_panel import PreflightPanel
    from studio.ui.preflight_check import PreflightCheck
    from studio.ui.session import Session
    from studio.ui.trying.panel import FolderOf
    from studio.ui.trying.run_pages import RunPages

_WIDTH = 296  # pixels: evidence can be read, and the plots keep more than half of a small screen


class RunSide(QTabWidget):
    """Pages of which only the first is there from the start; the others are made when they are looked at first.

    At the first finding of a run the health comes to the front, once.
    """

    FIGURES, HEALTH, CHECK, TRY = range(4)

    node_chosen = Signal(str)  # path of a block to be shown on the canvas

    def __init__(self, document: Document, figures: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runSide")
        self.setAccessibleName("Figures, health, check and trial of the run")
        self.setDocumentMode(True)
        self.tabBar().setObjectName("runSideTabs")
        self.tabBar().setAccessibleName("Figures, health, check or try")
        self.setMinimumWidth(_WIDTH)
        self._document = document
        self.health: HealthPanel | None = None
        self.preflight: PreflightPanel | None = None
        self._check: PreflightCheck | None = None
        self.trying: RunPages | None = None
        self._trying_of: tuple[Session, FolderOf] | None = None
        self._load_task: BackgroundTask | None = None
        self._findings: tuple[Finding, ...] = ()
        self._latest: Health | None = None
        self._came_to_front = False
        self.addTab(figures, "Figures")
        for title in ("Health", "Check", "Try"):
            page = QWidget(self)
            layout = QVBoxLayout(page)
            layout.setContentsMargins(0, 0, 0, 0)
            self.addTab(page, title)
        self.setTabToolTip(self.HEALTH, "What is wrong with the run, and what can be done about it")
        self.setTabToolTip(self.CHECK, "Time, memory and first steps, measured before a run")
        self.setTabToolTip(self.TRY, "Give the network something of your own, while it trains and afterwards")
        self.currentChanged.connect(self._fill)
        document.replaced.connect(self._forget)

    def set_check(self, check: PreflightCheck) -> None:
        """Show what comes of these checks."""
        self._check = check
        check.changed.connect(self._show_check)

    @Slot()
    def _show_check(self) -> None:
        """A check that begins comes to the front."""
        assert self._check is not None
        if self._check.checking and self._check.stage[0] == 0:
            self.setCurrentIndex(self.CHECK)

    def set_trying(self, session: Session, folder_of: FolderOf) -> None:
        """Let these runs be tried.

        Args:
            folder_of: where the person keeps the files of a project's data.
        """
        self._trying_of = session, folder_of

    def _load_trying(self) -> None:
        """Import what the pages for trying are made of, in a thread."""
        if self._load_task is None and self._trying_of is not None:
            self._load_task = BackgroundTask(_import_trying, self)
            self._load_task.finished.connect(self._make_trying)
            self._load_task.start()

    @Slot()
    def _make_trying(self) -> None:
        if self._load_task is None or self.trying is not None:
            return
        if self._load_task.error is not None:
            raise self._load_task.error
        from studio.ui.trying.run_pages import RunPages

        assert self._trying_of is not None
        self.trying = RunPages(*self._trying_of, self)
        self._put(self.TRY, self.trying)
        self.trying.look()

    @Slot(int)
    def _fill(self, number: int) -> None:
        if number == self.TRY:
            self._load_trying()
        if self.trying is not None:
            self.trying.look()
        if number == self.HEALTH and self.health is None:
            from studio.ui.panels.health_panel import HealthPanel

            self.health = HealthPanel(self._document, self)
            self._put(self.HEALTH, self.health)
            self.health.node_chosen.connect(self.node_chosen)
            self.health.show_state(self._findings, self._latest)
        elif number == self.CHECK and self.preflight is None and self._check is not None:
            from studio.ui.panels.preflight_panel import PreflightPanel

            self.preflight = PreflightPanel(self._document, self._check, self)
            self._put(self.CHECK, self.preflight)
            self.preflight.node_chosen.connect(self.node_chosen)

    def _put(self, number: int, panel: QWidget) -> None:
        page = self.widget(number)
        layout = page.layout() if page is not None else None
        assert layout is not None
        layout.addWidget(panel)

    def show_events(self, events: list[Event]) -> None:
        """Take in what happened; only the newest look and diagnosis count."""
        seen = False
        for event in events:
            if isinstance(event, Started):
                self._findings, self._latest, self._came_to_front, seen = (), None, False, True
            elif isinstance(event, Health):
                self._latest, seen = event, True
            elif isinstance(event, Diagnosis):
                self._findings, seen = event.findings, True
        if seen:
            self._show_state()
        if self.preflight is not None:
            self.preflight.show_events(events)
        if self.trying is not None:
            self.trying.show_events(events)

    def _show_state(self) -> None:
        count = len(self._findings)
        self.setTabText(self.HEALTH, f"Health ({count})" if count else "Health")
        self._mark_tab()
        if count and not self._came_to_front:
            self._came_to_front = True
            self.setCurrentIndex(self.HEALTH)
        if self.health is not None:
            self.health.show_state(self._findings, self._latest)

    def _mark_tab(self) -> None:
        if not self._findings:
            self.setTabIcon(self.HEALTH, QIcon())
            return
        from studio.ui.panels.problems import severity_mark

        self.setTabIcon(self.HEALTH, QIcon(severity_mark(self._findings[0].severity)))

    @Slot()
    def _forget(self) -> None:
        """Another project was opened: what was found is not about it."""
        self._findings, self._latest = (), None
        self._show_state()

    def stop(self) -> None:
        """Try nothing any more, and wait for the threads."""
        if self._load_task is not None:
            self._load_task.finished.disconnect(self._make_trying)
            self._load_task.wait()
        if self.trying is not None:
            self.trying.close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.trying is not None:
            self.trying.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.trying is not None:
            self.trying.look()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._mark_tab()


def _import_trying(_report: Report) -> None:
    """In the thread."""
    import studio.evaluation.single
    import studio.ui.evaluation.explaining
    import studio.ui.trying.run_pages  # noqa: F401
