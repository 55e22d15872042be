"""What a check before a run measured, and how far off it was once the run goes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from studio.training.events import EpochEnded, Event, Started
from studio.training.preflight_words import error_text, rows
from studio.ui.document import Document
from studio.ui.panels.health_panel import FindingList
from studio.ui.preflight_check import PreflightCheck
from studio.ui.widgets.plain_text import PlainLabel

_STAGES = 5
_ABOUT = (
    "Measures on this machine, with a copy of the network that is thrown away: time, memory, the largest batch, the "
    "loss at the start, and whether one batch is learned. It takes some seconds."
)
_MOST_EPOCHS = 50  # whose times count


class PreflightPanel(QWidget):
    """Starts checks and shows what came of them."""

    node_chosen = Signal(str)  # path of a block

    def __init__(self, document: Document, check: PreflightCheck, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preflightPanel")
        self.setAccessibleName("Check before training")
        self._check = check
        self._may_start = True
        self._epochs: list[float] = []
        self.stop = QPushButton("Give up", self)
        self.stop.setObjectName("preflightStop")
        self.stop.setAccessibleName("Give up the check")
        self.stop.clicked.connect(check.give_up)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _STAGES)
        self.progress.setAccessibleName("Progress of the check")
        self.note = PlainLabel(_ABOUT, self, color="node_muted")
        self.note.setObjectName("preflightNote")
        self.error = PlainLabel(parent=self)
        self.error.setObjectName("preflightError")
        self.figures = QFrame(self)
        self._grid = QGridLayout(self.figures)
        self._grid.setContentsMargins(2, 0, 2, 6)
        self._grid.setHorizontalSpacing(10)
        self._grid.setColumnStretch(2, 1)
        self.list = FindingList(document, self, (self.figures, self.error))
        self.list.setObjectName("preflightFindings")
        self.list.setAccessibleName("What to look at before the run")
        top = QVBoxLayout()
        top.setContentsMargins(8, 8, 8, 0)
        for widget in (self.progress, self.stop, self.note):
            top.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addStretch()
        self.list.node_chosen.connect(self.node_chosen)
        document.project_changed.connect(lambda before, after: self._refresh_offers())
        check.changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        check, result = self._check, self._check.result
        for widget in (self.progress, self.stop):
            widget.setVisible(check.checking)
        self.progress.setValue(check.stage[0])
        self.progress.setFormat(f"{check.stage[1]}…")
        self.note.setText(check.refusal or _ABOUT)
        self.note.setVisible(result is None)
        self._fill(rows(result) if result is not None else [])
        self._epochs = []
        self.error.hide()
        self.list.setVisible(result is not None)
        if result is not None:
            self.list.show_findings(result.findings, "Nothing speaks against this run.")

    def _fill(self, lines: Sequence[tuple[str, str, str]]) -> None:
        while item := self._grid.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for number, (name, value, meaning) in enumerate(lines):
            shown = PlainLabel(value, self.figures)
            shown.setObjectName(f"preflight_{name.lower().replace(' ', '_')}")
            shown.setAccessibleName(f"{name}: {value} {meaning}")
            shown.setWordWrap(False)
            label = PlainLabel(name, self.figures)
            label.setWordWrap(False)
            self._grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(shown, number, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(PlainLabel(meaning, self.figures, color="node_muted"), number, 2)

    def show_events(self, events: list[Event]) -> None:
        """Compare the estimate with the epochs of the run."""
        if self._check.result is None:
            return
        before = len(self._epochs)
        for event in events:
            if isinstance(event, Started):
                self._epochs = []
            elif isinstance(event, EpochEnded):
                self._epochs = [*self._epochs[1 - _MOST_EPOCHS :], event.seconds]
        if self._epochs and (len(self._epochs) != before or len(self._epochs) == _MOST_EPOCHS):
            self.error.setText(error_text(self._check.result.epoch_seconds, statistics.median(self._epochs)))
            self.error.show()

    def _refresh_offers(self) -> None:
        if self.isVisible():
            self.list.refresh_offers()
