"""Paper to draw on with the mouse or a pen, and a place where a picture is shown.

Axis letters: H W space.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme
from studio.ui.widgets.picture_view import fitted

if TYPE_CHECKING:
    import numpy as np

SIDE = 280  # pixels of the paper, whatever its size on the screen
THICKNESSES = (8, 16, 22, 28, 40)  # of the brush, in pixels of the paper
_USUAL = 2


@dataclass
class _Stroke:
    thickness: int
    points: list[QPointF] = field(default_factory=list)


class DrawingPad(QWidget):
    """Light ink on dark paper, as the digits that networks learn from."""

    changed = Signal()  # a stroke grew, or was taken back
    begun = Signal()  # somebody draws on what was a picture

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drawingPad")
        self.setAccessibleName("Paper to draw on")
        self.setAccessibleDescription("Draw with the mouse or a pen. Ctrl+Z takes the last stroke back.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.thickness = THICKNESSES[_USUAL]
        self.drawable = True
        self.hint = ""  # what stands there while nothing is drawn
        self._strokes: list[_Stroke] = []
        self._ink = _blank()
        self._picture: QImage | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is drawn."""
        return not self._strokes

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown in place of the paper."""
        return self._picture is not None

    def ink(self) -> np.ndarray:
        """How strong the ink is (H, W), uint8, 0 for paper."""
        import numpy as np

        image = self._ink
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : image.width()].copy()

    def show_picture(self, picture: QImage) -> None:
        """Show a picture in place of what is drawn."""
        self.clear()
        self._picture = picture
        self.update()

    def clear(self) -> None:
        """Take all away."""
        self._strokes, self._picture = [], None
        self._ink = _blank()
        self.update()

    def undo(self) -> None:
        """Take the last stroke back."""
        if self._strokes:
            self._strokes.pop()
            self._ink = _blank()
            for stroke in self._strokes:
                self._draw(stroke, 0)
            self.update()
            self.changed.emit()

    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    @property
    def _paper(self) -> QRectF:
        """Where the paper is."""
        return fitted(QSize(SIDE, SIDE), QRectF(self.rect()))

    def _on_paper(self, position: QPointF) -> QPointF:
        paper = self._paper
        return (position - paper.topLeft()) * (SIDE / max(paper.width(), 1.0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.drawable:
            return
        self.setFocus()
        if self._picture is not None:
            self.clear()
            self.begun.emit()
        self._strokes.append(_Stroke(self.thickness))
        self._extend(self._on_paper(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self.drawable and self._strokes:
            self._extend(self._on_paper(event.position()))

    def _extend(self, point: QPointF) -> None:
        stroke = self._strokes[-1]
        stroke.points.append(point)
        self._draw(stroke, max(0, len(stroke.points) - 3))
        self.update()
        self.changed.emit()

    def _draw(self, stroke: _Stroke, first: int) -> None:
        """Draw a stroke from one of its points on: curves between the middles of its pieces, so that it is smooth."""
        points = stroke.points[first:]
        path = QPainterPath(points[0] if first == 0 else (points[0] + points[1]) / 2)
        for corner, end in itertools.pairwise(points[1:] if first else points):
            path.quadTo(corner, (corner + end) / 2)
        path.lineTo(points[-1] + QPointF(0.01, 0))  # a single point is a dot
        painter = QPainter(self._ink)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color, cap, joint = QColor(255, 255, 255), Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        painter.setPen(QPen(color, stroke.thickness, Qt.PenStyle.SolidLine, cap, joint))
        painter.drawPath(path)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Z and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.undo()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._picture is not None:
            room = QRectF(self.rect())
            target = fitted(self._picture.size(), room)
            smooth = self._picture.width() > target.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(target, self._picture)
        else:
            target = self._paper
            painter.drawImage(target, self._ink)
            if self.is_blank:
                painter.setPen(QColor(170, 170, 170))
                painter.drawText(target, Qt.AlignmentFlag.AlignCenter, self.hint)
        painter.setPen(QPen(colors.selection if self.hasFocus() else colors.border, 1))
        painter.drawRect(target.adjusted(0, 0, -1, -1))
        painter.end()


def _blank() -> QImage:
    image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
    image.fill(0)
    return image
