"""Two curves over the epochs, drawn with pyqtgraph. Imported after it is loaded; `plots` decides when to draw."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtGui import QColor, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.panels.pyramid import Array, MinMaxPyramid

MOST_DOTS = 60  # validation points are also shown as dots while there are few
_SMALLEST_LOG = 1e-12
_ROOM_AROUND = 0.025  # share of the range, so that lines along the edge and the outermost numbers are in view

Range = tuple[float, float]


class CurveView(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws the curve of the training and that of the validation. No mouse, no automatic ranges: they cost time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paint_seconds = 0.0  # what the last paint took
        self.setFocusPolicy(self.focusPolicy().NoFocus)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=False, y=False)
        item.disableAutoRange()
        item.setLabel("bottom", "Epoch")
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(64)  # so that the plots below each other line up
        self._train, self._validation = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        for part in (self._train, self._validation, self._dots):
            item.addItem(part)
        self.retheme()

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        colors = theme.current()
        self.setBackground(colors.plot)
        item = self.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(_pen(colors.plot_grid))
            axis.setTextPen(_pen(colors.plot_axis))
        item.showGrid(x=True, y=True, alpha=0.6)
        self._train.setPen(_pen(colors.plot_train))
        self._validation.setPen(_pen(colors.plot_validation))
        self._dots.setBrush(pg.mkBrush(colors.plot_validation))
        self._dots.setPen(None)

    def set_vertical_label(self, text: str) -> None:
        """Name the vertical axis."""
        self.getPlotItem().setLabel("left", text)

    def draw(
        self, train: MinMaxPyramid, validation: MinMaxPyramid, x_range: Range, y_range: Range, *, logarithmic: bool
    ) -> None:
        """Show the curves as they are now.

        Args:
            x_range: of the horizontal axis, in epochs.
            y_range: of the vertical axis; decimal logarithms if `logarithmic`.
        """
        item = self.getPlotItem()
        item.getAxis("left").setLogMode(False, logarithmic)
        item.getViewBox().setRange(xRange=x_range, yRange=y_range, padding=_ROOM_AROUND)
        width = self.width()
        self._train.setData(*_scaled(train.points(width), logarithmic))
        points = _scaled(validation.points(width), logarithmic)
        self._validation.setData(*points)
        self._dots.setData(*(points if len(validation) <= MOST_DOTS else ([], [])))

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        super().paintEvent(event)
        self.paint_seconds = time.perf_counter() - started


def _pen(color: QColor) -> QPen:
    return pg.mkPen(color, width=1)  # type: ignore[no-any-return]  # wider pens cost ten times more on long curves


def _scaled(points: tuple[Array, Array], logarithmic: bool) -> tuple[Array, Array]:
    x, y = points
    return (x, np.log10(np.maximum(y, _SMALLEST_LOG))) if logarithmic else (x, y)
