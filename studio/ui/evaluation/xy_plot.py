"""A plot of lines, dots and bars, drawn with pyqtgraph in the theme's colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.panels.plot_view import PlotView
from studio.ui.theme import Theme

_GRID_OPACITY = 150  # of 255
_ROOM_AROUND = 0.04  # share of the range
Values = Sequence[float] | np.ndarray


class XYPlot(PlotView):
    """Draws what `draw` says, again when the colours change.

    Args:
        name: its objectName.
        bottom, left: names of the axes.
    """

    _made = False  # Qt tells of changes before all parts are there

    def __init__(self, name: str, bottom: str, left: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setMinimumSize(180, 140)
        self._drawing: Callable[[XYPlot, Theme], None] | None = None
        self._items: list[pg.GraphicsObject] = []
        self.set_labels(bottom, left)
        self.retheme()
        self._made = True

    def set_labels(self, bottom: str, left: str) -> None:
        """Name the axes."""
        self._bottom.setLabel(bottom)
        self._left.setLabel(left)

    def draw(
        self, x_range: tuple[float, float], y_range: tuple[float, float], drawing: Callable[[XYPlot, Theme], None]
    ) -> None:
        """Show something else.

        Args:
            x_range, y_range: ends of the axes.
            drawing: calls `line`, `dots` and `bars` with the colours of the theme.
        """
        self._drawing = drawing
        self._box.setRange(xRange=x_range, yRange=y_range, padding=_ROOM_AROUND)
        self._redraw()

    def line(self, x: Values, y: Values, color: QColor, *, dashed: bool = False, width: float = 1.0) -> None:
        """Join points."""
        pen = pg.mkPen(color, width=width, style=Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)
        self._add(pg.PlotCurveItem(np.asarray(x, float), np.asarray(y, float), pen=pen, antialias=True))

    def dots(self, x: Values, y: Values, color: QColor, size: float = 5.0) -> None:
        """Put a dot at each point; `size` in pixels."""
        item = pg.ScatterPlotItem(size=size, pxMode=True, pen=None, brush=pg.mkBrush(color))
        item.setData(np.asarray(x, float), np.asarray(y, float))
        self._add(item)

    def bars(self, x: Values, heights: Values, width: float, color: QColor) -> None:
        """Stand bars around the middles `x`."""
        self._add(pg.BarGraphItem(x=np.asarray(x, float), height=np.asarray(heights, float), width=width, pen=None,
                                  brush=pg.mkBrush(color)))  # fmt: skip

    def _add(self, item: pg.GraphicsObject) -> None:
        self._box.addItem(item, ignoreBounds=True)
        self._items.append(item)

    def retheme(self) -> None:
        super().retheme()
        for axis in (self._left, self._bottom):
            axis.setGrid(_GRID_OPACITY)

    def _redraw(self) -> None:
        for item in self._items:
            self._box.removeItem(item)
        self._items = []
        if self._drawing is not None:
            self._drawing(self, theme.current())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._made:
            self.retheme()
            self._redraw()
