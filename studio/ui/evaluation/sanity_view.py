"""Shows how an explanation changes while one layer after the other loses what it learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from studio.evaluation.explain.explained import PICTURE
from studio.ui import theme
from studio.ui.evaluation.explained_view import overlay_pixels
from studio.ui.gallery.drawing import to_image
from studio.ui.theme import Theme
from studio.ui.widgets.picture_view import fitted

if TYPE_CHECKING:
    from studio.evaluation.explain.explained import Explained
    from studio.evaluation.explain.sanity import Sanity

_CURVE = 0.45  # share of the height
_GAP = 4  # pixels


class SanityView(QWidget):
    """The rank correlation with the first explanation as a curve, and below it each explanation as a small picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sanityView")
        self.setMinimumSize(160, 160)
        self.sanity: Sanity | None = None

    def show_sanity(self, sanity: Sanity) -> None:
        """Show it."""
        self.sanity = sanity
        told = (f"{stage.layer or 'as trained'} {stage.correlation:.2f}" for stage in sanity.stages)
        self.setAccessibleName(f"Rank correlation with the explanation of the trained network: {'; '.join(told)}")
        self.setToolTip("Layers get random weights from the last one to the first one; what they had stays lost.")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.sanity is None:
            return
        painter = QPainter(self)
        try:
            colors = theme.current()
            columns = self._columns()
            self._paint_curve(painter, columns, colors)
            self._paint_pictures(painter, columns, colors)
        finally:
            painter.end()

    def _columns(self) -> list[QRectF]:
        """One for each stage, as high as the view."""
        assert self.sanity is not None
        left = self.fontMetrics().horizontalAdvance("-0.5") + 2 * _GAP
        width = (self.width() - left) / len(self.sanity.stages)
        return [QRectF(left + n * width, 0, width, self.height()) for n in range(len(self.sanity.stages))]

    def _paint_curve(self, painter: QPainter, columns: list[QRectF], colors: Theme) -> None:
        assert self.sanity is not None
        line = self.fontMetrics().height()
        room = QRectF(columns[0].left(), line / 2, self.width() - columns[0].left() - 1, _CURVE * self.height() - line)
        painter.fillRect(room, colors.plot)
        low = min(-0.25, *(min(stage.correlation, stage.of_sizes) for stage in self.sanity.stages))

        def height(value: float) -> float:
            return room.bottom() - (value - low) / (1.0 - low) * room.height()

        for value in (0.0, 0.5, 1.0):
            painter.setPen(colors.plot_grid)
            painter.drawLine(QPointF(room.left(), height(value)), QPointF(room.right(), height(value)))
            painter.setPen(colors.plot_axis)
            place = QRectF(0, height(value) - line / 2, room.left() - _GAP, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:g}")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stages = self.sanity.stages
        signed = any((stage.explained.values < 0).any() for stage in stages)
        curves = [([stage.correlation for stage in stages], colors.plot_validation, Qt.PenStyle.SolidLine)]
        if signed:  # else both are the same
            curves.append(([stage.of_sizes for stage in stages], colors.plot_axis, Qt.PenStyle.DashLine))
        for values, color, style in reversed(curves):
            points = [
                QPointF(column.center().x(), height(value)) for column, value in zip(columns, values, strict=True)
            ]
            painter.setPen(QPen(color, 1.5, style))
            painter.drawPolyline(QPolygonF(points))
            painter.setBrush(color)
            for point in points:
                painter.drawEllipse(point, 2.5, 2.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(colors.node_muted)
        words = "rank correlation; dashed without signs" if signed else "rank correlation"
        painter.drawText(room.adjusted(0, 0, -_GAP, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, words)

    def _paint_pictures(self, painter: QPainter, columns: list[QRectF], colors: Theme) -> None:
        assert self.sanity is not None
        metrics, top = self.fontMetrics(), _CURVE * self.height()
        for stage, column in zip(self.sanity.stages, columns, strict=True):
            side = column.width() - 2 * _GAP
            room = QRectF(column.left() + _GAP, top, side, min(side, self.height() - top))
            if stage.explained.kind == PICTURE:
                self._paint_values(painter, fitted_to(stage.explained, room), stage.explained, colors)
            else:
                self._paint_values(painter, room, stage.explained, colors)
            painter.save()
            painter.translate(column.center().x() + metrics.ascent() / 2, room.bottom() + _GAP)
            painter.rotate(90)
            painter.setPen(colors.node_text if not stage.layer else colors.node_muted)
            left = int(self.height() - room.bottom() - _GAP)
            text = metrics.elidedText(stage.layer or "as trained", Qt.TextElideMode.ElideMiddle, left)
            painter.drawText(QPointF(0, metrics.ascent() - metrics.height() / 2), text)
            painter.restore()

    def _paint_values(self, painter: QPainter, room: QRectF, explained: Explained, colors: Theme) -> None:
        """Their colours alone; those of a list one below the other."""
        values = np.atleast_2d(explained.values)
        painter.fillRect(room, colors.canvas)
        pixels = overlay_pixels(values if explained.kind == PICTURE else values.T, explained.strongest, colors, 1.0)
        painter.drawImage(room, to_image(pixels, (room.size() * self.devicePixelRatioF()).toSize()))


def fitted_to(explained: Explained, room: QRectF) -> QRectF:
    """The largest place of the picture's proportions in a room."""
    height, width = explained.values.shape
    return fitted(QRectF(0, 0, width, height).toRect().size(), room)
