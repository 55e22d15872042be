"""The loss over the learning rate, drawn with pyqtgraph. Imported after it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from studio.settings.rates import HIGHEST, LOWEST, RatePoint, smoothed
from studio.ui import theme
from studio.ui.panels.plot_view import PlotView, thin_pen

_GRID_OPACITY = 150  # of 255
_HEADROOM = 1.3  # times the loss of the start; what is above it explodes


class RateView(PlotView):
    """Each step as a dot, their smoothed course as a curve, and a line at the suggested rate."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rateView")
        self.setAccessibleName("Loss over the learning rate")
        self._left.setLabel("Loss")
        self._bottom.setLabel("Learning rate")
        self._bottom.setLogMode(True, False)
        self._dots, self._curve = pg.ScatterPlotItem(size=4, pxMode=True), pg.PlotCurveItem()
        self._line = pg.InfiniteLine(angle=90, movable=False)
        for part in (self._dots, self._curve, self._line):
            self._box.addItem(part, ignoreBounds=True)
        self._line.hide()
        self.retheme()

    def retheme(self) -> None:
        super().retheme()
        colors = theme.current()
        for axis in (self._left, self._bottom):
            axis.setGrid(_GRID_OPACITY)
        self._curve.setPen(thin_pen(colors.plot_train))
        self._dots.setBrush(pg.mkBrush(colors.node_muted))
        self._dots.setPen(None)
        self._line.setPen(pg.mkPen(colors.plot_validation, width=1, style=Qt.PenStyle.DashLine))

    def rows(self) -> Iterator[Sequence[str | float]]:
        """The steps of the sweep, with the rates themselves."""
        yield ("step", "learning rate", "loss")
        rates, losses = self._dots.getData()
        pairs = zip((10.0**rates).tolist(), losses.tolist(), strict=True)
        yield from ((number, *pair) for number, pair in enumerate(pairs, 1))

    def draw(self, points: Sequence[RatePoint], suggested: float | None = None) -> None:
        """Show the sweep as far as it is."""
        rates = np.log10([point.rate for point in points] or [LOWEST])
        losses = np.array([point.loss for point in points] or [0.0])
        curve = np.array(smoothed(points) or [0.0])
        top, bottom = _HEADROOM * max(losses[: len(losses) // 2 + 1].max(), 1e-12), min(losses.min(), 0.0)
        self._box.setRange(xRange=(np.log10(LOWEST), np.log10(HIGHEST)), yRange=(bottom, top), padding=0.02)
        self._dots.setData(rates, losses)
        self._curve.setData(rates, curve)
        self._line.setVisible(suggested is not None)
        if suggested is not None:
            self._line.setValue(np.log10(suggested))
