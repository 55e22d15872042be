"""Samples side by side in rows that scroll: only what is in view is painted, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem, QWidget

_Action: TypeAlias = QAbstractItemView.CursorAction
_Hint: TypeAlias = QAbstractItemView.ScrollHint
_MOST = 2**31 - 1  # of a scroll bar
_MARGIN = 6  # pixels around all


def ranges_of(selection: QItemSelection) -> list[QItemSelectionRange]:
    """The ranges of a selection: few, where its indexes may be many. PySide's stubs do not know that it is a list."""
    return list(cast("Sequence[QItemSelectionRange]", selection))


class GridView(QAbstractItemView):
    """Cells of one size, in as many columns as there is room for. Keys, selection and scrolling as in any list of Qt.

    QListView in icon mode places each of its items: fifty thousand take it half a second at every change of size.
    """

    opened = Signal(QModelIndex)  # Enter was pressed on a cell, or it was double-clicked
    view_changed = Signal()  # other cells may be in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cell = QSize(100, 100)
        self._whole_width = False
        self._top = 0  # the first row in view, as the person scrolled there
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # no jump of the columns when it comes
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.verticalScrollBar().valueChanged.connect(self._note_scrolled)

    def set_cell(self, size: QSize, *, whole_width: bool = False) -> None:
        """Show cells of this size in pixels; with `whole_width` one in a row, as wide as there is room."""
        top, self._cell, self._whole_width = self._top, size, whole_width
        self.updateGeometries()
        self._scroll_to_top(top)
        self.viewport().update()

    def _note_scrolled(self) -> None:
        self._top = self.first_row()
        self.view_changed.emit()

    def _scroll_to_top(self, row: int) -> None:
        """What was at the top stays there when lines get other lengths or heights."""
        if row != self.first_row():
            self.verticalScrollBar().setValue(self._height_above(row))
        self._top = row

    def _height_above(self, row: int) -> int:
        return min(_MARGIN + row // self.columns * self._cell.height(), _MOST)

    @property
    def columns(self) -> int:
        """How many cells are side by side."""
        if self._whole_width:
            return 1
        return max(1, (self.viewport().width() - 2 * _MARGIN) // self._cell.width())

    def first_row(self) -> int:
        """The first row of the model of which a part is in view."""
        line = max(0, self.verticalOffset() - _MARGIN) // self._cell.height()
        return min(line * self.columns, max(0, self._count() - 1))

    def visible_rows(self) -> range:
        """The rows of the model that are in view, also in part."""
        lines = self.viewport().height() // self._cell.height() + 2
        first = self.first_row()
        return range(first, min(first + lines * self.columns, self._count()))

    def _count(self) -> int:
        model = self.model()
        return model.rowCount() if model is not None else 0

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        if model is not None:
            model.modelReset.connect(self._start_over)

    def _start_over(self) -> None:
        self._top = 0
        self.verticalScrollBar().setValue(0)
        self.updateGeometries()

    def updateGeometries(self) -> None:
        super().updateGeometries()
        lines = -(-self._count() // self.columns)
        height = min(lines * self._cell.height() + 2 * _MARGIN, _MOST)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - self.viewport().height()))
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(max(1, self._cell.height() // 3))
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        top = self._top
        super().resizeEvent(event)
        self.updateGeometries()
        self._scroll_to_top(top)

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().scroll(dx, dy)

    def isIndexHidden(self, index: QModelIndex) -> bool:  # type: ignore[override]
        return False

    def visualRect(self, index: QModelIndex | QPersistentModelIndex) -> QRect:
        return self._place(index.row()) if index.isValid() else QRect()

    def _place(self, row: int) -> QRect:
        line, column = divmod(row, self.columns)
        room, columns = self.viewport().width() - 2 * _MARGIN, self.columns
        left, right = (_MARGIN + max(room, self._cell.width()) * n // columns for n in (column, column + 1))
        return QRect(
            left, _MARGIN + line * self._cell.height() - self.verticalOffset(), right - left, self._cell.height()
        )

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self._nearest(point)
        if row is None or not self._place(row).contains(point):
            return QModelIndex()
        return self.model().index(row, 0)

    def _nearest(self, point: QPoint) -> int | None:
        """The row of the cell at a point, or of the nearest one; None if there is none."""
        if not self._count():
            return None
        room = max(self.viewport().width() - 2 * _MARGIN, self._cell.width())
        column = (point.x() - _MARGIN) * self.columns // room
        line = (point.y() - _MARGIN + self.verticalOffset()) // self._cell.height()
        row = max(0, line) * self.columns + max(0, min(column, self.columns - 1))
        return min(row, self._count() - 1)

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: _Hint = _Hint.EnsureVisible,
    ) -> None:
        place, bar = self.visualRect(index), self.verticalScrollBar()
        if place.top() < 0:
            bar.setValue(bar.value() + place.top() - _MARGIN)
        elif place.bottom() > self.viewport().height():
            bar.setValue(bar.value() + place.bottom() - self.viewport().height() + _MARGIN)

    def moveCursor(self, action: _Action, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        if not self._count():
            return QModelIndex()
        row, last = max(0, self.currentIndex().row()), self._count() - 1
        page = max(1, self.viewport().height() // self._cell.height()) * self.columns
        steps = {
            _Action.MoveLeft: -1, _Action.MovePrevious: -1, _Action.MoveRight: 1, _Action.MoveNext: 1,
            _Action.MoveUp: -self.columns, _Action.MoveDown: self.columns,
            _Action.MovePageUp: -page, _Action.MovePageDown: page,
            _Action.MoveHome: -row, _Action.MoveEnd: last - row,
        }  # fmt: skip
        step = steps.get(action, 0) if self.currentIndex().isValid() else 0
        if abs(step) == self.columns and not 0 <= row + step <= last:
            step = 0  # up from the first line, or down from the last: stay in the column
        return self.model().index(max(0, min(row + step, last)), 0)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """From the cell at one corner to that at the other, in the order one reads."""
        ends = [self._nearest(corner) for corner in (rect.topLeft(), rect.bottomRight())]
        selection = QItemSelection()
        if ends[0] is not None and ends[1] is not None:
            first, last = sorted((ends[0], ends[1]))
            selection.select(self.model().index(first, 0), self.model().index(last, 0))
        self.selectionModel().select(selection, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """What has to be painted again; of large selections simply all."""
        seen, region = self.visible_rows(), QRegion()
        for part in ranges_of(selection):
            for row in range(max(part.top(), seen.start), min(part.bottom() + 1, seen.stop)):
                region = region.united(self._place(row))
        return region

    def dataChanged(self, top_left: QModelIndex, bottom_right: QModelIndex, roles: list[int] | None = None) -> None:  # type: ignore[override]
        seen = self.visible_rows()
        for row in range(max(top_left.row(), seen.start), min(bottom_right.row() + 1, seen.stop)):
            self.viewport().update(self._place(row))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            self._paint(painter, event.region())
        finally:
            painter.end()

    def _paint(self, painter: QPainter, exposed: QRegion) -> None:
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        chosen, current, focused = self.selectionModel(), self.currentIndex(), self.hasFocus()
        usual = option.state & ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus)
        for row in self.visible_rows():
            place = self._place(row)
            if not exposed.intersects(place):
                continue
            index = self.model().index(row, 0)
            option.rect, option.state = place, usual
            if chosen.isSelected(index):
                option.state |= QStyle.StateFlag.State_Selected
            if focused and index == current:
                option.state |= QStyle.StateFlag.State_HasFocus
            self.itemDelegate().paint(painter, option, index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(index)
