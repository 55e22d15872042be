"""The confusion matrix as a heat map. A click on a cell chooses its samples.

Axis letters: K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.ui import theme
from studio.ui.gallery.drawing import readable_on
from studio.ui.widgets.plain_text import plain_tooltip

if TYPE_CHECKING:
    import numpy as np

_MOST_LABEL = 0.26  # of the width or the height, for names
_SMALLEST_NAMED = 11  # pixels of a row
_TITLE = 18  # pixels for the words along the axes
_LARGEST_CELL = 84


class ConfusionView(QWidget):
    """Rows are the truth, columns the answers. Colours go by the share of the row; numbers are counts or shares."""

    cell_chosen = Signal(int, int)  # number of the true class, of the answered one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusionMatrix")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._names: tuple[str, ...] = ()
        self._counts_KK: np.ndarray | None = None
        self._rates_KK: np.ndarray | None = None
        self._image = QImage()
        self._as_rates = False
        self._clickable = True
        self._current: tuple[int, int] | None = None

    def rows(self) -> Iterator[Sequence[str | float]]:
        """The counts as a table: a row for each class, a column for each answer."""
        yield ("class", *self._names)
        if self._counts_KK is not None:
            for name, counts in zip(self._names, self._counts_KK.tolist(), strict=True):
                yield (name, *counts)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        from studio.ui.panels.plot_menu import open_menu

        open_menu(self, event.globalPos(), self.rows, "confusion")

    def show_counts(self, names: tuple[str, ...], counts: tuple[tuple[int, ...], ...], *, clickable: bool) -> None:
        """Show how often a class (row) was taken for a class (column).

        Args:
            clickable: whether cells stand for samples, and not for places within them.
        """
        import numpy as np

        self._names, self._clickable, self._current = names, clickable, None
        self._counts_KK = np.asarray(counts, np.int64).reshape(len(counts), len(counts))
        self._rates_KK = self._counts_KK / np.maximum(self._counts_KK.sum(1, keepdims=True), 1)
        self.setAccessibleName(f"Confusion matrix of {len(names):,} classes")
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
        self._recolor()

    def show_rates(self, rates: bool) -> None:
        """Write shares of the row instead of counts."""
        self._as_rates = rates
        self.update()

    def _recolor(self) -> None:
        """From the ground of plots to the accent for right answers, to the colour of errors for wrong ones."""
        import numpy as np

        if self._rates_KK is None:
            return
        colors = theme.current()
        ground, right, wrong = (_rgb(color) for color in (colors.plot, colors.accent, colors.error))
        strength = np.sqrt(self._rates_KK)[..., None]  # so that rare mistakes can be seen, too
        end = np.where(np.eye(len(self._rates_KK), dtype=bool)[..., None], right, wrong)
        pixels = np.ascontiguousarray((ground + (end - ground) * 0.85 * strength).astype(np.uint8))
        size = len(pixels)
        self._image = QImage(pixels.data, size, size, 3 * size, QImage.Format.Format_RGB888).copy()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 380)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 180)

    # Places -----------------------------------------------------------------------------------------------------------

    def _layout(self) -> tuple[QRectF, float, float]:
        """Where the cells are, and how much room the names have at the left and above."""
        metrics, count = self.fontMetrics(), max(1, len(self._names))
        longest = max((metrics.horizontalAdvance(name) for name in self._names[:200]), default=0) + 8
        left = min(longest, _MOST_LABEL * self.width())
        side = min((self.width() - left - _TITLE) / count, (self.height() - left - _TITLE) / count, _LARGEST_CELL)
        if side < _SMALLEST_NAMED:  # no name could be read
            left = 4.0
            side = min((self.width() - left - _TITLE) / count, (self.height() - left - _TITLE) / count)
        top = left if self._turned(side) else min(left, metrics.height() + 4.0)
        return QRectF(left + _TITLE, top + _TITLE, side * count, side * count), left, top

    def _turned(self, side: float) -> bool:
        """Whether names above the columns stand upright, since they are too long to lie."""
        return any(self.fontMetrics().horizontalAdvance(name) > side - 4 for name in self._names[:200])

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """The true and the answered class of the cell at a point; None if there is none."""
        cells, _, _ = self._layout()
        if not self._names or not cells.contains(point):
            return None
        side, last = cells.width() / len(self._names), len(self._names) - 1
        row, column = int((point.y() - cells.top()) / side), int((point.x() - cells.left()) / side)
        return min(row, last), min(column, last)

    def cell_center(self, truth: int, guess: int) -> QPointF:
        """The middle of a cell."""
        cells, _, _ = self._layout()
        side = cells.width() / len(self._names)
        return QPointF(cells.left() + (guess + 0.5) * side, cells.top() + (truth + 0.5) * side)

    def cell_text(self, truth: int, guess: int) -> str:
        """What is told of a cell."""
        assert self._counts_KK is not None
        assert self._rates_KK is not None
        count, rate = int(self._counts_KK[truth, guess]), float(self._rates_KK[truth, guess])
        of, names = int(self._counts_KK[truth].sum()), self._names
        verb = "are answered right" if truth == guess else f"are taken for “{names[guess]}”"
        return f"{count:,} of the {of:,} “{names[truth]}” ({100 * rate:.1f} %) {verb}."

    # Painting ---------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        cells, left, top = self._layout()
        painter.drawImage(cells, self._image)
        painter.setPen(theme.current().plot_grid)
        painter.drawRect(cells)
        self._paint_titles(painter, cells, left)
        side = cells.width() / len(self._names)
        if side >= _SMALLEST_NAMED:
            self._paint_names(painter, cells, side, left, top)
            self._paint_numbers(painter, cells, side)
        if self._current is not None:
            row, column = self._current
            painter.setPen(QPen(theme.current().node_text, 2))
            painter.drawRect(QRectF(cells.left() + column * side, cells.top() + row * side, side, side))
        painter.end()

    def _paint_titles(self, painter: QPainter, cells: QRectF, left: float) -> None:
        painter.setPen(theme.current().node_muted)
        center = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRectF(cells.left(), 0, max(cells.width(), 60), _TITLE), center, "Answer")
        painter.save()
        painter.translate(_TITLE / 2, cells.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-60, -_TITLE / 2, 120, _TITLE), center, "Truth")
        painter.restore()

    def _paint_names(self, painter: QPainter, cells: QRectF, side: float, left: float, top: float) -> None:
        metrics, middle = self.fontMetrics(), Qt.AlignmentFlag.AlignVCenter
        turned = self._turned(side)
        painter.setPen(theme.current().node_text)
        for number, name in enumerate(self._names):
            text = metrics.elidedText(name.replace("\n", " "), Qt.TextElideMode.ElideMiddle, int(left) - 6)
            row = QRectF(_TITLE, cells.top() + number * side, left - 6, side)
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | middle, text)
            x = cells.left() + number * side
            if not turned:
                painter.drawText(QRectF(x, cells.top() - top, side, top), Qt.AlignmentFlag.AlignCenter, text)
                continue
            painter.save()
            painter.translate(x + side / 2, cells.top() - 4)
            painter.rotate(-90)
            painter.drawText(QRectF(0, -side / 2, left, side), Qt.AlignmentFlag.AlignLeft | middle, text)
            painter.restore()

    def _paint_numbers(self, painter: QPainter, cells: QRectF, side: float) -> None:
        assert self._counts_KK is not None
        assert self._rates_KK is not None
        values = self._rates_KK if self._as_rates else self._counts_KK
        widest = "100" if self._as_rates else f"{int(self._counts_KK.max()):,}"
        if self.fontMetrics().horizontalAdvance(widest) > side - 2 or self.fontMetrics().height() > side:
            return
        for row, line in enumerate(values.tolist()):
            for column, value in enumerate(line):
                text = f"{100 * value:.0f}" if self._as_rates else f"{value:,}"
                if text == "0" and row != column:
                    continue
                painter.setPen(readable_on(QColor(self._image.pixel(column, row))))
                place = QRectF(cells.left() + column * side, cells.top() + row * side, side, side)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    # Pointer and keys -------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton and self._clickable:
            self._choose(cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = Qt.Key(event.key()), len(self._names) - 1
        steps = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        if key not in steps or last < 0 or not self._clickable:
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 0)
        down, right = steps[key] if self._current is not None else (0, 0)
        self._choose((max(0, min(row + down, last)), max(0, min(column + right, last))))

    def _choose(self, cell: tuple[int, int]) -> None:
        self._current = cell
        self.setAccessibleDescription(self.cell_text(*cell))
        self.update()
        self.cell_chosen.emit(*cell)

    def clear_choice(self) -> None:
        """No cell is chosen any more."""
        self._current = None
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain_tooltip(self.cell_text(*cell)) if cell is not None else "", self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._recolor()


def _rgb(color: QColor) -> np.ndarray:
    import numpy as np

    return np.array([color.red(), color.green(), color.blue()], float)
