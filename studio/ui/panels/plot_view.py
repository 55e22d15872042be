"""A plot's ground and axes, drawn with pyqtgraph. Imported after it is loaded; `live_plot` decides when to draw."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsWidget, QWidget

from studio.ui import theme

LEFT_WIDTH = 64  # pixels of the vertical axis, so that plots below each other line up


class PlotView(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """A box with an axis at the left and one below it.

    Put together from pyqtgraph's parts: its PlotWidget brings menus, mouse modes and automatic ranges, which cost time
    at each redraw and leave windows behind.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paint_seconds = 0.0  # what the last paint took
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self._left, self._bottom = pg.AxisItem("left"), pg.AxisItem("bottom")
        self._left.setWidth(LEFT_WIDTH)
        self._arrange()

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
            axis.setPen(thin_pen(colors.plot_grid))
            axis.setTextPen(thin_pen(colors.plot_axis))

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        super().paintEvent(event)
        self.paint_seconds = time.perf_counter() - started

    def rows(self) -> Iterator[Sequence[str | float]]:
        """What is drawn as a table: the first row has the names of its columns."""
        yield ("curve", self._bottom.labelText or "x", self._left.labelText or "y")
        for number, item in enumerate(self._box.addedItems, 1):
            if isinstance(item, pg.PlotCurveItem | pg.ScatterPlotItem) and item.isVisible():
                x, y = item.getData()
                if x is not None:
                    yield from ((f"{number}", *pair) for pair in zip(x.tolist(), y.tolist(), strict=True))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        from studio.ui.panels.plot_menu import open_menu

        name = (self.accessibleName() or self._left.labelText or "plot").lower().replace(" ", "-")
        open_menu(self, event.globalPos(), self.rows, "".join(c for c in name if c.isalnum() or c == "-"))


def thin_pen(color: QColor) -> QPen:
    """A pen one pixel wide: wider ones cost ten times more on long curves."""
    return pg.mkPen(color, width=1)  # type: ignore[no-any-return]
