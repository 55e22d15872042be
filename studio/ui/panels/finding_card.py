"""One finding: what is wrong, the figures that say so, and buttons that do something about it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.training.events import Finding
from studio.ui.panels.problems import severity_mark
from studio.ui.widgets.plain_text import Heading, PlainLabel, plain_tooltip


class FindingCard(QFrame):
    """Shows a finding."""

    cure_chosen = Signal(object, str)  # the Finding, and the text of what was chosen
    node_chosen = Signal(str)  # path of the block it is about

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        self.setObjectName(f"finding_{finding.kind}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(f"{finding.severity.capitalize()}: {finding.title}. {finding.evidence}")
        self._mark = QLabel(self)
        self.buttons: list[QPushButton] = []
        self._offers = QVBoxLayout()
        self._offers.setSpacing(3)
        self._texts: tuple[str, ...] = ()
        self._build()
        self._show_mark()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(Heading(self.finding.title, self), 1)
        if self.finding.node:
            head.addWidget(self._node_button(), 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        self.evidence = PlainLabel(self.finding.evidence, self)
        self.evidence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.evidence)
        if self.finding.advice:
            layout.addWidget(PlainLabel(self.finding.advice, self, color="node_muted"))
        layout.addLayout(self._offers)

    def _node_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setText("Show")
        button.setObjectName("showBlock")
        button.setAccessibleName(f"Show “{self.finding.name}” on the canvas")
        button.setToolTip(plain_tooltip(f"Show “{self.finding.name}” on the canvas"))
        button.clicked.connect(lambda: self.node_chosen.emit(self.finding.node))
        return button

    def offer(self, texts: tuple[str, ...]) -> None:
        """Offer what can be done, in words."""
        if texts == self._texts:
            return
        self._texts = texts
        for button in self.buttons:
            button.deleteLater()
        self.buttons = []
        for number, text in enumerate(texts):
            button = _ElidedButton(text, self)
            button.setObjectName(f"cure_{number + 1}")
            button.clicked.connect(partial(self.cure_chosen.emit, self.finding, text))
            self._offers.addWidget(button)
            self.buttons.append(button)

    def _show_mark(self) -> None:
        self._mark.setPixmap(severity_mark(self.finding.severity))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_mark()


class _ElidedButton(QPushButton):
    """A button whose text is cut to the room that there is; the tooltip has it whole."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._whole = text
        self.setAccessibleName(text)
        self.setToolTip(plain_tooltip(text))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._elide()

    def _elide(self) -> None:
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(60, self.width() - 20))
        self.setText(text.replace("&", "&&"))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._elide()
        return super().event(event)
