"""The table of all blocks: shapes and costs, sorted as one likes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.compile.analysis import Analysis
from studio.compile.table import COLUMNS, Row, table_rows, totals, write_csv
from studio.storage import StorageError
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document
from studio.ui.prompts import Prompts
from studio.ui.widgets.plain_text import PlainLabel
from studio.ui.wording import size

_Index = QModelIndex | QPersistentModelIndex
_FIRST_NUMBER, _MEMORY = 4, 6  # columns
SORT_ROLE = Qt.ItemDataRole.UserRole
PATH_ROLE = Qt.ItemDataRole.UserRole + 1


class AnalysisModel(QAbstractTableModel):
    """One row for each block; those in groups below theirs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own default)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].removesuffix(" (bytes)")
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        cell = row.cells[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            if isinstance(cell, int):
                return (size(cell) if index.column() == _MEMORY else f"{cell:,}") if cell else "–"
            return cell
        if role == SORT_ROLE:
            return index.row() if index.column() == 0 else cell
        if role == PATH_ROLE:
            return row.path
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= _FIRST_NUMBER:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


class AnalysisTable(QDialog):
    """Follows the analysis of the open graph. A click on a row shows the block."""

    node_chosen = Signal(str)  # path of a block

    def __init__(self, document: Document, analyzer: Analyzer, prompts: Prompts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysisTable")
        self.setWindowTitle("Analysis of the network")
        self._document = document
        self._prompts = prompts
        self._analysis: Analysis | None = None
        self.model = AnalysisModel(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.table = self._make_table()
        self.total = PlainLabel("The figures come as soon as PyTorch has started.", self)
        self.total.setObjectName("analysisTotal")
        self._make_layout()
        self.resize(900, 560)
        analyzer.analyzed.connect(self.show_analysis)
        if analyzer.analysis is not None:
            self.show_analysis(analyzer.analysis)

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("analysisRows")
        table.setAccessibleName("Blocks with their shapes and costs")
        table.setModel(self.sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.setAlternatingRowColors(True)
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.clicked.connect(self._choose)
        table.activated.connect(self._choose)
        return table

    def _make_layout(self) -> None:
        bold = QFont(self.total.font())
        bold.setBold(True)
        self.total.setFont(bold)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.export_button = buttons.addButton("Save as CSV…", QDialogButtonBox.ButtonRole.ActionRole)
        self.export_button.setObjectName("saveCsvButton")
        self.export_button.setEnabled(False)
        self.export_button.clicked.connect(self._export)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.table, self.total, buttons):
            layout.addWidget(widget)

    @Slot(object)
    def show_analysis(self, analysis: Analysis) -> None:
        """Show the figures of an analysis; what is chosen stays chosen."""
        chosen = self.table.currentIndex().data(PATH_ROLE)
        self._analysis = analysis
        rows = list(table_rows(self._document.graph, analysis))
        self.model.show_rows(rows)
        for number, row in enumerate(rows):
            if row.path == chosen:
                self.table.setCurrentIndex(self.sorted.mapFromSource(self.model.index(number, 0)))
        total = totals(rows)
        self.total.setText(
            f"{total.kind}, {total.parameters:,} parameters; for one sample {total.flops:,} operations "
            f"and {size(total.memory)} of intermediate results"
        )
        self.export_button.setEnabled(True)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        self.node_chosen.emit(index.data(PATH_ROLE))

    @Slot()
    def _export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", "analysis.csv", "Tables (*.csv)")
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> None:
        """Write the table to a file; tells why if that fails."""
        assert self._analysis is not None
        try:
            write_csv(path, self._document.graph, self._analysis)
        except StorageError as error:
            self._prompts.tell("The table was not saved.", str(error))
