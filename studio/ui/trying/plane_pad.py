"""A plane of two numbers, in which a click chooses a point."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

Range = tuple[float, float]

_MARGIN = 16  # pixels, for the names of the axes
_KEYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
_KEY_SHARE = 0.02  # of the range, with each press


class PlanePad(QWidget):
    """Shows where the point is.

    Args:
        names: of the two numbers.
        ranges: in which they usually are.
    """

    chosen = Signal(float, float)

    def __init__(self, names: tuple[str, str], ranges: tuple[Range, Range], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("planePad")
        self.setAccessibleName(f"Point in the plane of {names[0]} and {names[1]}; the arrow keys move it")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._names, self._ranges = names, ranges
        self.point = tuple((low + high) / 2 for low, high in ranges)

    def sizeHint(self) -> QSize:
        return QSize(200, 170)

    def show_point(self, x: float, y: float) -> None:
        """Show another point. Nothing is told."""
        self.point = (x, y)
        self.update()

    @property
    def _room(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_MARGIN, 2, -2, -_MARGIN)

    def _move(self, position: QPointF) -> None:
        room = self._room
        shares = (position.x() - room.left()) / room.width(), (room.bottom() - position.y()) / room.height()
        self._choose([low + (high - low) * share for (low, high), share in zip(self._ranges, shares, strict=True)])

    def _choose(self, values: list[float]) -> None:
        kept = (min(high, max(low, value)) for value, (low, high) in zip(values, self._ranges, strict=True))
        self.point = tuple(kept)
        self.update()
        self.chosen.emit(*self.point)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        self._move(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        by = _KEYS.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        sizes = [high - low for low, high in self._ranges]
        self._choose([p + _KEY_SHARE * size * d for p, size, d in zip(self.point, sizes, by, strict=True)])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors, room = QPainter(self), theme.current(), self._room
        painter.fillRect(room, colors.plot)
        painter.setPen(colors.plot_grid)
        painter.drawLine(QPointF(room.center().x(), room.top()), QPointF(room.center().x(), room.bottom()))
        painter.drawLine(QPointF(room.left(), room.center().y()), QPointF(room.right(), room.center().y()))
        painter.setPen(colors.selection if self.hasFocus() else colors.border)
        painter.drawRect(room.adjusted(0, 0, -1, -1))
        painter.setPen(colors.node_muted)
        painter.drawText(room.adjusted(0, 0, 0, _MARGIN), Qt.AlignmentFlag.AlignBottom, self._names[0])
        painter.save()
        painter.translate(_MARGIN - 4, room.bottom())
        painter.rotate(-90)
        painter.drawText(QPointF(0, 0), self._names[1])
        painter.restore()
        self._paint_point(painter, room)
        painter.end()

    def _paint_point(self, painter: QPainter, room: QRectF) -> None:
        shares = [
            min(1.0, max(0.0, (value - low) / max(high - low, 1e-30)))
            for value, (low, high) in zip(self.point, self._ranges, strict=True)
        ]
        place = QPointF(room.left() + shares[0] * room.width(), room.bottom() - shares[1] * room.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.current().accent, 2))
        painter.drawEllipse(place, 6, 6)
        painter.drawLine(place - QPointF(11, 0), place + QPointF(11, 0))
        painter.drawLine(place - QPointF(0, 11), place + QPointF(0, 11))
