"""The table of an import of weights: each tensor of the network, and which one of the file it gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from studio.ui import theme

if TYPE_CHECKING:
    from studio.importing.weights.matching import Match
    from studio.importing.weights.tensors import ForeignTensor

_Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Tensor of the network", "Size", "From the file", "Matched by")
FILE_COLUMN = 2
NONE = "none"
_FRESH = "stays fresh"


def dims_text(dims: tuple[int, ...]) -> str:
    """The size of a tensor for people."""
    return " × ".join(f"{size:,}" for size in dims) or "1"


class WeightsModel(QAbstractTableModel):
    """One row for each tensor of the network."""

    changed = Signal()  # another choice in a row

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.matches: tuple[Match, ...] = ()
        self.tensors: Sequence[ForeignTensor] = ()

    def show_matches(self, matches: tuple[Match, ...], tensors: Sequence[ForeignTensor]) -> None:
        """Show what belongs together.

        Args:
            tensors: all of the file.
        """
        self.beginResetModel()
        self.matches, self.tensors = matches, tensors
        self.endResetModel()

    def candidates(self, row: int) -> list[ForeignTensor]:
        """What the tensor of a row could get."""
        from studio.importing.weights.matching import fits  # loads torch, which is there by now

        return [tensor for tensor in self.tensors if fits(self.matches[row].own, tensor)]

    def choose(self, row: int, tensor: ForeignTensor | None) -> None:
        """Give the tensor of a row another one of the file, or none."""
        from studio.importing.weights.matching import chosen

        if tensor == self.matches[row].foreign:
            return
        self.matches = chosen(self.matches, self.matches[row].own.name, tensor)
        self.dataChanged.emit(self.index(0, 0), self.index(len(self.matches) - 1, len(COLUMNS) - 1))
        self.changed.emit()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own default)
        return 0 if parent.isValid() else len(self.matches)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        editable = Qt.ItemFlag.ItemIsEditable if index.column() == FILE_COLUMN else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        match = self.matches[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            name = match.foreign.name if match.foreign is not None else NONE
            return (match.own.name, dims_text(match.own.dims), name, match.how or _FRESH)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and match.foreign is None and index.column() >= FILE_COLUMN:
            return theme.current().node_muted
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == FILE_COLUMN:
            return "Double-click or press F2 to choose another tensor of this size."
        return None


class TensorChooser(QStyledItemDelegate):
    """Edits a row by a list of the tensors that have its size."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        model = index.model()
        assert isinstance(model, WeightsModel)
        box = QComboBox(parent)
        box.setObjectName("weightsChoice")
        box.setAccessibleName(f"Tensor for {model.matches[index.row()].own.name}")
        box.addItem(f"{NONE}: {_FRESH}")
        for tensor in model.candidates(index.row()):
            box.addItem(tensor.name, tensor)
        box.activated.connect(lambda _: self._finish(box))
        return box

    def _finish(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        assert isinstance(editor, QComboBox)
        editor.setCurrentIndex(max(0, editor.findText(str(index.data()))))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        assert isinstance(editor, QComboBox)
        assert isinstance(model, WeightsModel)
        model.choose(index.row(), editor.currentData())


def make_table(model: WeightsModel, parent: QWidget) -> QTableView:
    """The table of a model."""
    table = QTableView(parent)
    table.setObjectName("weightsTable")
    table.setAccessibleName("Tensors of the network, and what they get from the file")
    table.setModel(model)
    table.setItemDelegateForColumn(FILE_COLUMN, TensorChooser(table))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    triggers = QAbstractItemView.EditTrigger
    table.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed | triggers.SelectedClicked)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setAlternatingRowColors(True)
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setResizeContentsPrecision(50)  # rows that are measured: there may be thousands
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setStretchLastSection(True)
    return table
