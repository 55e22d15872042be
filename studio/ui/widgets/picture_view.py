"""Pictures of tensors as Qt paints them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.compile.pictures import Picture

_ZERO = 128  # the shade of zero in a picture with both signs


def to_pixmap(picture: Picture, colors: Theme) -> QPixmap:
    """A picture in the theme's colours: shades of grey, or one colour for each sign."""
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    if pixels.ndim == 3:
        return QPixmap.fromImage(QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888))
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(_signed_shades(colors.dark) if picture.signed else _GREYS)
    return QPixmap.fromImage(image)


_GREYS = [QColor(shade, shade, shade).rgb() for shade in range(256)]


@functools.cache
def _signed_shades(dark: bool) -> list[int]:
    """From the colour of negative values over the ground, which is zero, to that of positive ones."""
    colors = theme.DARK if dark else theme.LIGHT
    shades = []
    for value in range(256):
        end = colors.plot_validation if value >= _ZERO else colors.plot_train
        shades.append(_mixed(colors.canvas, end, abs(value - _ZERO) / 127).rgb())
    return shades


def _mixed(start: QColor, end: QColor, share: float) -> QColor:
    share = min(1.0, share)

    def mixed(one: int, other: int) -> int:
        return round(one + (other - one) * share)

    return QColor(mixed(start.red(), end.red()), mixed(start.green(), end.green()), mixed(start.blue(), end.blue()))


def fitted(size: QSize, room: QRectF) -> QRectF:
    """The largest rectangle of the size's proportions in the middle of a room."""
    scale = min(room.width() / max(1, size.width()), room.height() / max(1, size.height()))
    width, height = size.width() * scale, size.height() * scale
    return QRectF(room.center().x() - width / 2, room.center().y() - height / 2, width, height)


def paint_pixmap(painter: QPainter, target: QRectF, pixmap: QPixmap) -> None:
    """Draw it there: smooth if it is made smaller, in clear squares if it is made larger."""
    on_screen = painter.worldTransform().m11() * target.width()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on_screen < pixmap.width())
    painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))


class PictureView(QWidget):
    """Shows a picture as large as there is room, up to its full width."""

    _HEIGHT = 150  # pixels at most

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self._pixmap = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_picture(self, picture: Picture | None) -> None:
        """Show another picture; None for nothing."""
        self._picture = picture
        self._pixmap = to_pixmap(picture, theme.current()) if picture is not None else QPixmap()
        self.setVisible(picture is not None)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        if self._pixmap.isNull():
            return QSize(0, 0)
        width = max(1, self.width())
        wanted = round(width * self._pixmap.height() / self._pixmap.width())
        return QSize(self._HEIGHT, max(24, min(self._HEIGHT, wanted)))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._pixmap.isNull():
            return
        painter = QPainter(self)
        target = fitted(self._pixmap.size(), QRectF(self.rect()))
        paint_pixmap(painter, target, self._pixmap)
        painter.setPen(theme.current().border)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(target.toRect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()  # as high as its picture is at this width

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._picture is not None:
            self.set_picture(self._picture)
