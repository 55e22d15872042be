"""A sample before the transforms and after them, as small pictures or plots beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme
from studio.ui.gallery.drawing import draw_picture, ranges
from studio.ui.theme import Theme

if TYPE_CHECKING:
    import numpy as np

    from studio.data.listing import Shown
    from studio.data.trials import Trial

_NARROWEST, _WIDEST = {False: 64, True: 120}, 180  # a picture; a plot; either; in pixels
_PLOT_RATIO = 0.5
_GAP = 6


class TrialGrid(QWidget):
    """As many in a row as there is room for. Behind each changed line stands, in grey, what it was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trialGrid")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._cells: list[tuple[str, Shown]] = []
        self._plots = False
        self._limits: list[tuple[float, float]] = []  # of the channels of all plots

    def show_trial(self, trial: Trial, titles: list[str]) -> None:
        """Show pictures or plots.

        Args:
            trial: with `picture` or `series`.
            titles: of what was before, and of each that came after.
        """
        self._cells = list(zip(titles, (trial.before, *trial.after), strict=True))
        self._plots = trial.before.series is not None
        self._limits = _limits([shown.series for _, shown in self._cells if shown.series is not None])
        self.setAccessibleName(f"The sample as {'plots' if self._plots else 'pictures'}: {', '.join(titles)}")
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._cells:
            self.setFixedHeight(round(self.place(len(self._cells) - 1).bottom()))

    def place(self, number: int) -> QRectF:
        """Where one of them is drawn, its title included."""
        columns = max(1, min(len(self._cells), (self.width() + _GAP) // (_NARROWEST[self._plots] + _GAP)))
        width = min(_WIDEST, (self.width() - (columns - 1) * _GAP) / columns)
        height = width * (_PLOT_RATIO if self._plots else self._picture_ratio()) + self.fontMetrics().height()
        row, column = divmod(number, columns)
        return QRectF(column * (width + _GAP), row * (height + _GAP), width, height)

    def _picture_ratio(self) -> float:
        picture = self._cells[0][1].picture
        assert picture is not None
        return float(min(2.0, picture.shape[0] / picture.shape[1]))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            for number, (title, shown) in enumerate(self._cells):
                self._paint(painter, self.place(number), title, shown)
        finally:
            painter.end()

    def _paint(self, painter: QPainter, place: QRectF, title: str, shown: Shown) -> None:
        colors = theme.current()
        room = place.adjusted(0, 0, 0, -self.fontMetrics().height())
        if shown.series is None:
            draw_picture(painter, room, shown, colors)
        else:
            self._paint_plot(painter, room, shown.series, colors)
        painter.setPen(colors.node_muted)
        painter.drawText(place, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter, title)

    def _paint_plot(self, painter: QPainter, room: QRectF, series: np.ndarray, colors: Theme) -> None:
        painter.fillRect(room, colors.plot)
        before, inner = self._cells[0][1].series, room.adjusted(2, 2, -2, -2)
        assert before is not None
        if series is not before:
            for channel, limits in zip(before.T, self._limits, strict=True):
                _draw_line(painter, inner, channel, limits, colors.plot_grid)
        for number, (channel, limits) in enumerate(zip(series.T, self._limits, strict=True)):
            _draw_line(painter, inner, channel, limits, colors.class_color(number))


def _limits(series: list[np.ndarray]) -> list[tuple[float, float]]:
    """The smallest and the largest value of each channel of several series (T, channels)."""
    import numpy as np

    if not series:
        return []
    values = np.nan_to_num(np.concatenate(series))
    return list(zip(values.min(0).tolist(), values.max(0).tolist(), strict=True))


def _draw_line(painter: QPainter, room: QRectF, values: np.ndarray, limits: tuple[float, float], color: QColor) -> None:
    """Values (T,) over the whole width; of a long one the smallest and the largest in each column of pixels."""
    low, high = limits
    shares = (values - low) * (2 / max(high - low, 1e-30)) - 1  # from -1 to 1
    middle, half, columns = room.center().y(), room.height() / 2, int(room.width())
    painter.setPen(QPen(color, 1))
    if len(shares) > 2 * columns:
        for column, (lowest, highest) in enumerate(zip(*ranges(shares, columns), strict=True)):
            x = room.left() + column + 0.5
            painter.drawLine(QPointF(x, middle - half * highest), QPointF(x, middle - half * lowest))
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    step = room.width() / max(len(shares) - 1, 1)
    painter.drawPolyline(QPolygonF([
        QPointF(room.left() + i * step, middle - half * share) for i, share in enumerate(shares.tolist())
    ]))  # fmt: skip
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
