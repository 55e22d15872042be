"""A small mark in a colour, for the rows of lists."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

DOT = 10  # pixels


def dot(color: QColor) -> QPixmap:
    """A rounded square in a colour."""
    pixmap = QPixmap(DOT, DOT)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(1, 1, DOT - 2, DOT - 2, 2, 2)
    painter.end()
    return pixmap
