"""A row for each block that learns: how large its gradient and its steps are, and how much of it is idle."""

from __future__ import annotations

import math

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from studio.training.events import BlockHealth, Health
from studio.ui import theme
from studio.ui.widgets.plain_text import plain_tooltip

_Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Block", "Gradient", "Step", "Idle")
_HELP = (
    "A block of the network; a click shows it on the canvas.",
    "Norm of the gradient in the step that was looked at last.",
    "How much of its weights that step changed. Usual is 0.01 % to 1 %.",
    "Units of a ReLU that are dead, or numbers of a sigmoid or tanh at its bounds.",
)
BAR_ROLE, BAD_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
NODE_ROLE = Qt.ItemDataRole.UserRole + 2
_DECADES = 6.0  # that a bar of a gradient spans
_MOST_IDLE = 0.75


class HealthModel(QAbstractTableModel):
    """The blocks of the latest look."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.blocks: tuple[BlockHealth, ...] = ()
        self._largest = 0.0

    def show_health(self, health: Health | None) -> None:
        """Show another look; None for nothing."""
        blocks = health.blocks if health is not None else ()
        same = [block.key for block in blocks] == [block.key for block in self.blocks]
        if not same:
            self.beginResetModel()
        self.blocks = blocks
        self._largest = max((b.gradient for b in blocks if math.isfinite(b.gradient)), default=0.0)
        if not same:
            self.endResetModel()
        elif blocks:
            self.dataChanged.emit(self.index(0, 0), self.index(len(blocks) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own default)
        return 0 if parent.isValid() else len(self.blocks)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(_HELP[section])
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        block, column = self.blocks[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (block.name, _short(block.gradient), _percent(block.update), _percent(idle(block)))[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(described(block))
        if role == NODE_ROLE:
            return block.node
        if role == BAR_ROLE:
            return (0.0, self._gradient_bar(block), _update_bar(block), _nothing(idle(block)))[column]
        if role == BAD_ROLE:
            return (bool(block.broken), bool(block.broken), _is_odd(block), _nothing(idle(block)) > _MOST_IDLE)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _gradient_bar(self, block: BlockHealth) -> float:
        """The share of the bar: full for the largest gradient, a sixth less for each power of ten below."""
        if not block.gradient > 0 or not self._largest:
            return 0.0
        return max(0.0, 1.0 + math.log10(min(block.gradient, self._largest) / self._largest) / _DECADES)


def idle(block: BlockHealth) -> float:
    """The share of dead units, or of saturated numbers; NaN if it can have neither."""
    return block.saturated if math.isnan(block.dead) else block.dead


def described(block: BlockHealth) -> str:
    """All figures of a block, a line for each."""
    lines = [
        f"{block.name}",
        f"Weights {_short(block.weight)}, gradient {_short(block.gradient)}, a step changes {_percent(block.update)}",
        f"Gives numbers around {_short(block.mean)}, spread {_short(block.std)}",
        f"Dead units {_percent(block.dead)}" if not math.isnan(block.dead) else "",
        f"At its bounds {_percent(block.saturated)}" if not math.isnan(block.saturated) else "",
        f"Infinite or no numbers: {block.broken}" if block.broken else "",
    ]
    return "\n".join(line for line in lines if line)


def _update_bar(block: BlockHealth) -> float:
    """From a step of a millionth to one of the whole."""
    return min(1.0, max(0.0, 1.0 + math.log10(block.update) / _DECADES)) if block.update > 0 else 0.0


def _is_odd(block: BlockHealth) -> bool:
    return block.update > 0.1 or 0 <= block.update < 1e-6


def _nothing(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _short(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.1e}" if 0 < abs(value) < 1e-3 or abs(value) >= 1e4 else f"{value:.2g}"


def _percent(value: float) -> str:
    if math.isnan(value):
        return ""
    return (
        f"{100 * value:.0e} %"
        if 0 < value < 1e-5
        else f"{100 * value:.2g} %"
        if value < 0.995
        else f"{100 * value:.0f} %"
    )


class _Bars(QStyledItemDelegate):
    """Draws a bar below the text of a cell."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        super().paint(painter, option, index)
        share = index.data(BAR_ROLE)
        if not share:
            return
        colors, rect = theme.current(), QRectF(option.rect)
        color = QColor(colors.warning if index.data(BAD_ROLE) else colors.accent)
        color.setAlpha(170)
        width = max(2.0, share * (rect.width() - 6))
        painter.fillRect(QRectF(rect.right() - 3 - width, rect.bottom() - 4, width, 3), color)


class HealthTable(QTableView):
    """Follows the looks at a run."""

    node_chosen = Signal(str)  # path of a block

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("healthTable")
        self.setAccessibleName("Gradients, steps and idle units of every block")
        self.rows = HealthModel(self)
        self.setModel(self.rows)
        self.setItemDelegate(_Bars(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, sample in ((1, "0.0e-00 "), (2, "0e-00 % "), (3, "100 % ")):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(sample) + 14)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    def _choose(self, index: QModelIndex) -> None:
        self.node_chosen.emit(index.data(NODE_ROLE))
