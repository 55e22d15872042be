"""The most probable classes of one sample, as bars. A click chooses the class to explain."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

_LINE = 19  # pixels of a row
_NAME_SHARE = 0.38  # of the width


class ClassChances(QWidget):
    """Rows of name, bar and percentage; the true class is marked."""

    class_chosen = Signal(int)  # number of a class

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classChances")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("The most probable classes; ✓ is the truth. A click chooses what is explained.")
        self._names: tuple[str, ...] = ()
        self._rows: list[tuple[int, float]] = []
        self._truths: frozenset[int] = frozenset()

    def show_chances(self, names: tuple[str, ...], rows: list[tuple[int, float]], truths: frozenset[int]) -> None:
        """Show numbers of classes with their probabilities, and which of them are true."""
        self._names, self._rows, self._truths = names, rows, truths
        self.setVisible(bool(rows))
        self.setAccessibleName("; ".join(self.texts()))
        self.updateGeometry()
        self.update()

    def texts(self) -> list[str]:
        """What stands in the rows."""
        return [f"{self._names[number]} {100 * chance:.1f} %" for number, chance in self._rows]

    def sizeHint(self) -> QSize:
        return QSize(240, _LINE * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors, metrics = QPainter(self), theme.current(), self.fontMetrics()
        names, figures = _NAME_SHARE * self.width(), metrics.horizontalAdvance("100.0 %") + 6
        room = self.width() - names - figures - 6
        for line, (number, chance) in enumerate(self._rows):
            true = number in self._truths
            top = line * _LINE
            painter.setPen(colors.success if true else colors.node_text)
            text = f"{self._names[number]}{'  ✓' if true else ''}".replace("\n", " ")
            cut = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(names) - 6)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, names, _LINE), Qt.AlignmentFlag.AlignLeft | middle, cut)
            color = QColor(colors.success if true else colors.accent)
            painter.fillRect(QRectF(names, top + 4, max(1.0, room * chance), _LINE - 8), color)
            painter.setPen(colors.node_muted)
            place = QRectF(self.width() - figures, top, figures, _LINE)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | middle, f"{100 * chance:.1f} %")
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        line = int(event.position().y()) // _LINE
        if 0 <= line < len(self._rows):
            self.class_chosen.emit(self._rows[line][0])
