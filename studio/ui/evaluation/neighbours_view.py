"""The samples nearest to the chosen one, side by side; those of another class are framed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyleOptionViewItem

from studio.ui import theme
from studio.ui.evaluation.exploring import Near
from studio.ui.gallery.sample_cell import SampleCell
from studio.ui.gallery.sample_model import CLASS, EXCLUDED, SAMPLE, THUMB
from studio.ui.gallery.thumbs import Shelf
from studio.ui.widgets.plain_text import plain_tooltip

_Index = QModelIndex | QPersistentModelIndex
_NOTHING = QModelIndex()
DISTANCE, DISAGREES = Qt.ItemDataRole.UserRole + 30, Qt.ItemDataRole.UserRole + 31  # roles
_INSET = 8  # pixels left of the line, as the caption has


class NeighboursModel(QAbstractListModel):
    """One row for each neighbour, the nearest first."""

    def __init__(self, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._names: tuple[str, ...] = ()
        self.near: Near | None = None

    def show_near(self, near: Near | None, names: tuple[str, ...]) -> None:
        """Show the neighbours of another sample; `names` are the classes."""
        self.beginResetModel()
        self.near, self._names = near, names
        self.endResetModel()

    def announce(self) -> None:
        """Some have a thumbnail now."""
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 0))

    def samples(self) -> tuple[int, ...]:
        """Their numbers in the dataset."""
        return tuple(neighbour.row for neighbour in self.near.neighbours) if self.near is not None else ()

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() or self.near is None else len(self.near.neighbours)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self.near is None:
            return None
        found = self.near.neighbours[index.row()]
        disagrees = found.label != self.near.label
        match role:
            case _ if role == SAMPLE:
                return found.row
            case _ if role == THUMB:
                return self._shelf.get(found.row)
            case _ if role == CLASS:
                return found.label
            case _ if role == EXCLUDED:
                return False
            case _ if role == DISTANCE:
                return found.distance
            case _ if role == DISAGREES:
                return disagrees
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tooltip(self._words(index.row()))
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.DisplayRole:
                return self._words(index.row())
        return None

    def _words(self, row: int) -> str:
        assert self.near is not None
        found = self.near.neighbours[row]
        label = self._names[found.label] if found.label is not None and found.label < len(self._names) else ""
        other = "another class" if found.label != self.near.label else ""
        parts = (f"Sample {found.row + 1:,}", label, f"distance {found.distance:.3g}", other)
        return ", ".join(part for part in parts if part)


class NeighbourCell(SampleCell):
    """A cell of the gallery, one line higher: the distance; framed where the class is another one."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        whole, line = QRect(option.rect), option.fontMetrics.height()
        upper = QStyleOptionViewItem(option)
        upper.rect = whole.adjusted(0, 0, 0, -line - 2)
        super().paint(painter, upper, index)
        colors = theme.current()
        painter.save()
        painter.setPen(colors.node_muted)
        room = QRect(whole.left() + _INSET, whole.bottom() - line - 2, whole.width() - _INSET - 4, line)
        painter.drawText(
            room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{index.data(DISTANCE):.3g}"
        )
        if index.data(DISAGREES):
            painter.setPen(QPen(colors.error, 2))
            painter.drawRect(whole.adjusted(3, 3, -4, -3))
        painter.restore()
