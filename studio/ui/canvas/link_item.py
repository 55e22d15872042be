"""A wire as the canvas shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPainterPathStroker
from PySide6.QtWidgets import QGraphicsPathItem

from studio.graph import Link
from studio.ui.canvas.style import Style

_GRIP = 12.0  # width within which a wire is hit, in scene units


def wire_path(start: QPointF, end: QPointF) -> QPainterPath:
    """The curve from an output (at the bottom of a block) to an input (at the top of another)."""
    path = QPainterPath(start)
    drop = end.y() - start.y()
    reach = 0.5 * drop if drop > 0 else min(120.0, 24.0 - 0.5 * drop)
    if abs(end.x() - start.x()) > 1.0 or drop < 0:
        reach = max(reach, 24.0)
    path.cubicTo(start + QPointF(0, reach), end - QPointF(0, reach), end)
    return path


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

    def set_ends(self, start: QPointF, end: QPointF) -> None:
        """Run from one port to another, in scene units."""
        path = wire_path(start, end)
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
