"""The answers to fifty samples that are always the same, framed right or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.gallery.thumbs import Style
from studio.ui.trying.asker import Checked
from studio.ui.widgets.plain_text import Heading, PlainLabel, plain_tooltip

if TYPE_CHECKING:
    from studio.evaluation.inspection import Verdict
    from studio.evaluation.taken import Taken
    from studio.ui.gallery.thumbs import Thumb

PICTURE = 48  # pixels of a side of a picture in the grid
_CELL_GAP = 6
_LINE = 22  # pixels of a row, where samples are texts or rows
_MARKS = {True: "✓", False: "✗", None: "→"}
_TEXT = 90  # characters of a sample in a line
_END = 26  # of a text whose end counts


class FixedGrid(QWidget):
    """Heading, the cells, and what the chosen one is."""

    chosen = Signal(object)  # the Taken that somebody wants to try

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("fixedGrid")
        self.checked: Checked | None = None
        self.heading = Heading("Fixed samples", self)
        self.heading.setObjectName("fixedHeading")
        self.about = PlainLabel("", self, color="node_muted")
        self.about.setObjectName("fixedAbout")
        self.cells = _Cells(self)
        self.detail = PlainLabel("", self)
        self.detail.setObjectName("fixedDetail")
        scroll = QScrollArea(self)
        scroll.setObjectName("fixedScroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.cells)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.heading)
        layout.addWidget(self.about)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.detail)
        self.cells.current_changed.connect(self._show_detail)
        self.cells.activated.connect(self._choose)
        self.tell("Fifty samples of the validation split, always the same, are answered here after each epoch.")

    def style_of_thumbs(self) -> Style:
        """How the samples are to be drawn."""
        return Style(QSize(PICTURE, PICTURE), self.devicePixelRatioF(), theme.current())

    @Slot(str)
    def tell(self, text: str) -> None:
        """Say why there is nothing to be seen."""
        if text:
            self.checked = None
            self.heading.setText("Fixed samples")
            self.about.setText(text)
            self.detail.setText("")
            self.cells.show_checked(None)

    @Slot(object)
    def show_checked(self, checked: Checked) -> None:
        """Show newer answers."""
        self.checked = checked
        judged = [verdict.right for verdict in checked.verdicts if verdict.right is not None]
        text = f"{sum(judged)} of {len(judged)} right" if judged else f"{len(checked.samples)} fixed samples"
        self.heading.setText(text)
        self.about.setText(checked.about)
        self.cells.setAccessibleName(f"Fixed samples: {text}")
        self.cells.show_checked(checked)
        self._show_detail()

    @Slot()
    def _show_detail(self) -> None:
        self.detail.setText("" if self.checked is None else detail_of(self.checked, self.cells.current))

    @Slot(int)
    def _choose(self, number: int) -> None:
        if self.checked is not None and number < len(self.checked.samples):
            self.chosen.emit(self.checked.samples[number])


def detail_of(checked: Checked, number: int) -> str:
    """One sample and its answer in words; empty if there is no such sample."""
    if not 0 <= number < len(checked.samples):
        return ""
    taken, verdict = checked.samples[number], checked.verdicts[number]
    sure = "" if verdict.sureness is None else f" ({100 * verdict.sureness:.0f} %)"
    judged = {True: "right", False: "wrong", None: "not judged"}[verdict.right]
    return f"Sample {taken.row + 1:,} is {taken.truth[:80]}; answered {verdict.text[:80]}{sure}: {judged}."


class _Cells(QWidget):
    """Pictures in a grid, or one line for each sample."""

    current_changed = Signal()
    activated = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("fixedCells")
        self.setAccessibleName("Fixed samples")
        self.setAccessibleDescription("The arrow keys choose one, Enter tries it.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.current = -1
        self._checked: Checked | None = None
        self._lines: list[str] = []
        self._pictures = False

    def show_checked(self, checked: Checked | None) -> None:
        before = (self.count, self._pictures)
        if checked is None or self._checked is None or checked.thumbs is not self._checked.thumbs:
            self._lines = [] if checked is None else [_line(*pair, checked.followed) for pair in _pairs(checked)]
            self._pictures = checked is not None and any(thumb.image is not None for thumb in checked.thumbs)
        self._checked = checked
        if before != (self.count, self._pictures):
            self.current = min(self.current, self.count - 1)
            self.updateGeometry()
        self.update()

    @property
    def count(self) -> int:
        """How many samples there are."""
        return 0 if self._checked is None else len(self._checked.samples)

    @property
    def _columns(self) -> int:
        return max(1, self.width() // (PICTURE + _CELL_GAP)) if self._pictures else 1

    @property
    def _row_height(self) -> int:
        return PICTURE + self.fontMetrics().height() + _CELL_GAP + 2 if self._pictures else _LINE

    def heightForWidth(self, width: int) -> int:
        columns = max(1, width // (PICTURE + _CELL_GAP)) if self._pictures else 1
        return -(-self.count // columns) * self._row_height + 4

    def sizeHint(self) -> QSize:
        return QSize(260, self.heightForWidth(260))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(max(120, self.width())))

    def _room(self, number: int) -> QRectF:
        row, column = divmod(number, self._columns)
        width = self.width() / self._columns
        return QRectF(column * width, 2 + row * self._row_height, width, self._row_height)

    def _at(self, point: QPointF) -> int:
        column = int(point.x() / (self.width() / self._columns))
        number = int((point.y() - 2) // self._row_height) * self._columns + column
        return number if 0 <= number < self.count else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go_to(self._at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if (number := self._at(event.position())) >= 0:
            self.activated.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -self._columns,
                 Qt.Key.Key_Down: self._columns}  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps and self.count:
            self._go_to(min(self.count - 1, max(0, self.current + steps[key])))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current >= 0:
            self.activated.emit(self.current)
        else:
            super().keyPressEvent(event)

    def _go_to(self, number: int) -> None:
        self.current = number
        self.update()
        self.current_changed.emit()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._checked is not None:
            text = detail_of(self._checked, self._at(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), plain_tooltip(text), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._checked is None:
            return
        painter, colors = QPainter(self), theme.current()
        paint = self._paint_picture if self._pictures else self._paint_line
        for number, verdict in enumerate(self._checked.verdicts):
            room = self._room(number)
            if not room.intersects(QRectF(event.rect())):
                continue
            color = {True: colors.success, False: colors.error, None: colors.node_muted}[verdict.right]
            if number == self.current:
                chosen = QColor(colors.selection)
                chosen.setAlpha(60)
                painter.fillRect(room.adjusted(0, 0, -1, -1), chosen)
            paint(painter, room, number, verdict, color)
        painter.end()

    def _paint_picture(self, painter: QPainter, room: QRectF, number: int, verdict: Verdict, color: QColor) -> None:
        """Its frame is whole where the answer is right, and broken where it is wrong."""
        assert self._checked is not None
        image = self._checked.thumbs[number].image
        place = QRectF(room.center().x() - PICTURE / 2, room.top() + 2, PICTURE, PICTURE)
        if image is not None:
            painter.drawImage(place, image)
        style = Qt.PenStyle.DashLine if verdict.right is False else Qt.PenStyle.SolidLine
        painter.setPen(QPen(color, 2.5, style))
        painter.drawRect(place)
        below = QRectF(room.left(), place.bottom() + 1, room.width(), room.bottom() - place.bottom())
        text = f"{_MARKS[verdict.right]} {verdict.text}".replace("\n", "↵")
        cut = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()) - 2)
        painter.setPen(color)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, cut)

    def _paint_line(self, painter: QPainter, room: QRectF, number: int, verdict: Verdict, color: QColor) -> None:
        """Mark and answer, then the sample."""
        colors, metrics = theme.current(), self.fontMetrics()
        style = Qt.PenStyle.DashLine if verdict.right is False else Qt.PenStyle.SolidLine
        painter.setPen(QPen(color, 2, style))
        painter.drawRect(room.adjusted(2, 2, -3, -2))
        inner, middle = room.adjusted(7, 0, -7, 0), Qt.AlignmentFlag.AlignVCenter
        text = f"{_MARKS[verdict.right]} {verdict.text}".replace("\n", "↵")
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(0.5 * inner.width()))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | middle, cut)
        left = metrics.horizontalAdvance(cut) + 10
        rest = metrics.elidedText(self._lines[number], Qt.TextElideMode.ElideRight, int(inner.width()) - left)
        painter.setPen(colors.node_muted)
        painter.drawText(inner.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | middle, rest)


def _pairs(checked: Checked) -> Iterator[tuple[Taken, Thumb]]:
    return zip(checked.samples, checked.thumbs, strict=True)


def _line(taken: Taken, thumb: Thumb, followed: bool) -> str:
    """A text or a row in a line: its end, where that is gone on with."""
    if followed and isinstance(taken.given[-1], str) and taken.given[-1]:
        return f"…{taken.given[-1][-_END:]}".replace("\n", "↵")
    if thumb.text or not thumb.cells:
        return thumb.text[:_TEXT]
    return ", ".join(f"{name} {value}" for name, value in thumb.cells.items())[:_TEXT]
