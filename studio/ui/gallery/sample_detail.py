"""One sample, large: its picture with what is marked on it, its text, its values or its plot."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.data.listing import Shown
from studio.ui import theme
from studio.ui.gallery.drawing import draw_picture, draw_plot, name_color, readable_on
from studio.ui.gallery.sample_model import PART_TITLES
from studio.ui.widgets.plain_text import Heading, PlainLabel

_LONGEST_TITLE = 300  # characters of a file's name


class SampleDetail(QWidget):
    """Shows a sample; the keys Left and Right go to its neighbours, Escape goes back."""

    back_wanted = Signal()
    step_wanted = Signal(int)  # 1 to the next, -1 to the previous
    leave_out_wanted = Signal()
    take_back_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sampleDetail")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sample = 0
        self.shown: Shown | None = None
        self.heading = Heading(parent=self, large=True)
        self.heading.setObjectName("detailHeading")
        self.title = PlainLabel(parent=self, color="node_muted")
        self.title.setObjectName("detailTitle")
        self.problem = PlainLabel(parent=self, color="error")
        self.marks = QCheckBox("Show marks", self)
        self.marks.setObjectName("showMarks")
        self.marks.setChecked(True)
        self.exclude = self._button("detailLeaveOut", "Leave out", self._exclude)
        self._left_out = False
        self.canvas = _Canvas(self)
        self.text = _text_view(self)
        self.cells = _cells_view(self)
        self.pages = QStackedWidget(self)
        for page in (self.canvas, self.text, self.cells):
            self.pages.addWidget(page)
        self.marks.toggled.connect(self.canvas.show_marks)
        self._arrange()

    def _button(self, name: str, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(slot)
        return button

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._button("detailBack", "Back to all samples", self.back_wanted.emit))
        row.addStretch()
        for widget in (
            self.marks, self.exclude, self._button("detailPrevious", "Previous", lambda: self.step_wanted.emit(-1)),
            self._button("detailNext", "Next", lambda: self.step_wanted.emit(1)),
        ):  # fmt: skip
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(row)
        for label in (self.heading, self.title, self.problem):
            layout.addWidget(label)
        layout.addWidget(self.pages, 1)
        layout.addStretch()

    def begin(self, sample: int) -> None:
        """A sample is on its way: what was shown stays until it is there."""
        self.sample = sample

    def show_sample(self, shown: Shown, part: str, names: tuple[str, ...]) -> None:
        """Show the sample that `begin` announced.

        Args:
            shown: what it holds.
            part: its split, or that it is left out.
            names: of the classes, for their colours.
        """
        self.shown = shown
        number = f"{self.sample + 1:,}"
        self.show_part(part)
        title = shown.title[:_LONGEST_TITLE] if shown.title != number else ""
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.problem.setText(shown.problem)
        self.problem.setVisible(bool(shown.problem))
        self.marks.setVisible(shown.picture is not None and (shown.mask is not None or bool(shown.boxes)))
        self.pages.setVisible(not shown.problem or shown.picture is not None or bool(shown.text or shown.cells))
        if shown.picture is not None or shown.wave is not None or shown.series is not None:
            self.canvas.show_sample(shown, names)
            self.pages.setCurrentWidget(self.canvas)
        elif shown.tags or shown.text or not shown.cells:
            _fill_text(self.text, shown, names)
            self.pages.setCurrentWidget(self.text)
        else:
            _fill_cells(self.cells, shown.cells)
            self.pages.setCurrentWidget(self.cells)

    def show_part(self, part: str) -> None:
        """Tell which part it belongs to now."""
        assert self.shown is not None
        self._left_out = part == "left out"
        words = [f"Sample {self.sample + 1:,}", PART_TITLES.get(part, ""), self.shown.answer[:_LONGEST_TITLE]]
        self.heading.setText(" · ".join(word for word in words if word))
        self.exclude.setText("Take back" if self._left_out else "Leave out")
        self.exclude.setAccessibleName(self.exclude.text())

    @Slot()
    def _exclude(self) -> None:
        (self.take_back_wanted if self._left_out else self.leave_out_wanted).emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        key = Qt.Key(event.key())
        if key in steps:
            self.step_wanted.emit(steps[key])
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_Backspace):
            self.back_wanted.emit()
        elif key == Qt.Key.Key_Delete:
            self._exclude()
        else:
            super().keyPressEvent(event)


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
