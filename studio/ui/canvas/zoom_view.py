"""A view without borders: pan, zoom, fit."""

from __future__ import annotations

import functools
import math

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Slot
from PySide6.QtGui import (
    QInputDevice,
    QNativeGestureEvent,
    QPainter,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGestureEvent, QGraphicsView, QPinchGesture, QWidget

from studio.graph.geometry import GRID
from studio.ui.canvas.node_item import DETAIL_FROM, TEXT_FROM
from studio.ui.canvas.scene import GraphScene

_SMALLEST, _LARGEST = 0.05, 4.0  # scale
_FIT_MARGIN = 16.0  # scene units around the blocks
_WORLD = 4e7  # scene units; a block stands at most a quarter of it from the middle
_STEP = 1.2  # of the scale
_DOTS = 3 * GRID  # scene units between the dots of the ground
_DENSEST_DOTS = 12.0  # pixels between them; from afar there are fewer


class ZoomView(QGraphicsView):
    """Shows a scene of any size at any scale. After `fit` it keeps everything in sight until someone pans or zooms."""

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.graph_scene = scene
        self._fitted = True
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)  # every item sets its own
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        # One size for ever: a rectangle that grew with the blocks would make the canvas jump while dragging.
        self.setSceneRect(-_WORLD / 2, -_WORLD / 2, _WORLD, _WORLD)

    @property
    def scale_factor(self) -> float:
        """Pixels per scene unit."""
        return self.transform().m11()

    def to_scene(self, position: QPointF) -> QPointF:
        """A point of the viewport in scene units."""
        return self.viewportTransform().inverted()[0].map(position)

    def to_scene_rect(self, rect: QRectF) -> QRectF:
        """A rectangle of the viewport in scene units."""
        return self.viewportTransform().inverted()[0].mapRect(rect)

    def pan(self, pixels: QPointF) -> None:
        """Move the canvas by so many pixels."""
        self._fitted = False
        self._scroll(pixels)

    def _scroll(self, pixels: QPointF) -> None:
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() - round(pixels.x()))
        vertical.setValue(vertical.value() - round(pixels.y()))

    def zoom(self, factor: float, position: QPointF | None = None) -> None:
        """Scale, so that what is under a point of the viewport stays there; None for its middle."""
        self._fitted = False
        pinned = position if position is not None else QRectF(self.viewport().rect()).center()
        before = self.to_scene(pinned)
        self._set_scale(self.scale_factor * factor)
        self._scroll(pinned - self.viewportTransform().map(before))

    @Slot()
    def zoom_in(self) -> None:
        """One step nearer."""
        self.zoom(_STEP)

    @Slot()
    def zoom_out(self) -> None:
        """One step further away."""
        self.zoom(1 / _STEP)

    def _set_scale(self, scale: float) -> None:
        factor = min(_LARGEST, max(_SMALLEST, scale)) / self.scale_factor
        self.scale(factor, factor)
        near = self.scale_factor >= TEXT_FROM
        self.graph_scene.set_labels_visible(near)
        self.setRenderHint(QPainter.RenderHint.Antialiasing, near)  # costs most where most is in view

    @Slot()
    def fit(self) -> None:
        """Show all blocks, never larger than life."""
        self._fitted = True
        content = self.graph_scene.itemsBoundingRect()
        content.adjust(-_FIT_MARGIN, -_FIT_MARGIN, _FIT_MARGIN, _FIT_MARGIN)
        room = self.viewport().size()
        self._set_scale(min(1.0, room.width() / content.width(), room.height() / content.height()))
        self.centerOn(content.center())

    def reveal(self, node_id: str) -> None:
        """Scroll just so far that a block can be seen, and make it large enough to read."""
        if self.scale_factor < DETAIL_FROM:
            self._fitted = False
            self._set_scale(1.0)
        rect = self.graph_scene.node_item(node_id).sceneBoundingRect()
        if not self.to_scene_rect(QRectF(self.viewport().rect())).contains(rect):
            self._fitted = False
            self.centerOn(rect.center())

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """The ground with a dot at each corner of a square lattice; a scaled texture would take ten times as long."""
        colors, area = self.graph_scene.style_in_use.theme, QRectF(rect)
        painter.fillRect(area, colors.canvas)
        step = _DOTS * 4 ** max(0, math.ceil(math.log(_DENSEST_DOTS / (_DOTS * self.scale_factor), 4)))
        left, top = math.floor(area.left() / step), math.floor(area.top() / step)
        columns, rows = math.ceil(area.right() / step) - left + 1, math.ceil(area.bottom() / step) - top + 1
        painter.save()
        painter.setPen(QPen(colors.grid, 0))
        painter.scale(step, step)
        painter.translate(left, top)
        pixel = 1 / (step * self.scale_factor)
        for x, y in ((0, 0), (pixel, 0), (0, pixel), (pixel, pixel)):  # two by two pixels, without the slow wide pen
            painter.drawPoints(_lattice(columns, rows).translated(x, y))
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms, with Shift it pans sideways; two fingers on a touchpad pan, with Ctrl they zoom."""
        steps, modifiers = event.angleDelta().y() / 120, event.modifiers()
        touchpad = event.pointingDevice().type() == QInputDevice.DeviceType.TouchPad
        if touchpad and not modifiers & Qt.KeyboardModifier.ControlModifier:
            pixels = event.pixelDelta()
            self.pan(QPointF(pixels if not pixels.isNull() else event.angleDelta() / 2))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.pan(QPointF(60 * steps, 0))
        else:
            self.zoom(_STEP**steps, event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Two fingers that part or meet zoom, on a touchpad and on a screen."""
        if isinstance(event, QNativeGestureEvent):
            return self._follow_touchpad(event)
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._follow_fingers(pinch)
                event.accept(pinch)
                return True
        return super().viewportEvent(event)

    def _follow_touchpad(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self.zoom(max(0.1, 1 + event.value()), event.position())
        event.accept()
        return True

    def _follow_fingers(self, pinch: QPinchGesture) -> None:
        center = self.viewport().mapFromGlobal(pinch.centerPoint().toPoint())
        way = pinch.centerPoint() - pinch.lastCenterPoint()
        if pinch.state() != Qt.GestureState.GestureStarted and not way.isNull():
            self.pan(way)
        if pinch.scaleFactor() > 0:
            self.zoom(pinch.scaleFactor(), QPointF(center))


@functools.lru_cache(maxsize=32)
def _lattice(columns: int, rows: int) -> QPolygonF:
    """The corners of so many unit squares."""
    return QPolygonF([QPointF(x, y) for x in range(columns) for y in range(rows)])
