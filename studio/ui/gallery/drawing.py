"""Draws what a sample holds: pictures with masks and boxes, waves, and series; in any thread, on any paint device.

Axis letters: H W space, T steps, C channels.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from studio.data.base import IGNORED
from studio.ui.theme import Theme
from studio.ui.widgets.picture_view import fitted

if TYPE_CHECKING:
    import numpy as np

    from studio.data.listing import Box, Shown

_MASK_OPACITY = 130  # of 255
MOST_CHANNELS = 12  # of a wave or a series that are drawn
_SMALLEST_LABELLED = 200  # pixels of a picture's longer side, below which boxes have no names


def to_image(pixels: np.ndarray, size: QSize) -> QImage:
    """Pixels (H, W, 3) or (H, W, 4), uint8, for a place of so many pixels on the screen, in the picture's proportions.

    A much larger picture is thinned out first: to scale all of it would take long.
    """
    import numpy as np

    step = max(1, min(pixels.shape[0] // (2 * size.height() + 1), pixels.shape[1] // (2 * size.width() + 1)))
    pixels = np.ascontiguousarray(pixels[::step, ::step])
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    image = QImage(pixels.data, width, height, channels * width, kind)
    target = fitted(image.size(), QRectF(0, 0, size.width(), size.height())).size().toSize()
    smooth = target.width() < width
    mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
    # A copy in any case: the image's own bytes belong to the array.
    return image.scaled(target.expandedTo(QSize(1, 1)), Qt.AspectRatioMode.IgnoreAspectRatio, mode).convertToFormat(
        QImage.Format.Format_ARGB32_Premultiplied
    )


def mask_pixels(mask: np.ndarray, colors: Theme) -> np.ndarray:
    """The classes of pixels (H, W) as half-transparent colours (H, W, 4), uint8; class 0 and IGNORED have none."""
    import numpy as np

    table = np.zeros((11, 4), np.uint8)
    for number in range(10):
        color = colors.class_color(number)
        table[number] = (color.red(), color.green(), color.blue(), _MASK_OPACITY)
    numbers = np.where(mask == IGNORED, 10, mask % 10)
    colored: np.ndarray = table[numbers]
    colored[mask == 0] = 0
    return colored


def name_color(name: str, names: tuple[str, ...], colors: Theme) -> QColor:
    """The colour of a box or of a mark of words, by its name: the same in all samples.

    Args:
        name: with or without the B- or I- of a mark.
        names: of the classes, as far as they are known.
        colors: the theme in use.
    """
    kinds = list(dict.fromkeys(known.removeprefix("B-").removeprefix("I-") for known in names))
    kind = name.removeprefix("B-").removeprefix("I-")
    return colors.class_color(kinds.index(kind) if kind in kinds else zlib.crc32(kind.encode("utf-8", "replace")))


def draw_picture(
    painter: QPainter, room: QRectF, shown: Shown, colors: Theme, names: tuple[str, ...] = (), *, marks: bool = True
) -> QRectF:
    """Draw the picture as large as there is room, with its mask and boxes if `marks`; where it was drawn."""
    assert shown.picture is not None
    if not shown.picture.size:
        return QRectF(room.center(), room.center())
    ratio = painter.device().devicePixelRatioF()
    size = (room.size() * ratio).toSize().expandedTo(QSize(1, 1))
    image = to_image(shown.picture, size)
    target = fitted(image.size(), room)
    painter.drawImage(target, image)
    if marks and shown.mask is not None:
        painter.drawImage(target, to_image(mask_pixels(shown.mask, colors), size))
    if marks and shown.boxes:
        _draw_boxes(painter, target, shown.picture.shape[1], shown.boxes, names, colors)
    return target


def _draw_boxes(
    painter: QPainter, target: QRectF, width: int, boxes: tuple[Box, ...], names: tuple[str, ...], colors: Theme
) -> None:
    """Outlines, and in a picture that is large enough their names."""
    scale = target.width() / max(width, 1)
    labelled = max(target.width(), target.height()) >= _SMALLEST_LABELLED
    painter.save()
    painter.setClipRect(target)
    for box in boxes:
        color = name_color(box.name, names, colors)
        corner = QPointF(target.left() + box.left * scale, target.top() + box.top * scale)
        place = QRectF(corner, QPointF(target.left() + box.right * scale, target.top() + box.bottom * scale))
        painter.setPen(QPen(color, 2 if labelled else 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)
        if labelled and box.name:
            _draw_tag(painter, corner, box.name, color, target)
    painter.restore()


def _draw_tag(painter: QPainter, corner: QPointF, name: str, color: QColor, within: QRectF) -> None:
    metrics = QFontMetricsF(painter.font())
    text = metrics.elidedText(name.replace("\n", " "), Qt.TextElideMode.ElideRight, 160)
    place = QRectF(corner.x(), corner.y() - metrics.height(), metrics.horizontalAdvance(text) + 8, metrics.height())
    if place.top() < within.top():
        place.moveTop(corner.y())
    painter.fillRect(place, color)
    painter.setPen(readable_on(color))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def readable_on(color: QColor) -> QColor:
    """Black or white, what can be read better on a ground of this colour."""
    light = 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue()
    return QColor(Qt.GlobalColor.black if light > 140 else Qt.GlobalColor.white)


def draw_plot(painter: QPainter, room: QRectF, shown: Shown, colors: Theme, most: int = MOST_CHANNELS) -> None:
    """A wave, channel below channel, or a series, all channels over each other."""
    if shown.wave is not None:
        _draw_wave(painter, room, shown.wave[:most], colors)
    elif shown.series is not None:
        _draw_series(painter, room, shown.series[:, :most], colors)


def _draw_wave(painter: QPainter, room: QRectF, wave: np.ndarray, colors: Theme) -> None:
    """Of each column of pixels the smallest and the largest value; the whole height is -1 to 1."""
    channels = max(len(wave), 1)
    height = room.height() / channels
    for number, channel in enumerate(wave):
        middle = room.top() + (number + 0.5) * height
        painter.setPen(QPen(colors.plot_grid, 1))
        painter.drawLine(QPointF(room.left(), middle), QPointF(room.right(), middle))
        painter.setPen(QPen(colors.class_color(number), 1))
        low, high = ranges(channel, int(room.width()))
        half = 0.46 * height
        for column, (lowest, highest) in enumerate(zip(low, high, strict=True)):
            x = room.left() + column + 0.5
            painter.drawLine(QPointF(x, middle - half * highest), QPointF(x, middle - half * lowest))


def ranges(values: np.ndarray, columns: int) -> tuple[list[float], list[float]]:
    """The smallest and the largest of the values (T,) in each of so many parts, cut to -1 and 1; 0 for no number."""
    import numpy as np

    if not len(values) or columns < 1:
        return [], []
    values = np.clip(np.nan_to_num(values.astype(np.float32)), -1, 1)
    starts = np.unique(np.linspace(0, len(values), min(columns, len(values)), endpoint=False).astype(np.int64))
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    if len(starts) < columns:  # a short wave is drawn in steps
        spread = np.arange(columns) * len(starts) // columns
        low, high = low[spread], high[spread]
    return low.tolist(), high.tolist()


def _draw_series(painter: QPainter, room: QRectF, series: np.ndarray, colors: Theme) -> None:
    """Each channel from its smallest to its largest value; what is no number is left out."""
    import numpy as np

    painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(series) <= 4 * room.width())
    steps = np.unique(np.linspace(0, len(series) - 1, min(len(series), 2 * int(room.width()) + 1)).astype(np.int64))
    for number, channel in enumerate(series.T):
        painter.setPen(QPen(colors.class_color(number), 1))
        values = channel[steps].astype(np.float64)
        finite = np.isfinite(values)
        if not finite.any():
            continue
        low, high = values[finite].min(), values[finite].max()
        share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
        x = room.left() + steps / max(len(series) - 1, 1) * room.width()
        y = room.bottom() - 2 - share * (room.height() - 4)
        for part in np.split(np.arange(len(values)), np.flatnonzero(np.diff(finite)) + 1):
            if finite[part[0]]:
                painter.drawPolyline(QPolygonF([QPointF(x[i], y[i]) for i in part]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
