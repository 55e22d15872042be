"""Marks over ports: where a wire may end, where it would not fit, where it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas.node_item import DETAIL_FROM, PORT_RADIUS, Port
from studio.ui.canvas.style import Style

FITS, MISFITS, CLOSED, GRIP = "fits", "misfits", "closed", "grip"  # states of a mark
_RADIUS = 2.2 * PORT_RADIUS


class Lights(QGraphicsItem):
    """One item for all marks, so that hundreds of ports cost one repaint. It knows nothing of links."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self.setZValue(1.5)  # over the blocks, under a wire that is drawn
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # for the exposed rectangle
        self._style = style
        self._marks: dict[Port, tuple[QPointF, str]] = {}
        self._bounds = QRectF()

    @property
    def states(self) -> dict[Port, str]:
        """The state of each port that is marked."""
        return {port: state for port, (_, state) in self._marks.items()}

    def show_marks(self, marks: Mapping[Port, tuple[QPointF, str]]) -> None:
        """Mark these ports and no others: for each its place, in scene units, and its state."""
        self.prepareGeometryChange()
        self._marks = dict(marks)
        bounds = QRectF()
        for place, _ in self._marks.values():
            bounds |= _around(place)
        self._bounds = bounds
        self.update()

    def change(self, port: Port, state: str) -> None:
        """Give a port that is marked another state."""
        if port in self._marks:
            place = self._marks[port][0]
            self._marks[port] = (place, state)
            self.update(_around(place))

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if painter.worldTransform().m11() < DETAIL_FROM:
            return  # ports cannot be seen either
        exposed = option.exposedRect.adjusted(-_RADIUS, -_RADIUS, _RADIUS, _RADIUS)
        for place, state in self._marks.values():
            if exposed.contains(place):
                self._paint_mark(painter, place, state)

    def _paint_mark(self, painter: QPainter, place: QPointF, state: str) -> None:
        colors = self._style.theme
        if state == CLOSED:
            painter.setPen(QPen(colors.border, 1.2))
            painter.setBrush(colors.canvas)
            painter.drawEllipse(place, 0.7 * PORT_RADIUS, 0.7 * PORT_RADIUS)
            return
        color = colors.warning if state == MISFITS else colors.selection
        if state != GRIP:
            halo = QColor(color)
            halo.setAlpha(70)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(place, _RADIUS, _RADIUS)
        painter.setPen(QPen(colors.canvas if state != GRIP else color, 1.5))
        painter.setBrush(color if state != GRIP else colors.canvas)
        painter.drawEllipse(place, 1.1 * PORT_RADIUS, 1.1 * PORT_RADIUS)


def _around(place: QPointF) -> QRectF:
    reach = _RADIUS + 1.0
    return QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach)
