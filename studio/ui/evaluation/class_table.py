"""How well each class, label or number is told, sorted as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

if TYPE_CHECKING:
    from studio.evaluation.report import Report

_Index = QModelIndex | QPersistentModelIndex
_NOTHING = QModelIndex()
_SORT = Qt.ItemDataRole.UserRole
Row = tuple[str | float | int, ...]


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.heads: tuple[str, ...] = ()
        self.rows: list[Row] = []

    def show_rows(self, heads: tuple[str, ...], rows: list[Row]) -> None:
        self.beginResetModel()
        self.heads, self.rows = heads, rows
        self.endResetModel()

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.heads[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        value = self.rows[index.row()][index.column()]
        if role == _SORT:
            return value
        if role == Qt.ItemDataRole.DisplayRole:
            if isinstance(value, float):
                return f"{value:.4g}" if abs(value) >= 10 else f"{value:.3f}"
            return f"{value:,}" if isinstance(value, int) else value
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


class ClassTable(QTableView):
    """One row for each class; a click on a column's head sorts by it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classTable")
        self.setAccessibleName("Each class")
        self.table = _Model(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.table)
        self._sorted.setSortRole(_SORT)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)

    def show_report(self, report: Report) -> None:
        """Show what the report tells of each class or number, as it comes there."""
        self.table.show_rows(*_rows(report))
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(52)


def _rows(report: Report) -> tuple[tuple[str, ...], list[Row]]:
    if report.numbers:
        return ("Number", "MAE", "RMSE", "R²", "Bias"), [
            (number.name, number.mae, number.rmse, number.r2, number.bias) for number in report.numbers
        ]
    heads: tuple[str, ...] = ("Class", "Precision", "Recall", "F1", "Support")
    rows: list[Row] = [(c.name, c.precision, c.recall, c.f1, c.support) for c in report.classes]
    if report.overlaps:
        heads = (*heads[:4], "IoU", "Dice", "Support")
        rows = [(*row[:4], *pair, row[4]) for row, pair in zip(rows, report.overlaps, strict=True)]
    return heads, rows
