"""Names beside the markers they stand for, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme

SQUARE, DISC, DIAMOND = "square", "disc", "diamond"

_MARKER = 10  # pixels
_GAP = 6  # between a marker and its name
_BETWEEN = 14  # two entries
_WIDEST = 200  # a name; longer ones end in dots


@dataclass(frozen=True)
class Entry:
    """A line of the legend.

    Args:
        marker: SQUARE, DISC or DIAMOND.
        color: gives the marker's colour in the theme in use.
        text: free text.
    """

    marker: str
    color: Callable[[theme.Theme], QColor]
    text: str


class Legend(QWidget):
    """Entries from left to right, and on in the next row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_entries(self, entries: tuple[Entry, ...]) -> None:
        """Show other entries."""
        self._entries = entries
        texts = ", ".join(entry.text for entry in entries)
        self.setAccessibleName(f"Legend: {texts}")
        self.updateGeometry()
        self.update()

    def _text(self, entry: Entry) -> str:
        return self.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, _WIDEST)

    def _places(self, width: int) -> list[QRect]:
        """Where each entry goes, in a legend that is so wide."""
        metrics, places, x, y = self.fontMetrics(), [], 0, 0
        for entry in self._entries:
            wide = _MARKER + _GAP + metrics.horizontalAdvance(self._text(entry))
            if x and x + wide > width:
                x, y = 0, y + metrics.lineSpacing() + 2
            places.append(QRect(x, y, wide, metrics.height()))
            x += wide + _BETWEEN
        return places

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        return places[-1].bottom() + 1 if places else 0

    def sizeHint(self) -> QSize:
        width = max(240, self.width())
        return QSize(width, self.heightForWidth(width))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        for entry, place in zip(self._entries, self._places(self.width()), strict=True):
            painter.setPen(QPen(colors.plot, 1))
            painter.setBrush(entry.color(colors))
            _paint_marker(painter, entry.marker, QPointF(place.left() + _MARKER / 2, place.center().y() + 1))
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(place.adjusted(_MARKER + _GAP, 0, 1, 0), Qt.AlignmentFlag.AlignVCenter, self._text(entry))
        painter.end()


def _paint_marker(painter: QPainter, marker: str, middle: QPointF) -> None:
    half = _MARKER / 2
    if marker == SQUARE:
        painter.drawRect(round(middle.x() - half), round(middle.y() - half), _MARKER, _MARKER)
    elif marker == DISC:
        painter.drawEllipse(middle, half - 1, half - 1)
    else:
        corners = [(0, -half), (half, 0), (0, half), (-half, 0)]
        painter.drawPolygon(QPolygonF([middle + QPointF(x, y) for x, y in corners]))
