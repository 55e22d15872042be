"""A map of samples: fifty thousand dots that follow the hand, since they are drawn as pixels of one picture.

Axis letters: N samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

LASSO, RECTANGLE, MOVE = TOOLS = ("Lasso", "Rectangle", "Move")
_REACH = 9.0  # pixels around the pointer within which a dot is meant
_LEAST_DRAG = 5.0  # pixels; less is a click
_STEP = 1.2  # of a zoom
_MARGIN = 0.05  # of the map around its points
_FEW = 3_000  # dots that can be large


class MapView(QWidget):
    """Shows points by class. A wheel zooms; a drag selects or moves, as the tool says; a click chooses.

    Keys: the arrows move, + and - zoom, Home shows all, Escape gives a selection up.
    """

    hovered = Signal(int)  # number of the point under the pointer, from 0; -1 for none
    chosen = Signal(int)
    selected = Signal(object)  # numbers of points (n,) int64

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sampleMap")
        self.setAccessibleName("Map of the samples")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.tool = LASSO
        self._points_N2 = np.zeros((0, 2), np.float32)
        self._classes_N = np.zeros(0, np.int64)
        self._wrong_N = np.zeros(0, bool)
        self._shown_N = np.zeros(0, bool)
        self._center, self._extent = (0.0, 0.0), 1.0  # of what is in view, in units of the points
        self._image: QImage | None = None
        self._current, self._under = -1, -1
        self._trail: list[QPointF] = []  # of the pointer while its button is held

    # What is shown ----------------------------------------------------------------------------------------------------

    def show_points(self, points_N2: np.ndarray, classes_N: np.ndarray | None, wrong_N: np.ndarray) -> None:
        """Show other points.

        Args:
            classes_N: numbers of the colours; None for one colour.
            wrong_N: which ones get a ring.
        """
        count = len(points_N2)
        self._points_N2, self._wrong_N = points_N2, wrong_N
        self._classes_N = np.zeros(count, np.int64) if classes_N is None else classes_N
        self._shown_N = np.ones(count, bool)
        self._current = self._under = -1
        self._trail = []
        self.fit()

    def show_only(self, shown_N: np.ndarray) -> None:
        """Show only some of the points."""
        self._shown_N = shown_N
        self._redraw()

    def mark(self, point: int) -> None:
        """Put a circle around a point; -1 for none."""
        self._current = point
        self.update()

    def fit(self) -> None:
        """Bring all points into view."""
        if len(self._points_N2):
            low, high = self._points_N2.min(0), self._points_N2.max(0)
            self._center = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
            self._extent = max(float((high - low).max()), 1e-12) * (1 + 2 * _MARGIN)
        self._redraw()

    def _redraw(self) -> None:
        self._image = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 300)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 140)

    # Places -----------------------------------------------------------------------------------------------------------

    def _scale(self) -> float:
        """Pixels of a unit of the points."""
        return max(min(self.width(), self.height()), 1) / self._extent

    def places(self) -> np.ndarray:
        """Where the points are in the window, in pixels (N, 2)."""
        return self._pixels(1.0)

    def _pixels(self, ratio: float) -> np.ndarray:
        scale = self._scale()
        x = (self._points_N2[:, 0] - self._center[0]) * scale + self.width() / 2
        y = self.height() / 2 - (self._points_N2[:, 1] - self._center[1]) * scale
        return np.asarray(np.stack([x, y], 1) * ratio)

    def nearest(self, at: QPointF) -> int:
        """The point near a place in the window; -1 if none is near."""
        if not len(self._points_N2):
            return -1
        places = self.places()
        squares = (places[:, 0] - at.x()) ** 2 + (places[:, 1] - at.y()) ** 2
        squares[~self._shown_N] = np.inf
        found = int(squares.argmin())
        return found if squares[found] <= _REACH**2 else -1

    def within(self, corners: list[QPointF]) -> np.ndarray:
        """The points shown within a polygon (n,), by the rule of odd and even."""
        x, y = (np.array([getattr(corner, axis)() for corner in corners]) for axis in ("x", "y"))
        places = self.places()
        maybe = np.flatnonzero(
            self._shown_N & (places >= (x.min(), y.min())).all(1) & (places <= (x.max(), y.max())).all(1)
        )
        px, py = places[maybe].T
        inside = np.zeros(len(maybe), bool)
        for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
            if y0 != y1:
                inside ^= ((y0 > py) != (y1 > py)) & (px < x0 + (py - y0) * (x1 - x0) / (y1 - y0))
        return np.asarray(maybe[inside])

    # Painting ---------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            self._image = self._drawn()
        painter = QPainter(self)
        painter.drawImage(QPointF(0, 0), self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        places = self.places() if max(self._current, self._under) >= 0 else None
        for point, color, width in ((self._under, colors.node_muted, 1.5), (self._current, colors.selection, 2.5)):
            if places is not None and point >= 0 and self._shown_N[point]:
                painter.setPen(QPen(color, width))
                painter.drawEllipse(QPointF(*places[point].tolist()), 8, 8)
        if len(self._trail) > 1 and self.tool != MOVE:
            fill = QColor(colors.selection)
            fill.setAlpha(40)
            painter.setPen(QPen(colors.selection, 1, Qt.PenStyle.DashLine))
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF(self._corners()))
        painter.end()

    def _drawn(self) -> QImage:
        """All dots, and the rings of those that are wrong above them."""
        ratio, colors = self.devicePixelRatioF(), theme.current()
        height, width = max(1, round(self.height() * ratio)), max(1, round(self.width() * ratio))
        pixels = np.empty((height, width), np.uint32)
        pixels[:] = colors.plot.rgb()
        table = np.array([colors.class_color(number).rgb() for number in range(10)], np.uint32)
        inks = table[self._classes_N % 10]
        radius = ratio * (3.2 if self._shown_N.sum() <= _FEW else 1.6)
        places = np.floor(self._pixels(ratio)).astype(np.int64)
        _stamp(pixels, places[self._shown_N], inks[self._shown_N], _disc(0.0, radius))
        ringed = self._shown_N & self._wrong_N
        ink = np.full(int(ringed.sum()), colors.node_text.rgb(), np.uint32)
        _stamp(pixels, places[ringed], ink, _disc(radius, radius + max(1.0, ratio)))
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
        image.setDevicePixelRatio(ratio)
        return image

    def _corners(self) -> list[QPointF]:
        if self.tool == LASSO:
            return self._trail
        box = QRectF(self._trail[0], self._trail[-1]).normalized()
        return [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft()]

    # Events -----------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._trail = [event.position()]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if not self._trail:
            self._hover(self.nearest(at))
        elif self.tool == MOVE:
            self._move(at - self._trail[-1])
            self._trail[1:] = [at]
        elif (at - self._trail[-1]).manhattanLength() > 2:
            self._trail.append(at)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self._trail:
            return
        dragged = any((at - self._trail[0]).manhattanLength() >= _LEAST_DRAG for at in self._trail)
        corners = self._corners() if dragged else []
        self._trail = []
        self.update()
        if not dragged:
            point = self.nearest(event.position())
            if point >= 0:
                self.chosen.emit(point)
        elif self.tool != MOVE:
            self.selected.emit(self.within(corners))

    def _hover(self, point: int) -> None:
        if point != self._under:
            self._under = point
            self.update()
            self.hovered.emit(point)

    def _move(self, by: QPointF) -> None:
        scale = self._scale()
        self._center = (self._center[0] - by.x() / scale, self._center[1] + by.y() / scale)
        self._redraw()

    def _zoom(self, factor: float, at: QPointF) -> None:
        """What is at a place in the window stays there."""
        before = at - QRectF(self.rect()).center()
        self._extent /= factor
        self._move(-before * (factor - 1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._zoom(_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        key, middle = Qt.Key(event.key()), QRectF(self.rect()).center()
        if key in steps:
            self._move(QPointF(*steps[key]) * 40)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(1 / _STEP if key == Qt.Key.Key_Minus else _STEP, middle)
        elif key == Qt.Key.Key_Home:
            self.fit()
        elif key == Qt.Key.Key_Escape and self._trail:
            self._trail = []
            self.update()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_trail"):
            self._redraw()


def _disc(inner: float, outer: float) -> np.ndarray:
    """Pixels around a middle whose distance from it is in a range (n, 2)."""
    side = np.arange(-int(outer) - 1, int(outer) + 2)
    x, y = np.meshgrid(side, side)
    length = np.hypot(x, y)
    found = (length <= outer) & (length >= inner) if inner else length <= outer
    return np.stack([x[found], y[found]], 1)


def _stamp(pixels: np.ndarray, places: np.ndarray, inks: np.ndarray, shape: np.ndarray) -> None:
    """Put a shape at each place (n, 2) of pixels (H, W), in its colour; what lies outside is left out."""
    height, width = pixels.shape
    reach = int(np.abs(shape).max(initial=0))
    seen = (places >= -reach).all(1) & (places[:, 0] < width + reach) & (places[:, 1] < height + reach)
    # A frame as wide as the shape takes what hangs over the edge, so that nothing need be looked at dot by dot.
    framed = np.empty((height + 4 * reach, width + 4 * reach), pixels.dtype)
    framed[2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width] = pixels
    flat, inks = framed.reshape(-1), inks[seen]
    starts = (places[seen, 1] + 2 * reach) * framed.shape[1] + places[seen, 0] + 2 * reach
    for x, y in shape.tolist():
        flat[starts + y * framed.shape[1] + x] = inks
    pixels[:] = framed[2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]
