"""Two curves over the epochs, and runs behind them, drawn with pyqtgraph. Imported after it is loaded.

`live_plot` decides when to draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.panels.plot_view import PlotView, thin_pen
from studio.ui.panels.pyramid import Array, MinMaxPyramid
from studio.ui.widgets.plain_text import plain_tooltip

MOST_DOTS = 60  # validation points are also shown as dots while there are few
_GRID_OPACITY = 150  # of 255
_BAND_OPACITY, _RUN_OPACITY = 45, 90  # of 255
_MARK_REACH = 8  # pixels around a mark in which its tooltip shows
_SMALLEST_LOG = 1e-12
_ROOM_AROUND = 0.04  # share of the range, so that lines along the edge and the outermost numbers are in view

Range = tuple[float, float]


class CurveView(PlotView):
    """Draws the curve of the training and that of the validation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bottom.setLabel("Epoch")
        self._train, self._validation = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        self._runs: list[list[tuple[float, float]]] = []
        self._whole: dict[str, MinMaxPyramid] = {}  # what was drawn last
        self._logarithmic = False
        self._lowest, self._highest, self._mean = (pg.PlotCurveItem() for _ in range(3))
        self._band = pg.FillBetweenItem(self._lowest, self._highest)
        self._single: list[pg.PlotCurveItem] = []
        for part in (self._band, self._mean):
            self._box.addItem(part, ignoreBounds=True)
        for part in (self._train, self._validation, self._dots):
            self._box.addItem(part, ignoreBounds=True)
        self._marks: list[pg.InfiniteLine] = []
        self.retheme()

    def retheme(self) -> None:
        super().retheme()
        colors = theme.current()
        for axis in (self._left, self._bottom):
            axis.setGrid(_GRID_OPACITY)
        self._train.setPen(thin_pen(colors.plot_train))
        self._validation.setPen(thin_pen(colors.plot_validation))
        self._dots.setBrush(pg.mkBrush(colors.plot_validation))
        self._dots.setPen(None)
        self._mean.setPen(thin_pen(colors.plot_validation))
        self._band.setBrush(pg.mkBrush(_faint(colors.plot_validation, _BAND_OPACITY)))
        for curve in self._single:
            curve.setPen(thin_pen(_faint(colors.plot_validation, _RUN_OPACITY)))
        for mark in self._marks:
            mark.setPen(_mark_pen())

    def set_runs(self, runs: list[list[tuple[float, float]]]) -> None:
        """Show runs that belong together: each faint, and their mean and range, where there are several."""
        self._runs = runs
        self._draw_runs()

    def _draw_runs(self) -> None:
        for curve in self._single:
            self._box.removeItem(curve)
        self._single = [pg.PlotCurveItem() for _ in self._runs]
        for curve, points in zip(self._single, self._runs, strict=True):
            curve.setData(*_scaled(_columns(points), self._logarithmic))
            self._box.addItem(curve, ignoreBounds=True)
        x, lowest, mean, highest = spread(self._runs)
        for curve, y in ((self._lowest, lowest), (self._mean, mean), (self._highest, highest)):
            curve.setData(*_scaled((x, y), self._logarithmic))
        self.retheme()

    def set_marks(self, marks: list[tuple[float, str]]) -> None:
        """Show thin vertical lines in place of those before.

        Args:
            marks: (epoch, what to say of it).
        """
        for old in self._marks:
            self._box.removeItem(old)
        self._marks = []
        for epoch, text in marks:
            # The wide hover pen is never seen: it makes the line wide enough to be pointed at.
            line = pg.InfiniteLine(epoch, 90, _mark_pen(), movable=False, hoverPen=pg.mkPen(None, width=_MARK_REACH))
            line.setToolTip(plain_tooltip(text))
            self._box.addItem(line, ignoreBounds=True)
            self._marks.append(line)

    def rows(self) -> Iterator[Sequence[str | float]]:
        """All points, also where fewer are drawn."""
        yield ("curve", "epoch", self._left.labelText or "value")
        for name, curve in self._whole.items():
            x, y = curve.all_points
            yield from ((name, *pair) for pair in zip(x.tolist(), y.tolist(), strict=True))
        for number, points in enumerate(self._runs, 1):
            yield from ((f"run {number}, validation", x, y) for x, y in points)

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
        self._whole = {"training": train, "validation": validation}
        self._left.setLogMode(False, logarithmic)
        if logarithmic != self._logarithmic:
            self._logarithmic = logarithmic
            self._draw_runs()
        self._box.setRange(xRange=x_range, yRange=y_range, padding=_ROOM_AROUND)
        width = self.width()
        self._train.setData(*_scaled(train.points(width), logarithmic))
        points = _scaled(validation.points(width), logarithmic)
        self._validation.setData(*points)
        self._dots.setData(*(points if len(validation) <= MOST_DOTS else ([], [])))


def spread(runs: list[list[tuple[float, float]]]) -> tuple[Array, Array, Array, Array]:
    """Epochs that at least two runs have, and the lowest, mean and highest value of those that have it."""
    found: dict[float, list[float]] = {}
    for points in runs:
        for x, y in points:
            found.setdefault(x, []).append(y)
    several = sorted(x for x, values in found.items() if len(values) > 1)
    figures = [(x, min(found[x]), sum(found[x]) / len(found[x]), max(found[x])) for x in several]
    epochs, lowest, mean, highest = np.array(figures, dtype=float).reshape(-1, 4).T
    return epochs, lowest, mean, highest


def _columns(points: list[tuple[float, float]]) -> tuple[Array, Array]:
    x, y = np.array(points, dtype=float).reshape(-1, 2).T
    return x, y


def _faint(color: QColor, opacity: int) -> QColor:
    faint = QColor(color)
    faint.setAlpha(opacity)
    return faint


def _mark_pen() -> QPen:
    return pg.mkPen(theme.current().node_muted, width=1, style=Qt.PenStyle.DashLine)  # type: ignore[no-any-return]


def _scaled(points: tuple[Array, Array], logarithmic: bool) -> tuple[Array, Array]:
    x, y = points
    return (x, np.log10(np.maximum(y, _SMALLEST_LOG))) if logarithmic else (x, y)
