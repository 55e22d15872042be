"""A few words beside the pointer while something is going on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.widgets.plain_text import PlainLabel

_BESIDE = 18  # pixels from the pointer
_WIDEST = 320


class PointerLabel(PlainLabel):
    """Says why something cannot be done here, or what would be done. The pointer passes through it."""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__("", viewport, color="node_text")
        self._viewport = viewport
        self.setObjectName("pointer_label")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(6)
        self._edge = QColor()
        self.hide()

    def say(self, text: str, position: QPointF, *, warns: bool = False) -> None:
        """Show a text beside a point of the viewport; an empty one hides the label."""
        self._edge = theme.current().warning if warns else theme.current().border
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
            self.resize(self._fitting())
        self.setVisible(bool(text))
        room = self._viewport.rect()
        x, y = position.x() + _BESIDE, position.y() + _BESIDE
        if x + self.width() > room.width():
            x = position.x() - _BESIDE - self.width()
        if y + self.height() > room.height():
            y = position.y() - _BESIDE - self.height()
        self.move(round(max(0.0, x)), round(max(0.0, y)))
        self.update()

    def _fitting(self) -> QSize:
        text, flags = self.text(), Qt.TextFlag.TextWordWrap
        rect = self.fontMetrics().boundingRect(0, 0, _WIDEST, 10_000, flags, text)
        return rect.adjusted(0, 0, 2 * self.margin() + 2, 2 * self.margin()).size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(theme.current().node)
        painter.setPen(self._edge)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()
        super().paintEvent(event)
