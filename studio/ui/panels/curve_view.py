"""Two curves over the epochs, drawn with pyqtgraph. Imported after it is loaded; `plots` decides when to draw."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPaintEvent, QPen
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsWidget, QWidget

from studio.ui import theme
from studio.ui.panels.pyramid import Array, MinMaxPyramid

MOST_DOTS = 60  # validation points are also shown as dots while there are few
_GRID_OPACITY = 150  # of 255
_SMALLEST_LOG = 1e-12
_ROOM_AROUND = 0.04  # share of the range, so that lines along the edge and the outermost numbers are in view

Range = tuple[float, float]


class CurveView(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws the curve of the training and that of the validation.

    Put together from pyqtgraph's parts: its PlotWidget brings menus, mouse modes and automatic ranges, which cost time
    at each redraw and leave windows behind.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paint_seconds = 0.0  # what the last paint took
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self._left, self._bottom = pg.AxisItem("left"), pg.AxisItem("bottom")
        self._bottom.setLabel("Epoch")
        self._left.setWidth(64)  # so that the plots below each other line up
        self._train, self._validation = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        for part in (self._train, self._validation, self._dots):
            self._box.addItem(part, ignoreBounds=True)
        self._arrange()
        self.retheme()

    def _arrange(self) -> None:
        center = QGraphicsWidget()
        layout = QGraphicsGridLayout(center)
        layout.setSpacing(0)
        layout.setContentsMargins(2, 4, 8, 2)
        layout.addItem(self._left, 0, 0)
        layout.addItem(self._box, 0, 1)
        layout.addItem(self._bottom, 1, 1)
        for axis in (self._left, self._bottom):
            axis.linkToView(self._box)
            axis.enableAutoSIPrefix(False)
            axis.setZValue(-1000)  # its grid lies below the curves
        self.setCentralItem(center)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        colors = theme.current()
        self.setBackground(colors.plot)
        for axis in (self._left, self._bottom):
            axis.setPen(_pen(colors.plot_grid))
            axis.setTextPen(_pen(colors.plot_axis))
            axis.setGrid(_GRID_OPACITY)
        self._train.setPen(_pen(colors.plot_train))
        self._validation.setPen(_pen(colors.plot_validation))
        self._dots.setBrush(pg.mkBrush(colors.plot_validation))
        self._dots.setPen(None)

    def set_vertical_label(self, text: str) -> None:
        """Name the vertical axis."""
        self._left.setLabel(text)

    def draw(
        self, train: MinMaxPyramid, validation: MinMaxPyramid, x_range: Range, y_range: Range, *, logarithmic: bool
    ) -> None:
        """Show the curves as they are now.

        Args:
            x_range: of the horizontal axis, in epochs.
            y_range: of the vertical axis; decimal logarithms if `logarithmic`.
        """
        self._left.setLogMode(False, logarithmic)
        self._box.setRange(xRange=x_range, yRange=y_range, padding=_ROOM_AROUND)
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
