"""The health of the run: what was found wrong with it, with what can be done, and figures of every block."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QSplitter, QVBoxLayout, QWidget

from studio.training.cures import cures
from studio.training.events import Finding, Health
from studio.ui.document import Document
from studio.ui.panels.finding_card import FindingCard
from studio.ui.panels.health_table import HealthTable
from studio.ui.widgets.plain_text import PlainLabel

_REFRESH_MS = 300
_NOTHING_YET = (
    "What is wrong with a run shows here while it goes: gradients that vanish, units that die, a rate that is too high."
)
_ALL_WELL = "Nothing is wrong with this run so far."


class FindingList(QScrollArea):
    """Findings as cards below each other. A click on a remedy is one undo step.

    Args:
        above: what stands above them and is scrolled with them.
    """

    node_chosen = Signal(str)  # path of a block

    def __init__(self, document: Document, parent: QWidget | None = None, above: tuple[QWidget, ...] = ()) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._document = document
        self.note = PlainLabel(parent=self, color="node_muted")
        self.cards: list[FindingCard] = []
        self._content = QWidget(self)
        self._layout = QVBoxLayout(self._content)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._layout.setSpacing(6)
        for widget in above:
            self._layout.addWidget(widget)
        self._above = len(above)
        self._layout.addWidget(self.note)
        self._layout.addStretch()
        self.setWidget(self._content)

    def show_findings(self, findings: tuple[Finding, ...], note: str) -> None:
        """Show findings, and a note where there are none."""
        if findings != tuple(card.finding for card in self.cards):
            for card in self.cards:
                self._layout.removeWidget(card)
                card.deleteLater()
            self.cards = [self._card(finding) for finding in findings]
            for number, card in enumerate(self.cards):
                self._layout.insertWidget(1 + self._above + number, card)
        self.note.setText(note)
        self.note.setVisible(not findings)
        self.refresh_offers()

    def refresh_offers(self) -> None:
        """Offer what can be done in the project as it is now."""
        for card in self.cards:
            card.offer(tuple(cure.text for cure in cures(card.finding, self._document.project)))

    def _card(self, finding: Finding) -> FindingCard:
        card = FindingCard(finding, self._content)
        card.cure_chosen.connect(self._apply)
        card.node_chosen.connect(self.node_chosen)
        return card

    @Slot(object, str)
    def _apply(self, finding: Finding, text: str) -> None:
        """Do what was chosen, in the project as it is by now."""
        for cure in cures(finding, self._document.project):
            if cure.text == text:
                self._document.change(cure.project, text)
                return


class HealthPanel(QWidget):
    """Follows a run. It draws a few times a second at most, and only while it is seen."""

    node_chosen = Signal(str)  # path of a block

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("healthPanel")
        self.setAccessibleName("Health of the run")
        self._findings: tuple[Finding, ...] = ()
        self._health: Health | None = None
        self.list = FindingList(document, self)
        self.list.setObjectName("findings")
        self.list.setAccessibleName("What is wrong with the run")
        self.table = HealthTable(self)
        parts = QSplitter(Qt.Orientation.Vertical, self)
        parts.setChildrenCollapsible(False)
        parts.addWidget(self.list)
        parts.addWidget(self.table)
        parts.setSizes([300, 200])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(parts)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self._show)
        self.list.node_chosen.connect(self.node_chosen)
        self.table.node_chosen.connect(self.node_chosen)
        document.project_changed.connect(lambda before, after: self._schedule())
        self._show()

    def show_state(self, findings: tuple[Finding, ...], health: Health | None) -> None:
        """Show these findings and this look, soon."""
        self._findings, self._health = findings, health
        self._schedule()

    def _schedule(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _show(self) -> None:
        self.list.show_findings(self._findings, _NOTHING_YET if self._health is None else _ALL_WELL)
        self.table.rows.show_health(self._health)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
