"""Rows of two lines: what it is, and below, muted, what is known of it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.compile.analysis import ERROR, HINT
from studio.ui import theme

_Index = QModelIndex | QPersistentModelIndex
TITLE, NAME, DETAIL, SEVERITY, COLOR = range(Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 5)  # roles

_DOT = 8  # pixels
_BADGE = 13
_PADDING = 4
_TEXT_AT = 18  # pixels from the row's left edge


class TwoLines(QStyledItemDelegate):
    """Paints the texts of the roles TITLE, NAME and DETAIL; a mark in the colour of the group of blocks COLOR."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(80, 2 * option.fontMetrics.height() + 2 * _PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        self.initStyleOption(option, index)
        style = option.widget.style() if option.widget is not None else QApplication.style()
        option.text = ""
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        painter.save()
        painter.setClipRect(option.rect)
        self._paint_mark(painter, option, index)
        self._paint_texts(painter, option, index)
        painter.restore()

    def _paint_mark(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        group = index.data(COLOR)
        if group:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().group_color(group))
            top = option.rect.top() + _PADDING + (option.fontMetrics.height() - _DOT) / 2
            painter.drawRoundedRect(option.rect.left() + 4, round(top), _DOT, _DOT, 2, 2)

    def _paint_texts(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        colors, severity = theme.current(), index.data(SEVERITY)
        warned = bool(severity) and severity != HINT
        upper, lower = _lines(option.rect, option.fontMetrics)
        if warned:
            _paint_badge(painter, upper, colors.error if severity == ERROR else colors.warning)
            upper.setRight(upper.right() - _BADGE - 4)
        strong, muted, wrong = _text_colors(option)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        used = _draw(painter, upper, str(index.data(TITLE)), bold, strong)
        name = QRect(upper.left() + used + 6, upper.top(), upper.width() - used - 6, upper.height())
        _draw(painter, name, str(index.data(NAME)), option.font, muted)
        _draw(painter, lower, str(index.data(DETAIL)), option.font, wrong if severity == ERROR else muted)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setObjectName("name_in_row")
        editor.setAccessibleName(f"Name of {index.data(TITLE)} {index.data(NAME)}")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        editor.setGeometry(option.rect.adjusted(_TEXT_AT - 4, 2, -2, -2))


def _lines(rect: QRect, metrics: QFontMetrics) -> tuple[QRect, QRect]:
    upper = QRect(rect.left() + _TEXT_AT, rect.top() + _PADDING, rect.width() - _TEXT_AT - 4, metrics.height())
    return upper, upper.translated(0, metrics.height())


def _text_colors(option: QStyleOptionViewItem) -> tuple[QColor, QColor, QColor]:
    """Of the title, of what is muted, and of an error."""
    colors = theme.current()
    if option.state & QStyle.StateFlag.State_Selected:
        text = option.palette.color(QPalette.ColorRole.HighlightedText)
        return text, text, text
    if not option.state & QStyle.StateFlag.State_Enabled:
        return colors.node_muted, colors.node_muted, colors.node_muted
    return colors.node_text, colors.node_muted, colors.error


def _draw(painter: QPainter, rect: QRect, text: str, font: QFont, color: QColor) -> int:
    """Draw a text, cut to the room there is; its width in pixels."""
    painter.setFont(font)
    painter.setPen(color)
    metrics = painter.fontMetrics()
    cut = metrics.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, max(0, rect.width()))
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
    return metrics.horizontalAdvance(cut)


def _paint_badge(painter: QPainter, line: QRect, color: QColor) -> None:
    center = QPointF(line.right() - _BADGE / 2, line.center().y() + 0.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(center, _BADGE / 2, _BADGE / 2)
    painter.setPen(theme.current().canvas)
    font = painter.font()
    font.setPixelSize(_BADGE - 3)
    font.setBold(True)
    painter.setFont(font)
    box = QRect(round(center.x() - _BADGE / 2), round(center.y() - _BADGE / 2), _BADGE, _BADGE)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "!")
