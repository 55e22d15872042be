"""Samples of cells as a table, a row each."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

_WIDEST = 220  # pixels of a column, unless the person makes it wider
_MOST_FITTED = 50  # columns
ROWS_LOOKED_AT = 3  # for the widths of the columns


class SampleTable(QTableView):
    """Rows of one height; what is in view is asked for by `view_changed`."""

    opened = Signal(QModelIndex)  # Enter was pressed on a row, or it was double-clicked
    view_changed = Signal()  # other rows may be in view

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("sampleTable")
        self.setAccessibleName("Samples")
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.verticalHeader().setMinimumSectionSize(self.fontMetrics().height() + 8)
        self.verticalScrollBar().valueChanged.connect(self.view_changed)
        self.doubleClicked.connect(self.opened)

    def visible_rows(self) -> range:
        """The rows that are in view, also in part."""
        height = self.verticalHeader().defaultSectionSize()
        first = self.verticalScrollBar().value()
        count = self.model().rowCount()
        return range(min(first, count), min(first + self.viewport().height() // height + 2, count))

    def fit_columns(self) -> None:
        """Columns as wide as their names and first values, within bounds."""
        metrics, model = self.fontMetrics(), self.model()
        for column in range(min(model.columnCount(), _MOST_FITTED)):
            texts = [str(model.headerData(column, Qt.Orientation.Horizontal) or "")]
            texts += [str(model.data(model.index(row, column))) for row in range(min(ROWS_LOOKED_AT, model.rowCount()))]
            wanted = max(metrics.horizontalAdvance(text) for text in texts) + 24
            self.setColumnWidth(column, max(self.columnWidth(column), min(_WIDEST, wanted)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view_changed.emit()
