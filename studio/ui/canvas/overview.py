"""A small map in the corner of the canvas: all blocks, and which part of them is in view."""

from __future__ import annotations

from collections import defaultdict

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSizeF, Qt, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from studio.compile.analysis import ERROR
from studio.graph.geometry import extent, size_of
from studio.ui import theme
from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.node_item import NodeItem
from studio.ui.canvas.zoom_view import ZoomView

_LARGEST, _SMALLEST = QSizeF(176, 150), QSizeF(64, 48)  # pixels, with the margin
_LARGEST_SCALE = 0.14  # pixels per scene unit: the map of a small network is small
_SHARE = 0.4  # of the view's width and height, at most
_MARGIN = 7.0  # pixels around the blocks
_CORNER = 10  # pixels to the view's edges
_THINNEST = 1.5  # pixels; a block is drawn no smaller
_STEP = 1.2  # of the scale, for a step of the wheel
_CHOSEN, _BROKEN = "~chosen", "~broken"  # looks other than the group of blocks; they sort last and are drawn on top


class Overview(QWidget):
    """Shows the whole network; a click or a drag in it pans the canvas, the wheel zooms it.

    It is hidden while everything is in view. The blocks are drawn once for each change, not for each pan.

    It stands in the viewport and goes back to its corner whenever that scrolls: over a widget that covers the viewport
    without being in it, Qt would paint the whole canvas anew for each pan.
    """

    def __init__(self, view: ZoomView) -> None:
        super().__init__(view.viewport())
        self._view = view
        self._scene = view.graph_scene
        self._wanted = True
        self._content = QRectF()  # around all blocks, in scene units
        self._picture: QPixmap | None = None
        self._place = QPoint()  # in the corner of the viewport
        self._frame = QRectF()  # what is in view, in pixels of the map
        self._held = QPointF()  # from the pointer to the middle of the frame, while it is dragged
        self.setObjectName("overview")
        self.setAccessibleName("Overview of the network")
        self.setToolTip("Click or drag to look elsewhere")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.lower()  # what is said beside the pointer stands above it
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        for bar in (self._view.horizontalScrollBar(), self._view.verticalScrollBar()):
            bar.valueChanged.connect(self._follow)
            bar.rangeChanged.connect(self._fit)  # zoomed, or the viewport has another size
        self._scene.document.graph_changed.connect(self.refresh)
        self._scene.selection_changed.connect(self._redraw)

    def set_wanted(self, wanted: bool) -> None:
        """Show the map where it helps, or never."""
        self._wanted = wanted
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """The blocks, or what is known of them, changed."""
        graph = self._scene.document.shown
        left, top, right, bottom = extent(graph)
        self._content = QRectF(left, top, right - left, bottom - top) if graph.nodes else QRectF()
        self._fit()
        self._redraw()

    @Slot()
    def _redraw(self) -> None:
        self._picture = None
        self.update()

    @Slot()
    def _fit(self) -> None:
        """Take the shape of the network, and the corner of the view."""
        room = self._view.viewport().size()
        most = _LARGEST.boundedTo(QSizeF(room) * _SHARE)
        around = QSizeF(2 * _MARGIN, 2 * _MARGIN)
        scaled = self._content.size().scaled(most - around, Qt.AspectRatioMode.KeepAspectRatio)
        size = (scaled.boundedTo(self._content.size() * _LARGEST_SCALE) + around).expandedTo(_SMALLEST).toSize()
        if size != self.size():
            self.resize(size)
            self._picture = None
        self._place = QPoint(room.width() - size.width() - _CORNER, room.height() - size.height() - _CORNER)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """Show what is in view now, in the same corner."""
        self.move(self._place)
        seen = self._view.to_scene_rect(QRectF(self._view.viewport().rect()))
        needed = self._wanted and not self._content.isEmpty() and not seen.contains(self._content)
        if needed == self.isHidden():
            self.setVisible(needed)
        if needed:
            before = self._frame
            self._frame = self._clamped(QRectF(self._at(seen.topLeft()), self._at(seen.bottomRight())))
            self.update((before | self._frame).adjusted(-2, -2, 2, 2).toAlignedRect())

    def _clamped(self, frame: QRectF) -> QRectF:
        """A part of the map, although the view may lie beside all blocks."""
        room = QRectF(self.rect()).adjusted(1, 1, -2, -2)
        corners = [
            QPointF(min(max(p.x(), room.left()), room.right()), min(max(p.y(), room.top()), room.bottom()))
            for p in (frame.topLeft(), frame.bottomRight())
        ]
        return QRectF(*corners)

    # Between the map and the scene

    @property
    def _scale(self) -> float:
        """Pixels of the map per scene unit."""
        room = QSizeF(self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN)
        return min(_LARGEST_SCALE, room.width() / self._content.width(), room.height() / self._content.height())

    def _at(self, point: QPointF) -> QPointF:
        """Where a point of the scene is on the map."""
        return QRectF(self.rect()).center() + (point - self._content.center()) * self._scale

    def _point_at(self, position: QPointF) -> QPointF:
        """The point of the scene that is here on the map."""
        return self._content.center() + (position - QRectF(self.rect()).center()) / self._scale

    def _look_at(self, position: QPointF) -> None:
        """Bring what is here on the map into the middle of the view."""
        middle = QRectF(self._view.viewport().rect()).center()
        self._view.pan(middle - self._view.viewportTransform().map(self._point_at(position)))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._draw()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        colors = theme.current()
        veil = QColor(colors.node)
        veil.setAlpha(120)
        beside = QPainterPath()  # the rectangle in the rectangle is a hole
        beside.addRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        beside.addRect(self._frame)
        painter.fillPath(beside, veil)
        painter.setPen(QPen(colors.selection, 1.5))
        painter.drawRect(self._frame)

    def _draw(self) -> QPixmap:
        """The map without the frame."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        colors = theme.current()
        picture.fill(colors.node)
        painter = QPainter(picture)
        painter.setPen(colors.border)
        painter.drawRect(QRect(0, 0, self.width() - 1, self.height() - 1))
        if not self._content.isEmpty():
            self._draw_blocks(painter)
        painter.end()
        return picture

    def _draw_blocks(self, painter: QPainter) -> None:
        """Boxes in the colour of their kind; what is selected or broken can be told from afar."""
        scale, origin = self._scale, self._at(QPointF(0, 0))
        boxes: defaultdict[tuple[bool, str], list[QRectF]] = defaultdict(list)
        for node in self._scene.document.shown.nodes:
            item = self._scene.node_item(node.id)
            width, height = size_of(node)
            box = QRectF(
                origin.x() + scale * node.x, origin.y() + scale * node.y,
                max(_THINNEST, scale * width), max(_THINNEST, scale * height),
            )  # fmt: skip
            boxes[not isinstance(item, FrameItem), _look_of(item)].append(box)
        painter.setPen(Qt.PenStyle.NoPen)
        colors = theme.current()
        special = {_CHOSEN: colors.selection, _BROKEN: colors.error}
        for (solid, look), rects in sorted(boxes.items(), key=lambda entry: entry[0]):  # frames first, behind the rest
            color = QColor(special.get(look) or colors.group_color(look))
            color.setAlpha(255 if solid else 60)
            painter.setBrush(color)
            painter.drawRects(rects)

    # Pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            seen = self._view.to_scene_rect(QRectF(self._view.viewport().rect()))
            inside = self._frame.contains(event.position())
            self._held = self._at(seen.center()) - event.position() if inside else QPointF()
            self._look_at(event.position() + self._held)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._look_at(event.position() + self._held)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # or the canvas would get it

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._view.zoom(_STEP ** (event.angleDelta().y() / 120))
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()


def _look_of(item: NodeItem) -> str:
    if item.isSelected():
        return _CHOSEN
    return _BROKEN if item.severity == ERROR else item.node.block.group
