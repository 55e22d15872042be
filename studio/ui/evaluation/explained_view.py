"""Draws an explanation: over a picture, behind words, as bars of features, or along a series.

Orange speaks for the answer, blue against it, as everywhere where signs have colours.

Axis letters: H W space, T steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QStackedWidget, QTextEdit, QWidget

from studio.data.listing import Shown
from studio.evaluation.explain.explained import PICTURE, SERIES, WORDS, Explained
from studio.ui import theme
from studio.ui.gallery.drawing import draw_plot, to_image
from studio.ui.theme import Theme
from studio.ui.widgets.picture_view import fitted

if TYPE_CHECKING:
    import numpy as np

_STRONGEST = 225  # opacity of 255 behind a word or a step, at most
_LINE = 20  # pixels of a feature's row


class ExplainedView(QStackedWidget):
    """Shows one explanation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explainedView")
        self.explained: Explained | None = None
        self.canvas = _Canvas(self)
        self.words = QTextEdit(self)
        self.words.setObjectName("explainedWords")
        self.words.setAccessibleName("The text, coloured by what its words are worth")
        self.words.setReadOnly(True)
        self.words.setAcceptRichText(False)
        self.words.setUndoRedoEnabled(False)
        for page in (self.canvas, self.words):
            self.addWidget(page)

    def show_explained(self, explained: Explained, opacity: float) -> None:
        """Show it; `opacity` from 0, the sample as it is, to 1."""
        self.explained = explained
        if explained.kind == WORDS:
            _fill_words(self.words, explained, opacity)
            self.setCurrentWidget(self.words)
        else:
            self.canvas.show_explained(explained, opacity)
            self.setCurrentWidget(self.canvas)

    def set_opacity(self, opacity: float) -> None:
        """Show it stronger or weaker."""
        if self.explained is not None:
            self.show_explained(self.explained, opacity)


def _fill_words(view: QTextEdit, explained: Explained, opacity: float) -> None:
    view.clear()
    cursor, colors = QTextCursor(view.document()), theme.current()
    joint = "" if all(len(word) == 1 for word in explained.parts) else " "  # characters make words by themselves
    for word, value in zip(explained.parts, explained.values.tolist(), strict=True):
        marked = QTextCharFormat()
        marked.setToolTip(f"{word}: {value:+.3g}")
        marked.setBackground(sign_color(value / explained.strongest, colors, opacity))
        cursor.insertText(word, marked)
        cursor.insertText(joint, QTextCharFormat())


def sign_color(share: float, colors: Theme, opacity: float = 1.0) -> QColor:
    """The colour of a value as a share of the strongest, from -1 to 1: the weaker, the more can be seen through it."""
    color = QColor(colors.plot_validation if share >= 0 else colors.plot_train)
    color.setAlpha(round(_STRONGEST * opacity * min(1.0, abs(share))))
    return color


def overlay_pixels(values_HW: np.ndarray, strongest: float, colors: Theme, opacity: float) -> np.ndarray:
    """The values as colours (H, W, 4), uint8."""
    import numpy as np

    shares = np.clip(values_HW / strongest, -1, 1)
    pixels = np.zeros((*shares.shape, 4), np.uint8)
    for place, color in ((shares >= 0, colors.plot_validation), (shares < 0, colors.plot_train)):
        pixels[place, :3] = (color.red(), color.green(), color.blue())
    pixels[..., 3] = np.abs(shares) * 255 * opacity
    return pixels


