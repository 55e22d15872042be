"""Signs at the corners of a block: a round one for problems of the network, a diamond for findings about a run."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from studio.compile.analysis import ERROR
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.training.events import Finding
from studio.ui.canvas.style import Style

_RADIUS = 8.0
_TOP = QPointF(NODE_WIDTH - 1, 1)
_ROUND = QRectF(_TOP.x() - _RADIUS, _TOP.y() - _RADIUS, 2 * _RADIUS, 2 * _RADIUS)
_BOTTOM = QPointF(NODE_WIDTH - 1, NODE_HEIGHT - 1)


def _around(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([_BOTTOM + QPointF(x, y) for x, y in points])


_DIAMOND = _around((0, -10), (10, 0), (0, 10), (-10, 0))
_PULSE = _around((-6, 0), (-3, 0), (-1, -4), (1.5, 4), (3, 0), (6, 0))


def paint_problem(painter: QPainter, style: Style, severity: str) -> None:
    """The sign of an error or a warning."""
    colors = style.theme
    painter.setPen(QPen(colors.canvas, 1.5))
    painter.setBrush(colors.error if severity == ERROR else colors.warning)
    painter.drawEllipse(_ROUND)
    painter.setPen(colors.canvas)
    painter.setFont(style.title_font)
    painter.drawText(_ROUND, Qt.AlignmentFlag.AlignCenter, "!")


def paint_findings(painter: QPainter, style: Style, findings: tuple[Finding, ...]) -> None:
    """The course of a pulse in a diamond."""
    colors = style.theme
    painter.setPen(QPen(colors.canvas, 1.5))
    painter.setBrush(colors.error if any(finding.severity == ERROR for finding in findings) else colors.warning)
    painter.drawPolygon(_DIAMOND)
    painter.drawPolyline(_PULSE)
