"""A note as the canvas shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextOption
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.graph.model import Note
from studio.ui.canvas.node_item import DETAIL_FROM
from studio.ui.canvas.style import Style

MARGIN = 10.0
GRIP = 14.0  # side of the corner that resizes it


class NoteItem(QGraphicsItem):
    """Shows a note: plain text on a calm ground, behind blocks and wires. It never changes the graph."""

    def __init__(self, note: Note, style: Style) -> None:
        super().__init__()
        self.setZValue(-2)
        self.style = style
        self.chosen = False
        self.set_note(note)

    def set_note(self, note: Note) -> None:
        """Show another value of the same note."""
        self.prepareGeometryChange()
        self.note = note
        self.setPos(note.x, note.y)
        self.update()

    def set_size(self, width: float, height: float) -> None:
        """Show it at another size than the graph says, while its corner is dragged."""
        self.prepareGeometryChange()
        self._size = (width, height)
        self.update()

    @property
    def note(self) -> Note:
        """What is shown."""
        return self._note

    @note.setter
    def note(self, note: Note) -> None:
        self._note = note
        self._size = (note.width, note.height)

    def set_style(self, style: Style) -> None:
        """Paint with other colours and fonts."""
        self.style = style
        self.update()

    def set_chosen(self, chosen: bool) -> None:
        """Show as chosen."""
        self.chosen = chosen
        self.update()

    def resizes_at(self, point: QPointF) -> bool:
        """Whether a point of the scene is on the corner that resizes it."""
        corner = self.pos() + QPointF(*self._size)
        return QRectF(corner.x() - GRIP, corner.y() - GRIP, GRIP, GRIP).contains(point)

    @property
    def _rect(self) -> QRectF:
        return QRectF(0, 0, *self._size)

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        colors, rect = self.style.theme, self._rect
        painter.setPen(QPen(colors.selection, 2.0) if self.chosen else QPen(colors.note_border, 1.0))
        painter.setBrush(colors.note)
        painter.drawRect(rect)
        if painter.worldTransform().m11() < DETAIL_FROM:
            return
        painter.setFont(self.style.detail_font)
        painter.setPen(colors.node_text if self.note.text else colors.node_muted)
        option_ = QTextOption(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        option_.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        room = rect.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter.save()
        painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
        painter.drawText(room, self.note.text or "Double-click to write", option_)
        painter.restore()
        painter.setPen(QPen(colors.note_border, 1.0))
        for inset in (4.0, 8.0):
            corner = rect.bottomRight()
            painter.drawLine(QPointF(corner.x() - inset, corner.y() - 2), QPointF(corner.x() - 2, corner.y() - inset))
