"""What one sample holds, large: its picture with what is marked on it, its text, its values or its plot."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QTextEdit,
    QWidget,
)

from studio.data.listing import Shown
from studio.ui import theme
from studio.ui.gallery.drawing import draw_picture, draw_plot, name_color, readable_on


class SampleContent(QStackedWidget):
    """Shows it in the way that suits it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = _Canvas(self)
        self.text = _text_view(self)
        self.cells = _cells_view(self)
        for page in (self.canvas, self.text, self.cells):
            self.addWidget(page)

    def show_sample(self, shown: Shown, names: tuple[str, ...]) -> None:
        """Show a sample.

        Args:
            names: of the classes, for their colours.
        """
        if shown.picture is not None or shown.wave is not None or shown.series is not None:
            self.canvas.show_sample(shown, names)
            self.setCurrentWidget(self.canvas)
        elif shown.tags or shown.text or not shown.cells:
            _fill_text(self.text, shown, names)
            self.setCurrentWidget(self.text)
        else:
            _fill_cells(self.cells, shown.cells)
            self.setCurrentWidget(self.cells)


class _Canvas(QWidget):
    """Pictures and plots, as large as there is room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("detailCanvas")
        self.setAccessibleName("The sample")
        self.setMinimumSize(120, 120)
        self._shown: Shown | None = None
        self._names: tuple[str, ...] = ()
        self._marks = True

    def show_sample(self, shown: Shown, names: tuple[str, ...]) -> None:
        self._shown, self._names = shown, names
        self.update()

    @Slot(bool)
    def show_marks(self, marks: bool) -> None:
        self._marks = marks
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._shown is None:
            return
        painter = QPainter(self)
        try:
            self._paint(painter, self._shown)
        finally:
            painter.end()

    def _paint(self, painter: QPainter, shown: Shown) -> None:
        colors = theme.current()
        if shown.picture is not None:
            draw_picture(painter, QRectF(self.rect()), shown, colors, self._names, marks=self._marks)
            return
        below = painter.fontMetrics().height() + 4
        room = QRectF(self.rect()).adjusted(0, 0, -1, -below)
        painter.fillRect(room, colors.plot)
        draw_plot(painter, room.adjusted(4, 4, -4, -4), shown, colors)
        painter.setPen(colors.node_muted)
        painter.drawText(QRectF(0, room.bottom() + 2, room.width(), below), plot_caption(shown))


def plot_caption(shown: Shown) -> str:
    """How long a wave or a series is, and how many channels it has."""
    if shown.wave is not None:
        length, channels = shown.wave.shape[-1], len(shown.wave)
        long = f"{length / shown.rate:.3g} s at {shown.rate:,} Hz" if shown.rate else f"{length:,} samples"
    else:
        assert shown.series is not None
        length, channels = shown.series.shape
        long = f"{length:,} steps"
    return long if channels == 1 else f"{long}, {channels:,} channels, each by its own range"


def _text_view(parent: QWidget) -> QTextEdit:
    view = QTextEdit(parent)
    view.setObjectName("detailText")
    view.setAccessibleName("The text of the sample")
    view.setReadOnly(True)
    view.setAcceptRichText(False)
    view.setUndoRedoEnabled(False)
    return view


def _fill_text(view: QTextEdit, shown: Shown, names: tuple[str, ...]) -> None:
    """The text as it is, or its tokens coloured by what they are marked as. Neither is ever taken for HTML."""
    if not shown.tags:
        view.setPlainText(shown.text)
        return
    view.clear()
    cursor, plain, colors = QTextCursor(view.document()), QTextCharFormat(), theme.current()
    for word, tag in shown.tags:
        if tag in ("", "O"):
            cursor.insertText(f"{word} ", plain)
            continue
        color = name_color(tag, names, colors)
        marked = QTextCharFormat()
        marked.setBackground(color)
        marked.setForeground(QColor(readable_on(color)))
        cursor.insertText(f"{word} [{tag}]", marked)
        cursor.insertText(" ", plain)


def _cells_view(parent: QWidget) -> QTableWidget:
    table = QTableWidget(0, 2, parent)
    table.setObjectName("detailCells")
    table.setAccessibleName("The values of the sample")
    table.setHorizontalHeaderLabels(["Column", "Value"])
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.setColumnWidth(0, 200)
    return table


def _fill_cells(table: QTableWidget, cells: tuple[tuple[str, str], ...]) -> None:
    table.setRowCount(len(cells))
    for row, pair in enumerate(cells):
        for column, text in enumerate(pair):
            table.setItem(row, column, QTableWidgetItem(text))
