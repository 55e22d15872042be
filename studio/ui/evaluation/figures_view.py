"""Figures with the bounds between which they lie, each with a small bar that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

if TYPE_CHECKING:
    from studio.evaluation.intervals import Interval

_LINE = 26  # pixels of a row
_SHARES = ("accuracy", "balanced accuracy", "macro F1", "AUROC", "all labels right", "mean IoU", "mean Dice")
_TITLES = {"loss": "Loss", "mae": "Mean absolute error", "rmse": "Root mean squared error", "r2": "R²"}


def figure_title(name: str) -> str:
    """The name of a figure for people."""
    return _TITLES.get(name, name[:1].upper() + name[1:])


def bounds_text(interval: Interval) -> str:
    """A figure, and in brackets between which bounds it lies."""
    digits = 3 if abs(interval.value) < 100 else 1
    if interval.low is None or interval.high is None:
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


class FiguresView(QWidget):
    """One row for each figure: name, bar, value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluationFigures")
        self._figures: dict[str, Interval] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Of 100 draws of as many samples, 95 give a figure within the bounds in brackets.")

    def show_figures(self, figures: dict[str, Interval]) -> None:
        """Show these, in their order."""
        self._figures = figures
        self.setAccessibleName("; ".join(self.texts()))
        self.updateGeometry()
        self.update()

    def texts(self) -> list[str]:
        """What stands in the rows."""
        return [f"{figure_title(name)} {bounds_text(interval)}" for name, interval in self._figures.items()]

    def sizeHint(self) -> QSize:
        return QSize(320, _LINE * len(self._figures))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for number, (name, interval) in enumerate(self._figures.items()):
            self._paint_row(painter, QRectF(0, number * _LINE, self.width(), _LINE), name, interval)
        painter.end()

    def _paint_row(self, painter: QPainter, row: QRectF, name: str, interval: Interval) -> None:
        metrics, colors = self.fontMetrics(), theme.current()
        names = max(metrics.horizontalAdvance(figure_title(known)) for known in self._figures) + 12
        values = max(metrics.horizontalAdvance(bounds_text(known)) for known in self._figures.values()) + 16
        painter.setPen(colors.node_text)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(row.adjusted(2, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | middle, figure_title(name))
        bold = QFont(self.font())
        bold.setBold(True)
        value, _, rest = bounds_text(interval).partition(" (")
        place = QRectF(row.right() - values, row.top(), values, row.height())
        painter.setFont(bold)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | middle, value)
        width = painter.fontMetrics().horizontalAdvance(value)
        painter.setFont(self.font())
        if rest:
            painter.setPen(colors.node_muted)
            painter.drawText(place.adjusted(width + 5, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | middle, f"({rest}")
        room = QRectF(row.left() + names, row.center().y() - 4, row.width() - names - values - 12, 8)
        if room.width() > 30 and interval.low is not None and interval.high is not None:
            self._paint_bar(painter, room, name, interval)

    def _paint_bar(self, painter: QPainter, room: QRectF, name: str, interval: Interval) -> None:
        """The whole bar is 0 to 1 for shares, and 0 to a quarter above the upper bound for what has no end."""
        assert interval.low is not None
        assert interval.high is not None
        colors = theme.current()
        end = 1.0 if name in _SHARES else 1.25 * max(interval.high, 1e-12)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.plot_grid)
        painter.drawRoundedRect(room, 4, 4)
        low, high, value = (
            room.left() + max(0.0, min(number / end, 1.0)) * room.width()
            for number in (interval.low, interval.high, interval.value)
        )
        span = QColor(colors.accent)
        span.setAlpha(120)
        painter.setBrush(span)
        painter.drawRoundedRect(QRectF(low, room.top(), max(high - low, 2.0), room.height()), 2, 2)
        painter.setPen(QPen(colors.accent, 2))
        painter.drawLine(QPointF(value, room.top() - 3), QPointF(value, room.bottom() + 3))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
