"""The most probable answers as bars, which move to where a newer answer has them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QVariantAnimation, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

_LINE = 21  # pixels of a row
_NAME_SHARE = 0.4  # of the width
_MOVE_MS = 120
_NOTICED = 0.004  # a smaller change of a probability is not animated


class AnswerBars(QWidget):
    """Rows of name, bar and percentage; the first one is the answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answerBars")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.rows: list[tuple[str, float]] = []
        self._from: dict[str, float] = {}
        self._lines = 0
        self._move = QVariantAnimation(self)
        self._move.setDuration(_MOVE_MS)
        self._move.setStartValue(0.0)
        self._move.setEndValue(1.0)
        self._move.valueChanged.connect(self._repaint)

    def show_rows(self, rows: list[tuple[str, float]]) -> None:
        """Show names with their probabilities, the most probable first."""
        before = {name: self._shown(name, value) for name, value in self.rows}
        self.rows, self._from = rows, before
        self.setAccessibleName("; ".join(f"{name} {100 * value:.1f} %" for name, value in rows))
        if self._lines != len(rows):
            self._lines = len(rows)
            self.updateGeometry()
        changes = (abs(value - before.get(name, 0.0)) for name, value in rows)
        self._move.stop()
        if self.isVisible() and max(changes, default=0.0) > _NOTICED:
            self._move.start()
        else:
            self._from = {}
            self.update()

    def _shown(self, name: str, value: float) -> float:
        """How long a bar is by now."""
        if self._move.state() != QVariantAnimation.State.Running:
            return value
        share = float(self._move.currentValue())
        start = self._from.get(name, 0.0)
        return start + (value - start) * share

    @Slot()
    def _repaint(self) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, _LINE * max(1, len(self.rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(150, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors, metrics = QPainter(self), theme.current(), self.fontMetrics()
        names, figures = _NAME_SHARE * self.width(), metrics.horizontalAdvance("100.0 %") + 6
        room = self.width() - names - figures - 6
        middle = Qt.AlignmentFlag.AlignVCenter
        for line, (name, value) in enumerate(self.rows):
            top, shown = line * _LINE, self._shown(name, value)
            font = painter.font()
            font.setBold(line == 0)
            painter.setFont(font)
            painter.setPen(colors.node_text)
            cut = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(names) - 10)
            painter.drawText(QRectF(0, top, names, _LINE), Qt.AlignmentFlag.AlignLeft | middle, cut)
            color = colors.accent if line == 0 else colors.wire
            painter.fillRect(QRectF(names, top + 4, max(1.0, room * shown), _LINE - 8), color)
            painter.setPen(colors.node_muted)
            place = QRectF(self.width() - figures, top, figures, _LINE)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | middle, f"{100 * value:.1f} %")
        painter.end()
