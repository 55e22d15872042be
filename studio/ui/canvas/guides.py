"""Guides while a block is moved: it snaps to blocks near by, and thin lines show to what."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from studio.graph.geometry import size_of, snap
from studio.graph.paths import contains
from studio.graph.snapping import Box, Guide, guides, near, snapped

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_REACH = 7.0  # pixels within which a block snaps
_FURTHEST = 20.0  # scene units; from afar a few pixels are a long way
_TICK = 4.0  # scene units; half the length of the line across each end of a gap
_OVER_ALL = 3.0  # z


class Guides:
    """Places one block that is moved. Only blocks in view count: nobody aligns with what they do not see.

    Args:
        view: where.
        node_id: the block.
        moved: all that moves along with it.
    """

    def __init__(self, view: GraphView, node_id: str, moved: Collection[str]) -> None:
        self._view = view
        self._scene = view.graph_scene
        self._node_id = node_id
        self._moved = moved
        self._size = size_of(self._scene.document.shown.node(node_id))
        self._seen = QRectF()  # the part of the canvas whose blocks are known
        self._others: list[Box] = []
        self._item: QGraphicsPathItem | None = None

    def place(self, wanted: QPointF, *, free: bool) -> QPointF:
        """Where the block goes: to blocks near by, otherwise to the grid; if `free`, just where it is wanted."""
        if free:
            return QPointF(round(wanted.x()), round(wanted.y()))
        self._look()
        box, reach = self._box(wanted), min(_FURTHEST, _REACH / self._view.scale_factor)
        around = near(box, self._others)
        shifts = [snapped(box, around, axis, reach) for axis in (0, 1)]
        x, y = (
            snap(value) if shift is None else value + shift
            for value, shift in zip((wanted.x(), wanted.y()), shifts, strict=True)
        )
        return QPointF(x, y)

    def show(self, place: QPointF) -> None:
        """Show the lines on which the block stands here."""
        self._look()
        box = self._box(place)
        around = near(box, self._others)
        found = [guide for axis in (0, 1) for guide in guides(box, around, axis)]
        if self._item is None:
            self._item = QGraphicsPathItem()
            pen = QPen(self._scene.style_in_use.theme.guide, 1.0)
            pen.setCosmetic(True)
            self._item.setPen(pen)
            self._item.setZValue(_OVER_ALL)
            self._item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            self._scene.addItem(self._item)
        self._item.setPath(_path(found))

    def hide(self) -> None:
        """Show no lines any more."""
        if self._item is not None:
            self._scene.removeItem(self._item)
            self._item = None

    def _box(self, place: QPointF) -> Box:
        return Box(place.x(), place.y(), place.x() + self._size[0], place.y() + self._size[1])

    def _look(self) -> None:
        """Find the blocks in view, once for each part of the canvas that is looked at."""
        seen = self._view.to_scene_rect(QRectF(self._view.viewport().rect()))
        if seen == self._seen:
            return
        self._seen = seen
        view = Box(seen.left(), seen.top(), seen.right(), seen.bottom())
        self._others = []
        for node in self._scene.document.shown.nodes:
            width, height = size_of(node)
            box = Box(node.x, node.y, node.x + width, node.y + height)
            inside = box.left < view.right and box.right > view.left and box.top < view.bottom and box.bottom > view.top
            # The frame around the block follows it, so it is nothing to align with.
            if inside and node.id not in self._moved and not contains(node.id, self._node_id):
                self._others.append(box)


def _path(found: list[Guide]) -> QPainterPath:
    path = QPainterPath()
    for guide in found:
        start, end = QPointF(*guide.start), QPointF(*guide.end)
        path.moveTo(start)
        path.lineTo(end)
        if guide.is_gap:
            across = QPointF(_TICK, 0) if start.x() == end.x() else QPointF(0, _TICK)
            for point in (start, end):
                path.moveTo(point - across)
                path.lineTo(point + across)
    return path
