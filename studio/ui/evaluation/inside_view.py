"""Shows feature maps and filters as one large picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.widgets.picture_view import fitted, paint_pixmap, to_pixmap
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.explain.insides import Inside


class InsideView(QWidget):
    """The picture as large as there is room, and in words what it shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("insideView")
        self.canvas = _Canvas(self)
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("insideTold")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.told)

    def show_inside(self, inside: Inside) -> None:
        """Show it."""
        self.canvas.inside = inside
        shown = inside.picture
        broken = f", {shown.broken:,} are no numbers" if shown.broken else ""
        words = f"“{inside.of}”: {shown.caption}, from {shown.low:.3g} to {shown.high:.3g}{broken}."
        self.told.setText(words)
        self.canvas.setAccessibleName(words)
        self.canvas.update()


class _Canvas(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("insideCanvas")
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.inside: Inside | None = None

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.inside is None:
            return
        painter = QPainter(self)
        try:
            colors, room = theme.current(), QRectF(self.rect())
            pixmap = to_pixmap(self.inside.picture, colors)
            painter.fillRect(room, colors.canvas)
            paint_pixmap(painter, fitted(pixmap.size(), room), pixmap)
        finally:
            painter.end()
