"""What each sample has: the columns, their types and how their values are spread."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.data.base import ARRAY, CATEGORICAL, IMAGE, NUMERIC, TEXT, Column, DataSpec, Findings
from studio.ui import theme
from studio.ui.widgets.plain_text import plain_tooltip

_Index = QModelIndex | QPersistentModelIndex
_COLUMN, _ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_BARS = QSize(76, 26)  # pixels of a histogram
_MOST_BARS = 24
_PADDING = 5
_NOTHING = QModelIndex()
_LONGEST = 300  # characters in a tooltip of one bar's name and the like


def columns_of(findings: Findings) -> tuple[Column, ...]:
    """The columns that were found; where none were told, what the network gets and has to answer."""
    return findings.columns or (*_inputs(findings.spec), _target(findings.spec))


def _inputs(spec: DataSpec) -> tuple[Column, ...]:
    if spec.features:
        return tuple(Column(name, NUMERIC) for name in spec.features)
    columns = []
    for number, tensor in enumerate(spec.inputs):
        tokens = bool(spec.tokens) and spec.tokens[number] > 0
        kind = TEXT if tokens else IMAGE if tensor.axes == "CHW" else ARRAY
        name = "input" if len(spec.inputs) == 1 else f"input {number + 1}"
        columns.append(Column(name, kind, summary=str(tensor)))
    return tuple(columns)


def _target(spec: DataSpec) -> Column:
    target = spec.target
    if target.is_input:
        return Column("target", ARRAY, summary="the input itself")
    if target.task == "regression":
        return Column("target", NUMERIC, summary=", ".join(target.names[:5]))
    count = f"{target.size:,} classes" if target.size else "classes"
    return Column("target", CATEGORICAL, summary=f"{count} at each place" if target.dims else count)


def row_height(metrics: QFontMetrics) -> int:
    """Of a column, in pixels."""
    return 2 * metrics.height() + 2 * _PADDING


class ColumnsView(QListView):
    """A row for each column: name, type, values that are missing, and bars of how the others are spread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("columnsView")
        self.setAccessibleName("Columns")
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setModel(_ColumnModel(self))
        self.setItemDelegate(_ColumnRow(self))

    def height_of(self, rows: int) -> int:
        """How high so many columns are, in pixels."""
        return rows * row_height(self.fontMetrics())

    def show_columns(self, columns: tuple[Column, ...], targets: tuple[str, ...]) -> None:
        """Show these columns; `targets` are those that are to be predicted."""
        model = self.model()
        assert isinstance(model, _ColumnModel)
        model.show_columns(columns, targets)


class _ColumnModel(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._columns: tuple[Column, ...] = ()
        self._targets: frozenset[str] = frozenset()

    def show_columns(self, columns: tuple[Column, ...], targets: tuple[str, ...]) -> None:
        if (columns, frozenset(targets)) != (self._columns, self._targets):
            self.beginResetModel()
            self._columns, self._targets = columns, frozenset(targets)
            self.endResetModel()

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = self._columns[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.name
            case _ if role == _COLUMN:
                return column
            case _ if role == _ROLE:
                return self._role(column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tooltip("\n".join(self._lines(column)))
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(self._lines(column))
        return None

    def _role(self, column: Column) -> str:
        if column.name in self._targets:
            return "target" if column.name != "target" else ""
        return "" if column.used else "not used"

    def _lines(self, column: Column) -> list[str]:
        bars = [f"{name[:_LONGEST]}: {count:,}" for name, count in column.histogram[:_MOST_BARS]]
        facts = [f"{column.missing:,} missing" if column.missing else "",
                 f"{column.distinct:,} different values" if column.distinct else ""]  # fmt: skip
        role = f"{self._role(column)}, because {column.why_unused}" if column.why_unused else self._role(column)
        lines = [column.name[:_LONGEST], column.type, role, column.summary[:_LONGEST], *facts, *bars]
        return [line for line in lines if line]


class _ColumnRow(QStyledItemDelegate):
    """Paints a column in two lines with its bars at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, row_height(option.fontMetrics))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        column: Column = index.data(_COLUMN)
        colors = theme.current()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.fillRect(option.rect, option.palette.highlight())
        strong = option.palette.highlightedText().color() if selected else colors.node_text
        muted = strong if selected else colors.node_muted
        place = option.rect.adjusted(6, _PADDING, -8, -_PADDING)
        if column.histogram:
            bars = QRect(place.right() - _BARS.width(), place.center().y() - _BARS.height() // 2, *_BARS.toTuple())
            _paint_bars(painter, bars, column, strong if selected else colors.accent)
            place.setRight(bars.left() - 8)
        upper = QRect(place.left(), place.top(), place.width(), option.fontMetrics.height())
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        role = index.data(_ROLE)
        width = _draw(painter, upper, column.name, bold, muted if not column.used else strong)
        mark = colors.accent if role == "target" and not selected else muted
        _draw(painter, upper.adjusted(width + 6, 0, 0, 0), role, option.font, mark)
        lower, x = upper.translated(0, upper.height()), 0
        missing = f"{column.missing:,} missing" if column.missing else ""
        for text, color in (
            (column.type, muted),
            (missing, strong if selected else colors.warning),
            (f"because {column.why_unused}" if column.why_unused else column.summary, muted),
        ):
            if text:
                x += _draw(painter, lower.adjusted(x, 0, 0, 0), text, option.font, color) + 8
        painter.restore()


def _draw(painter: QPainter, place: QRect, text: str, font: QFont, color: Any) -> int:
    """Draw a text, cut to the room there is; its width in pixels."""
    painter.setFont(font)
    painter.setPen(color)
    metrics = painter.fontMetrics()
    cut = metrics.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, max(0, place.width()))
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
    return metrics.horizontalAdvance(cut)


def _paint_bars(painter: QPainter, place: QRect, column: Column, color: Any) -> None:
    bars = column.histogram[:_MOST_BARS]
    most = max((count for _, count in bars), default=0) or 1
    width = min(place.width() / len(bars), 14.0)
    left = place.right() + 1 - width * len(bars)
    for number, (_, count) in enumerate(bars):
        height = max(1.0 if count else 0.0, place.height() * count / most)
        painter.fillRect(QRectF(left + number * width, place.bottom() + 1 - height, max(width - 1, 1), height), color)