class _Canvas(QWidget):
    """Pictures, features and series."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("explainedCanvas")
        self.setAccessibleName("The explanation")
        self.setMinimumSize(120, 120)
        self._explained: Explained | None = None
        self._opacity = 1.0

    def show_explained(self, explained: Explained, opacity: float) -> None:
        self._explained, self._opacity = explained, opacity
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._explained is None:
            return
        painter = QPainter(self)
        try:
            paint = {PICTURE: self._paint_picture, SERIES: self._paint_series}.get(
                self._explained.kind, self._paint_features
            )
            paint(painter, self._explained, theme.current())
        finally:
            painter.end()

    def _paint_picture(self, painter: QPainter, explained: Explained, colors: Theme) -> None:
        room, ratio = QRectF(self.rect()), self.devicePixelRatioF()
        size = (room.size() * ratio).toSize()
        height, width = explained.values.shape
        target = fitted(QImage(width, height, QImage.Format.Format_Mono).size(), room)
        if explained.picture is not None:
            grey = explained.picture.mean(2, keepdims=True).repeat(3, 2).astype("uint8")  # colours are for the values
            painter.drawImage(target, to_image(grey, size))
        else:
            painter.fillRect(target, colors.canvas)
        pixels = overlay_pixels(explained.values, explained.strongest, colors, self._opacity)
        painter.drawImage(target, to_image(pixels, size))

    def _paint_features(self, painter: QPainter, explained: Explained, colors: Theme) -> None:
        """The strongest first, as many as there is room for."""
        import numpy as np

        order = np.argsort(-np.abs(explained.values), kind="stable")
        lines = max(1, self.height() // _LINE)
        shown = order if len(order) <= lines else order[: lines - 1]
        names, metrics = 0.45 * self.width(), self.fontMetrics()
        zero, half = names + 0.5 * (self.width() - names), 0.5 * (self.width() - names) - 2
        for line, part in enumerate(shown.tolist()):
            share = float(explained.values[part]) / explained.strongest
            place = QRectF(0, line * _LINE, names - 8, _LINE)
            painter.setPen(colors.node_text)
            text = metrics.elidedText(explained.parts[part], Qt.TextElideMode.ElideMiddle, int(names) - 8)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            bar = QRectF(zero, place.top() + 4, half * share, _LINE - 8).normalized()
            painter.fillRect(bar, colors.plot_validation if share >= 0 else colors.plot_train)
        painter.setPen(colors.plot_axis)
        painter.drawLine(QPointF(zero, 0), QPointF(zero, len(shown) * _LINE))
        if len(shown) < len(order):
            rest = QRectF(0, len(shown) * _LINE, self.width(), _LINE)
            painter.setPen(colors.node_muted)
            painter.drawText(rest, Qt.AlignmentFlag.AlignCenter, f"and {len(order) - len(shown):,} weaker ones")

    def _paint_series(self, painter: QPainter, explained: Explained, colors: Theme) -> None:
        """The series on a ground that is coloured step by step, and below it the values as a curve."""
        room = QRectF(self.rect()).adjusted(0, 0, -1, -1)
        upper = QRectF(room.left(), room.top(), room.width(), 0.62 * room.height())
        lower = QRectF(room.left(), upper.bottom() + 8, room.width(), room.height() - upper.height() - 8)
        painter.fillRect(upper, colors.plot)
        painter.fillRect(lower, colors.plot)
        values = _binned(explained.values, max(1, int(room.width())))
        width = upper.width() / max(len(values), 1)
        for step, value in enumerate(values.tolist()):
            color = sign_color(value / explained.strongest, colors, 0.6 * self._opacity)
            painter.fillRect(QRectF(upper.left() + step * width, upper.top(), width, upper.height()), color)
        draw_plot(painter, upper.adjusted(4, 4, -4, -4), Shown("", series=explained.series), colors)
        middle = lower.center().y()
        painter.setPen(colors.plot_grid)
        painter.drawLine(QPointF(lower.left(), middle), QPointF(lower.right(), middle))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.plot_validation, 1.5))
        half = 0.46 * lower.height()
        points = [
            QPointF(lower.left() + (step + 0.5) * width, middle - half * value / explained.strongest)
            for step, value in enumerate(values.tolist())
        ]
        painter.drawPolyline(QPolygonF(points))


def _binned(values_T: np.ndarray, most: int) -> np.ndarray:
    """At most so many values: of those that would share a pixel, whose colours would add up, the strongest."""
    import numpy as np

    if len(values_T) <= most:
        return values_T
    starts = np.unique(np.linspace(0, len(values_T), most, endpoint=False).astype(np.int64))
    high, low = np.maximum.reduceat(values_T, starts), np.minimum.reduceat(values_T, starts)
    return np.where(high >= -low, high, low)
