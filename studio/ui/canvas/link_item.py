"""A wire as the canvas shows it."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPainterPathStroker
from PySide6.QtWidgets import QGraphicsPathItem

from studio.graph import Link
from studio.graph.geometry import NODE_WIDTH
from studio.ui.canvas.style import Style

_GRIP = 12.0  # width within which a wire is hit, in scene units
_BESIDE = 24.0  # from blocks to a wire that runs along them
_CORNER = 12.0  # radius


def wire_path(start: QPointF, end: QPointF, side: float | None = None) -> QPainterPath:
    """The curve from an output (at the bottom of a block) to an input (at the top of another).

    Args:
        start: the output, in scene units.
        end: the input.
        side: x of the vertical line along which to pass the blocks in between; None for the straight way.
    """
    if end.y() <= start.y():
        outwards = NODE_WIDTH / 2 + _BESIDE
        return _around(start, end, end.x() + (-outwards if end.x() > start.x() else outwards), 22.0, 14.0)
    if side is not None:
        return _around(start, end, side, 17.0, 7.0)  # just below the shape at the output, just above the block
    path = QPainterPath(start)
    reach = QPointF(0, 0.5 * (end.y() - start.y()))
    path.cubicTo(start + reach, end - reach, end)
    return path


_SAMPLES = tuple(i / 24 for i in range(1, 24))


def straight_points(start: QPointF, end: QPointF) -> list[QPointF]:
    """Points along the straight way of `wire_path`, worked out here because Qt takes 25 microseconds for each."""
    x, y, width, height = start.x(), start.y(), end.x() - start.x(), end.y() - start.y()
    return [QPointF(x + width * t * t * (3 - 2 * t), y + height * t * (1.5 + t * (t - 1.5))) for t in _SAMPLES]


def side_of(bodies: list[QRectF], start: QPointF, end: QPointF) -> float:
    """Where a wire passes blocks that stand in its way: to the side on which its input is."""
    if end.x() < start.x():
        return min(body.left() for body in bodies) - _BESIDE
    return max(body.right() for body in bodies) + _BESIDE


def _around(start: QPointF, end: QPointF, side: float, below: float, above: float) -> QPainterPath:
    """Down by `below`, to the side and along it, to `above` over the end, and down."""
    lower, upper = start.y() + below, end.y() - above
    corners = [(start.x(), lower), (side, lower), (side, upper), (end.x(), upper), (end.x(), end.y())]
    path = QPainterPath(start)
    for (x, y), (next_x, next_y) in itertools.pairwise(corners):
        corner, following = QPointF(x, y), QPointF(next_x, next_y)
        path.lineTo(_towards(corner, path.currentPosition()))
        path.quadTo(corner, _towards(corner, following))
    path.lineTo(end)
    return path


def _towards(corner: QPointF, point: QPointF) -> QPointF:
    """Where the rounding of a corner ends in the direction of a point, at most half the way there."""
    line = QLineF(corner, point)
    return line.pointAt(min(0.5, _CORNER / line.length())) if line.length() else corner


class LinkItem(QGraphicsPathItem):
    """Shows a link. It has no paint method of its own: Qt draws it without calling Python.

    For the same reason it is no selectable item in Qt's sense (Qt would draw a dashed box); the scene keeps which
    wires are chosen.
    """

    def __init__(self, link: Link, style: Style) -> None:
        super().__init__()
        self.link = link
        self._style = style
        self._chosen = False
        self._grip = QPainterPath()
        self.setPen(style.wire)

    def set_ends(self, start: QPointF, end: QPointF, side: float | None = None) -> None:
        """Run from one port to another; see `wire_path`."""
        path = wire_path(start, end, side)
        if path == self.path():
            return
        stroker = QPainterPathStroker()
        stroker.setWidth(_GRIP)
        self._grip = stroker.createStroke(path)
        self.setPath(path)

    def set_chosen(self, chosen: bool) -> None:
        """Show as chosen, or as the one on which a block is about to be dropped."""
        self._chosen = chosen
        self.setPen(self._style.wire_chosen if chosen else self._style.wire)

    def set_style(self, style: Style) -> None:
        """Draw with other colours."""
        self._style = style
        self.set_chosen(self._chosen)

    def shape(self) -> QPainterPath:
        return self._grip
