"""Which class is taken for which, live: a small heat map of the validation split."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from studio.training.events import Confusion
from studio.ui import theme
from studio.ui.panels.live_plot import LivePlot
from studio.ui.widgets.plain_text import Heading, PlainLabel, plain_tooltip

_SMALLEST = 160  # pixels of a side
_LARGEST = 420
_MOST_NAMED = 20  # classes whose names stand at the edges
_LONGEST_NAME = 90  # pixels
_MOST_COUNTED = 12  # classes whose counts stand in the cells
_GAP = 4  # pixels between names and cells

Counts = npt.NDArray[np.int64]


class ConfusionPanel(LivePlot):
    """The heat map with a heading. Rows are the classes of the samples, columns those that were answered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusionPanel")
        self._newest: Confusion | None = None
        self.map = HeatMap(self)
        self._view = self.map
        self.caption = PlainLabel(parent=self, color="node_muted")
        self.caption.setObjectName("confusionCaption")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header = QHBoxLayout()
        header.setContentsMargins(6, 0, 6, 0)
        header.addWidget(Heading("Confusion", self))
        header.addWidget(self.caption, 1)
        hint = PlainLabel("Rows: what it is. Columns: what was answered.", self, color="node_muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addWidget(self.map)
        layout.addWidget(hint)
        layout.addStretch(1)

    def begin(self, classes: tuple[str, ...]) -> None:
        """Show the classes of a new run."""
        self._newest = None
        self.caption.setText("")
        self.map.set_classes(classes)

    def show_confusion(self, event: Confusion) -> None:
        """Take in the newest counts; they are drawn when it is time."""
        self._newest = event
        self._mark_changed()

    def _draw(self) -> None:
        if self._newest is not None:
            epoch = f"epoch {self._newest.epoch:,}"
            self.caption.setText(f"Best, {epoch}" if self._newest.best else epoch.capitalize())
            self.map.set_counts(self._newest.counts)


class HeatMap(QWidget):
    """A square of cells: the stronger the colour, the larger the share of its row. Pointing at one tells its count."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusionMap")
        self.setMinimumSize(_SMALLEST, _SMALLEST)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.paint_seconds = 0.0  # what the last paint took
        self._classes: tuple[str, ...] = ()
        self._counts: Counts = np.zeros((0, 0), np.int64)
        self._image = QImage()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return min(width, _LARGEST)

    def set_classes(self, classes: tuple[str, ...]) -> None:
        """Name the classes; nothing is counted until `set_counts`."""
        self._classes = classes
        self._counts = np.zeros((len(classes), len(classes)), np.int64)
        self.retheme()

    def set_counts(self, counts: tuple[int, ...]) -> None:
        """Show counts, row by row."""
        side = len(self._classes)
        self._counts = np.array(counts, np.int64).reshape(side, side)
        right, total = int(self._counts.trace()), int(self._counts.sum())
        self.setAccessibleName(f"Confusion of {side} classes: {right:,} of {total:,} right")
        self.retheme()

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self._image = _image(shares(self._counts))
        self.update()

    def cell_at(self, place: QPoint) -> tuple[int, int] | None:
        """Row and column of the cell at a place of the widget; None beside them."""
        square, side = self._square(), len(self._classes)
        if not side or not square.contains(place):
            return None
        column = (place.x() - square.x()) * side // square.width()
        return (place.y() - square.y()) * side // square.height(), column

    def words(self, row: int, column: int) -> str:
        """What a cell says."""
        count, total = int(self._counts[row, column]), int(self._counts[row].sum())
        share = f" ({100 * count / total:.1f} %)" if total else ""
        name = self._classes[row]
        what = f"“{name}”, right" if row == column else f"“{name}”, taken for “{self._classes[column]}”"
        return f"{what}: {count:,} of {total:,}{share}"

    def rows(self) -> Iterator[Sequence[str | float]]:
        """The counts as a table: a row for each class, a column for each answer."""
        yield ("class", *self._classes)
        for name, counts in zip(self._classes, self._counts.tolist(), strict=True):
            yield (name, *counts)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        from studio.ui.panels.plot_menu import open_menu

        open_menu(self, event.globalPos(), self.rows, "confusion")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), plain_tooltip(self.words(*cell)) if cell else "", self)
            return True
        return super().event(event)

    def _names_width(self) -> int:
        if not 0 < len(self._classes) <= _MOST_NAMED:
            return 0
        return min(_LONGEST_NAME, max(self.fontMetrics().horizontalAdvance(name) for name in self._classes)) + _GAP

    def _square(self) -> QRect:
        """Where the cells are."""
        left = self._names_width()
        above = self.fontMetrics().height() + _GAP if left else 0
        side = max(1, min(self.width() - left, self.height() - above) - 1)
        return QRect(left, above, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        square = self._square()
        painter.drawImage(square, self._image)
        painter.setPen(theme.current().plot_grid)
        painter.drawRect(square)
        if self._names_width():
            self._paint_names(painter, square)
        if len(self._classes) <= _MOST_COUNTED:
            self._paint_counts(painter, square)
        painter.end()
        self.paint_seconds = time.perf_counter() - started

    def _paint_names(self, painter: QPainter, square: QRect) -> None:
        painter.setPen(theme.current().plot_axis)
        metrics, side = self.fontMetrics(), square.width() / len(self._classes)
        for number, name in enumerate(self._classes):
            start = round(number * side)
            row = QRect(0, square.y() + start, square.x() - _GAP, round(side))
            short = metrics.elidedText(name, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, short)
            column = QRect(square.x() + start, 0, round(side), square.y() - _GAP)
            short = metrics.elidedText(name, Qt.TextElideMode.ElideRight, column.width() - 2)
            painter.drawText(column, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, short)

    def _paint_counts(self, painter: QPainter, square: QRect) -> None:
        side = square.width() / max(1, len(self._classes))
        widest = self.fontMetrics().horizontalAdvance(f"{self._counts.max(initial=0):,}")
        if widest > side - 2 or self.fontMetrics().height() > side:
            return
        strength = shares(self._counts)
        for row, column in np.argwhere(self._counts > 0).tolist():
            cell = QRect(square.x() + round(column * side), square.y() + round(row * side), round(side), round(side))
            painter.setPen(_readable(strength[row, column]))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, f"{self._counts[row, column]:,}")


def shares(counts: Counts) -> npt.NDArray[np.float64]:
    """Each count as a share of its row; 0 where the row has nothing."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), float)


def _image(strength: npt.NDArray[np.float64]) -> QImage:
    """A pixel for each cell: the ground's colour for nothing, that of the validation for a whole row."""
    ground, full = (_rgb(color) for color in (theme.current().plot, theme.current().plot_validation))
    # The square root lets few mistakes be seen.
    mixed = ground + np.sqrt(strength)[..., None] * (full - ground)
    pixels = np.zeros((*strength.shape, 4), np.uint8)
    pixels[..., :3] = mixed.round()
    pixels[..., 3] = 255
    height, width = strength.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _readable(strength: float) -> QColor:
    """The colour of a number on a cell: of two, that which is farther from the cell's in brightness."""
    ground, full = (_rgb(color) for color in (theme.current().plot, theme.current().plot_validation))
    cell = ground + np.sqrt(strength) * (full - ground)
    brightness = float(cell @ [0.299, 0.587, 0.114])
    return QColor("#000000") if brightness > 140 else QColor("#ffffff")


def _rgb(color: QColor) -> npt.NDArray[np.float64]:
    return np.array([color.red(), color.green(), color.blue()], float)
