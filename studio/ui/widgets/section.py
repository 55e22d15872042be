"""A part of a form under a heading, which can be folded away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from studio.ui.widgets.plain_text import PlainLabel


class Section(QWidget):
    """A heading with an arrow, a short text beside it while it is folded, and what belongs to it.

    Args:
        title: the heading.
        name: its objectName.
        folded: whether it begins folded.
    """

    unfolded = Signal()  # each time

    def __init__(self, title: str, name: str, parent: QWidget | None = None, *, folded: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.head = QToolButton(self)
        self.head.setObjectName(f"{name}Head")
        self.head.setAccessibleName(title)
        self.head.setText(title)
        font = self.head.font()
        font.setBold(True)
        self.head.setFont(font)
        self.head.setAutoRaise(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._brief = PlainLabel("", self, color="node_muted")
        self._brief.setWordWrap(False)
        self._body = QWidget(self)
        self._rows = QVBoxLayout(self._body)
        self._rows.setContentsMargins(10, 2, 0, 6)
        self._rows.setSpacing(6)
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.head)
        top.addWidget(self._brief)
        top.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._body)
        self.is_folded: bool = folded  # whether only the heading is shown
        self.head.clicked.connect(lambda: self.fold(not self.is_folded))
        self.fold(folded)

    def add(self, part: QWidget) -> None:
        """Put something below what is there."""
        self._rows.addWidget(part)

    def set_brief(self, text: str) -> None:
        """What to say beside the heading while it is folded."""
        self._brief.setText(text)
        self._brief.setToolTip(text)

    def fold(self, folded: bool) -> None:
        """Show the heading alone, or all."""
        self.is_folded = folded
        self.head.setArrowType(Qt.ArrowType.RightArrow if folded else Qt.ArrowType.DownArrow)
        self._body.setVisible(not folded)
        self._brief.setVisible(folded)
        if not folded:
            self.unfolded.emit()
