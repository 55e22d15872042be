"""How many samples each class has, as bars. A click shows the samples of a class."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from studio.ui import theme
from studio.ui.widgets.plain_text import plain_tooltip

_GAP = 6  # pixels below a bar
_NAME_SHARE = 0.36  # of the width, for names


class ClassBars(QScrollArea):
    """The bars, which scroll where there are many classes."""

    class_chosen = Signal(int)  # number of a class

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classBars")
        self.setAccessibleName("Samples of each class")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.bars = _Bars(self)
        self.bars.setObjectName("classBarsContent")
        self.bars.chosen.connect(self.class_chosen)
        self.setWidget(self.bars)

    def show_counts(self, names: tuple[str, ...], counts: tuple[int, ...]) -> None:
        """Show how many samples each class has, in the order of the classes."""
        self.bars.show_counts(names, counts)


class _Bars(QWidget):
    chosen = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._counts: tuple[int, ...] = ()
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def show_counts(self, names: tuple[str, ...], counts: tuple[int, ...]) -> None:
        self._names, self._counts = names, counts
        rows = zip(names[:30], counts, strict=False)
        self.setAccessibleName("; ".join(f"{name}: {count:,}" for name, count in rows))
        self.setMinimumHeight(self._line() * len(counts))
        self.update()

    def _line(self) -> int:
        return self.fontMetrics().height() + _GAP

    def sizeHint(self) -> QSize:
        return QSize(120, self._line() * len(self._counts))

    def _row_at(self, place: QPoint) -> int | None:
        row = place.y() // self._line()
        return row if 0 <= row < len(self._counts) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors, line = QPainter(self), theme.current(), self._line()
        most = max(self._counts, default=0) or 1
        digits = painter.fontMetrics().horizontalAdvance(f"{most:,}") + 6
        names = round(_NAME_SHARE * self.width())
        first, last = event.rect().top() // line, event.rect().bottom() // line
        for row in range(first, min(last + 1, len(self._counts))):
            place = QRect(4, row * line, self.width() - 8, line - _GAP // 2)
            if row == self._current and self.hasFocus():
                painter.fillRect(place, colors.grid)
            painter.setPen(colors.node_text)
            name = self._names[row] if row < len(self._names) else str(row)
            metrics = painter.fontMetrics()
            cut = metrics.elidedText(name.replace("\n", " "), Qt.TextElideMode.ElideRight, names - 8)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, cut)
            room = place.width() - names - digits
            share = self._counts[row] / most
            bar = QRectF(place.left() + names, place.top() + 3, max(1.0, room * share), place.height() - 6)
            painter.fillRect(bar, colors.class_color(row))
            painter.setPen(colors.node_muted)
            right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(place, right, f"{self._counts[row]:,}")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().toPoint())
        if row is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = row
            self.chosen.emit(row)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if step is not None and self._counts:
            self._current = max(0, min(self._current + step, len(self._counts) - 1))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current >= 0:
            self.chosen.emit(self._current)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self._row_at(event.pos())
            if row is not None and row < len(self._names):
                share = self._counts[row] / (sum(self._counts) or 1)
                text = f"{self._names[row][:200]}: {self._counts[row]:,} samples, {share:.1%}. Click to show them."
                QToolTip.showText(event.globalPos(), plain_tooltip(text), self)
            return True
        return super().event(event)
