"""Drag the canvas itself."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from studio.ui.canvas.gestures.base import Gesture


class PanView(Gesture):
    """Middle button, or Space and the left one: the canvas follows the pointer."""

    def start(self, position: QPointF) -> None:
        self.last = self.first = position
        self.view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, position: QPointF) -> None:
        self.view.pan(position - self.last)
        self.last = position

    def end(self, position: QPointF) -> None:
        self.view.viewport().unsetCursor()

    def cancel(self) -> None:
        self.view.pan(self.first - self.last)
        self.view.viewport().unsetCursor()
