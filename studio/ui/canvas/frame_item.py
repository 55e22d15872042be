"""An unfolded group as the canvas shows it: a frame around its blocks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from studio.graph import Node
from studio.graph.geometry import size_of
from studio.ui.canvas.node_item import DETAIL_FROM, NodeItem, Port
from studio.ui.canvas.style import Style

_BAR = 28.0  # height of the bar with the name
_GRIP = 8.0  # width of the border that can be taken hold of
_CHEVRON = 24.0  # width of the button that folds it


class FrameItem(NodeItem):
    """Shows a group's name in a bar above its blocks. Inside, the canvas shows through and can be used as such."""

    def __init__(self, node: Node, style: Style) -> None:
        self._rect = QRectF(0, 0, *size_of(node))
        super().__init__(node, style)
        self.setZValue(-1 + 0.01 * node.id.count("/"))  # behind wires and blocks, before the frame around it

    def set_node(self, node: Node) -> None:
        """Show another value of the same group."""
        self.prepareGeometryChange()
        self._rect = QRectF(0, 0, *size_of(node))
        super().set_node(node)

    def ports(self) -> list[Port]:
        """None: its ports are blocks in it."""
        return []

    def _place_labels(self) -> None:
        """None: the shapes stand at its ports."""

    def raise_above(self, *, others: bool) -> None:
        """It stays behind its blocks."""

    def set_figure(self, figure: str, largest: int) -> None:
        """None: the figures stand on its blocks."""

    def folds_at(self, point: QPointF) -> bool:
        """Whether a click at a point of the scene folds the group."""
        return QRectF(0, 0, _CHEVRON, _BAR).contains(point - self.pos())

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-4, -4, 4, 4)

    def shape(self) -> QPainterPath:
        inner = self._rect.adjusted(_GRIP, _BAR, -_GRIP, -_GRIP)
        path = QPainterPath()
        path.addRect(self._rect)
        hole = QPainterPath()
        hole.addRect(inner)
        return path.subtracted(hole)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setOpacity(0.45 if self.node.bypassed else 1.0)
        fill = QColor(self._group_color)
        fill.setAlpha(20)
        painter.setBrush(fill)
        painter.setPen(QPen(self._border_color(), 2.0 if self.isSelected() or self.severity else 1.2))
        painter.drawRoundedRect(self._rect, 8, 8)
        fill.setAlpha(48)
        painter.fillRect(QRectF(1, 1, self._rect.width() - 2, _BAR - 1), fill)
        if painter.worldTransform().m11() >= DETAIL_FROM:
            self._paint_bar(painter)
        painter.setOpacity(1.0)

    def _paint_bar(self, painter: QPainter) -> None:
        colors, middle = self.style.theme, Qt.AlignmentFlag.AlignVCenter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.node_text)
        painter.drawPolygon(QPolygonF([QPointF(9, 11), QPointF(19, 11), QPointF(14, 17)]))
        painter.setFont(self.style.title_font)
        painter.setPen(colors.node_text)
        bar = QRectF(_CHEVRON + 2, 0, self._rect.width() - _CHEVRON - 12, _BAR)
        painter.drawText(bar, Qt.AlignmentFlag.AlignLeft | middle, self._titled)
        painter.setFont(self.style.detail_font)
        painter.setPen(colors.node_muted)
        painter.drawText(bar, Qt.AlignmentFlag.AlignRight | middle, self.node.name)
