"""The plane coloured by what a network answers, with the samples on it, drawn with pyqtgraph.

Axis letters: K classes, S cells along a side.
"""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg  # noqa: TID253  (this module is imported behind the shown window)
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from studio.training.events import Plane, Points, Surface
from studio.ui import theme
from studio.ui.panels.plot_view import PlotView, thin_pen

_MARKERS = {"train": ("o", 7, 12), "validation": ("d", 12, 26)}  # symbol, size in pixels, and that of a few samples
_FEW_SAMPLES = 40
_STRONGEST = 0.65  # share of a class's colour where the network is sure; samples still stand out
BOTTOM_HEIGHT = 44  # pixels

Colors = npt.NDArray[np.uint8]


class SurfaceView(PlotView):
    """Draws a surface and samples of the training and the validation split."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plane: Plane | None = None
        self._colors = np.zeros((0, 256, 3), np.uint8)  # (K, probability in 255ths, red green blue)
        self._bottom.setHeight(BOTTOM_HEIGHT)
        self._image = _SmoothImage(axisOrder="row-major")
        self._box.addItem(self._image, ignoreBounds=True)
        self._samples = {split: pg.ScatterPlotItem() for split in _MARKERS}
        for split in ("validation", "train"):  # the larger markers below, so that both are seen where they coincide
            self._box.addItem(self._samples[split], ignoreBounds=True)
        self.retheme()

    def retheme(self) -> None:
        super().retheme()
        if self._plane is not None:
            self.set_plane(self._plane)

    def set_plane(self, plane: Plane) -> None:
        """Show the axes and samples of a run; the surface is gone until one is drawn."""
        self._plane = plane
        self._colors = class_colors(len(plane.classes))
        self._box.setRange(xRange=plane.x_range, yRange=plane.y_range, padding=0)
        # pyqtgraph takes labels for HTML, and names can come from files.
        self._bottom.setLabel(escape(plane.features[0]))
        self._left.setLabel(escape(plane.features[1]))
        self._image.clear()
        for split, points in plane.points.items():
            self._put(split, points)

    def _put(self, split: str, points: Points) -> None:
        colors = theme.current()
        symbol, usual, large = _MARKERS[split]
        brushes = [pg.mkBrush(colors.class_color(number)) for number in range(len(self._colors))]
        self._samples[split].setData(
            x=np.array(points.x), y=np.array(points.y), brush=[brushes[number] for number in points.classes],
            pen=thin_pen(colors.plot), symbol=symbol, size=large if len(points.x) <= _FEW_SAMPLES else usual,
        )  # fmt: skip

    def draw(self, surface: Surface) -> None:
        """Colour the plane."""
        assert self._plane is not None
        (left, right), (bottom, top) = self._plane.x_range, self._plane.y_range
        self._image.setImage(pixels(surface, self._colors), autoLevels=False)
        self._image.setRect(QRectF(left, bottom, right - left, top - bottom))


class _SmoothImage(pg.ImageItem):  # type: ignore[misc]  # pyqtgraph has no types
    """An image without visible squares."""

    def paint(self, painter: QPainter, *args: object) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        super().paint(painter, *args)


def class_colors(count: int) -> Colors:
    """The colours (K, 256, 3) of each class for each probability in 255ths.

    Where the network is no surer than by guessing they are the ground's, so that boundaries are pale.
    """
    colors = theme.current()
    ground = _rgb(colors.plot)
    full = np.array([_rgb(colors.class_color(number)) for number in range(count)])
    sureness = np.clip((np.arange(256) / 255 - 1 / count) / (1 - 1 / count), 0, 1)
    mixed = ground + _STRONGEST * sureness[None, :, None] * (full[:, None] - ground)
    return np.asarray(mixed.round(), np.uint8)


def _rgb(color: QColor) -> npt.NDArray[np.int64]:
    return np.array([color.red(), color.green(), color.blue()])


def pixels(surface: Surface, colors: Colors) -> Colors:
    """The colours of a surface (S, S, 3), from the lowest row up."""
    shape = (surface.side, surface.side)
    classes, shares = (np.frombuffer(values, np.uint8).reshape(shape) for values in (surface.classes, surface.shares))
    return colors[classes, shares]
