"""Draw a rectangle around blocks to select them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtWidgets import QRubberBand

from studio.ui.canvas.gestures.base import Gesture

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView


class SelectRegion(Gesture):
    """Press on empty canvas and drag: select the blocks the rectangle touches, and the notes that lie in it.

    Args:
        view: where.
        extend: keep what is selected already.
    """

    def __init__(self, view: GraphView, *, extend: bool) -> None:
        super().__init__(view)
        self.extend = extend

    def start(self, position: QPointF) -> None:
        self.pressed_at = position
        self.selected_before = ((*self.scene.selected_nodes, *self.scene.selected_notes), self.scene.selected_links)
        self.band = QRubberBand(QRubberBand.Shape.Rectangle, self.view.viewport())
        if not self.extend:
            self.scene.clear_selection()

    def move(self, position: QPointF) -> None:
        region = QRectF(self.pressed_at, position).normalized()
        self.band.setGeometry(QRect(region.toRect()))
        self.band.show()
        region = self.view.to_scene_rect(region)
        touched = {item.node.id for item in self.scene.nodes_in(region)}
        if self.scene.has_notes:
            touched |= self.scene.notes.within(region)  # they lie under blocks: to touch one says nothing
        kept, kept_links = self.selected_before if self.extend else ((), frozenset())
        self.scene.select(touched | set(kept), kept_links)

    def end(self, position: QPointF) -> None:
        self._close()

    def cancel(self) -> None:
        self._close()
        self.scene.select(*self.selected_before)

    def _close(self) -> None:
        self.band.hide()
        self.band.deleteLater()
