"""Buttons with the ways out of the problem that is chosen in the list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.ui.widgets.plain_text import PlainLabel, plain_tooltip

_WIDTH = 300  # pixels; longer texts are cut, the tooltip has them whole


class Offer(Protocol):
    """What can be done with one click."""

    @property
    def text(self) -> str:
        """Its name, for people."""


class Repairs(QScrollArea):
    """Offers what helps, the best first. One click is one undo step."""

    chosen = Signal(object)  # what was offered

    def __init__(self, parent: QWidget | None = None, width: int = _WIDTH) -> None:
        super().__init__(parent)
        self.setObjectName("repairs")
        self.setAccessibleName("Repairs of the chosen problem")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(width)
        self.buttons: list[QPushButton] = []
        self.hide()

    def offer(self, offers: Sequence[Offer]) -> None:
        """Offer the repairs of a problem; hide if there are none."""
        self.buttons = []
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 4, 0)
        layout.setSpacing(3)
        layout.addWidget(PlainLabel("Repair it with one click", content, color="node_muted"))
        for number, repair in enumerate(offers):
            layout.addWidget(self._button(repair, number, content))
        layout.addStretch()
        self.setWidget(content)  # the old content is deleted
        self.setVisible(bool(self.buttons))

    def _button(self, repair: Offer, number: int, parent: QWidget) -> QPushButton:
        button = QPushButton(parent)
        text = button.fontMetrics().elidedText(repair.text, Qt.TextElideMode.ElideRight, self.width() - 40)
        button.setText(text.replace("&", "&&"))
        button.setObjectName(f"repair_{number + 1}")
        button.setAccessibleName(repair.text)
        button.setToolTip(plain_tooltip(repair.text))
        button.clicked.connect(partial(self.chosen.emit, repair))
        self.buttons.append(button)
        return button
