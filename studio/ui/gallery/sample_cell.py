"""Paints one sample in the gallery: picture, plot or text, with what is to be predicted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPolygonF, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.ui import theme
from studio.ui.gallery.drawing import name_color
from studio.ui.gallery.opened import PLOTS, TEXTS
from studio.ui.gallery.sample_model import CAPTION, CLASS, EXCLUDED, LATER, SAMPLE, THUMB
from studio.ui.gallery.thumbs import Thumb

_Index = QModelIndex | QPersistentModelIndex
_Inks = tuple[QColor, QColor]  # of text, and of what is muted

_GAP = 4  # pixels around a cell's content
_DOT = 8
_TEXT_LINES = 2
PLOT_RATIO = 0.5  # height of a plot by its width


def picture_size(layout: str, side: int) -> QSize:
    """How large pictures or plots are when the person wants them so wide, in pixels."""
    return QSize(2 * side, round(2 * side * PLOT_RATIO)) if layout == PLOTS else QSize(side, side)


def cell_size(layout: str, side: int, metrics: QFontMetrics) -> QSize:
    """How large a cell is, its caption included."""
    if layout == TEXTS:
        return QSize(200, (1 + _TEXT_LINES) * metrics.height() + 4 * _GAP)
    return picture_size(layout, side) + QSize(4 * _GAP, metrics.height() + 5 * _GAP)


class SampleCell(QStyledItemDelegate):
    """A picture or plot with its caption below it, or a caption with lines of text below it."""

    layout_kind = TEXTS  # one of LAYOUTS
    names: tuple[str, ...] = ()  # of the classes, for their colours

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        colors, thumb = theme.current(), index.data(THUMB)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        card = option.rect.adjusted(_GAP // 2, _GAP // 2, -_GAP // 2, -_GAP // 2)
        painter.save()
        excluded = bool(index.data(EXCLUDED))
        font = QFont(option.font)
        font.setStrikeOut(excluded and self.layout_kind == TEXTS)
        painter.setFont(font)
        painter.setClipRect(option.rect)
        _paint_card(painter, card, option, selected)
        inner = card.adjusted(_GAP + 2, _GAP, -_GAP - 2, -_GAP)
        text = option.palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        muted = text if selected else colors.node_muted
        if self.layout_kind == TEXTS:
            _paint_text_row(painter, inner, index, thumb, (text, muted), self.names)
        else:
            _paint_picture(painter, inner, index, thumb, text, muted)
        if excluded:
            _cross_out(painter, card, lines=self.layout_kind != TEXTS, veiled=not selected)
        if index.data(LATER):
            _flag(painter, card)
        painter.restore()


def _flag(painter: QPainter, card: QRect) -> None:
    """A corner in the colour of warnings: to be looked at later."""
    corner = card.topLeft()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.current().warning)
    painter.drawPolygon(QPolygonF([QPointF(corner.x() + x, corner.y() + y) for x, y in ((0, 0), (14, 0), (0, 14))]))


def _paint_card(painter: QPainter, card: QRect, option: QStyleOptionViewItem, selected: bool) -> None:
    focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
    if not selected and not focused:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.current().selection if focused else QColor(Qt.GlobalColor.transparent), 2))
    painter.setBrush(option.palette.color(QPalette.ColorRole.Highlight) if selected else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(card), 5, 5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_picture(
    painter: QPainter, inner: QRect, index: _Index, thumb: Thumb | None, text: QColor, muted: QColor
) -> None:
    colors, line = theme.current(), painter.fontMetrics().height()
    room = inner.adjusted(0, 0, 0, -line - _GAP)
    if thumb is None or thumb.image is None:
        painter.fillRect(room, colors.grid if not thumb else colors.canvas)
    else:
        size = thumb.image.deviceIndependentSize().toSize()
        place = QRect(room.center() - QRect(QPointF().toPoint(), size).center(), size)
        painter.drawImage(place.topLeft(), thumb.image)
    caption = QRect(inner.left(), inner.bottom() - line + 1, inner.width(), line)
    if thumb is None:
        return
    if thumb.problem:
        painter.setPen(colors.error)
        painter.drawText(room.adjusted(4, 2, -4, -2), _WRAPPED, thumb.problem)
    _paint_caption(painter, caption, index.data(CLASS), index.data(CAPTION) or thumb.answer or thumb.title, text)


_WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


def _paint_caption(painter: QPainter, place: QRect, label: int | None, text: str, color: QColor) -> int:
    """A dot in the colour of the class, and the text; how wide both are."""
    if label is not None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 1) if color == QColor(Qt.GlobalColor.white) else Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().class_color(label))
        painter.drawEllipse(QPointF(place.left() + _DOT / 2, place.center().y() + 1), _DOT / 2, _DOT / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        place = place.adjusted(_DOT + 5, 0, 0, 0)
    painter.setPen(color)
    metrics = painter.fontMetrics()
    # Of a path the end tells files apart.
    mode = Qt.TextElideMode.ElideLeft if "/" in text else Qt.TextElideMode.ElideRight
    cut = metrics.elidedText(text.replace("\n", " "), mode, max(0, place.width()))
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
    return metrics.horizontalAdvance(cut)


def _paint_text_row(
    painter: QPainter,
    inner: QRect,
    index: _Index,
    thumb: Thumb | None,
    inks: _Inks,
    names: tuple[str, ...],
) -> None:
    text, muted = inks
    line = painter.fontMetrics().height()
    head = QRect(inner.left(), inner.top(), inner.width(), line)
    number = f"{index.data(SAMPLE) + 1:,}"
    bold = QFont(painter.font())
    bold.setWeight(QFont.Weight.DemiBold)
    painter.setPen(muted)
    painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
    body = inner.adjusted(0, line + _GAP // 2, 0, 0)
    if thumb is None:
        painter.fillRect(body.adjusted(0, 3, -inner.width() // 3, -line - 3), theme.current().grid)
        return
    usual = painter.font()
    painter.setFont(bold)
    room = head.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(number) - 12, 0)
    title = index.data(CAPTION) or thumb.answer or (thumb.title if thumb.title != number else "")
    _paint_caption(painter, room, index.data(CLASS), title, text)
    painter.setFont(usual)
    painter.setPen(theme.current().error if thumb.problem else text)
    if thumb.tags and not thumb.problem:
        _paint_tags(painter, body, thumb.tags, inks, names)
    else:
        paint_lines(painter, body, thumb.problem or thumb.text, _TEXT_LINES)


def paint_lines(painter: QPainter, place: QRect, text: str, lines: int) -> None:
    """A text, wrapped to so many lines; the last ends in dots if there is more."""
    metrics, layout = painter.fontMetrics(), QTextLayout(text, painter.font())
    layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
    layout.beginLayout()
    for number in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(place.width())
        start, length = line.textStart(), line.textLength()
        rest = text[start:] if number == lines - 1 else text[start : start + length]
        cut = metrics.elidedText(rest.strip(), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place.left(), place.top() + number * metrics.height() + metrics.ascent(), cut)
    layout.endLayout()


def _paint_tags(
    painter: QPainter,
    place: QRect,
    tags: tuple[tuple[str, str], ...],
    inks: _Inks,
    names: tuple[str, ...],
) -> None:
    """Words from left to right, those that are marked underlined in the colour of their mark, its name below."""
    (text, muted), colors, metrics = inks, theme.current(), painter.fontMetrics()
    small = QFont(painter.font())
    small.setPointSizeF(max(6.0, 0.8 * small.pointSizeF()))
    usual, x = painter.font(), place.left()
    for word, tag in tags:
        marked = tag not in ("", "O")
        name = tag.rpartition("-")[2] if marked else ""
        width = max(metrics.horizontalAdvance(word), QFontMetrics(small).horizontalAdvance(name) if marked else 0)
        if x + width > place.right():
            painter.setPen(muted)
            painter.drawText(x, place.top() + metrics.ascent(), "…")
            break
        painter.setPen(text)
        painter.drawText(x, place.top() + metrics.ascent(), word)
        if marked:
            color = name_color(name, names, colors)
            painter.fillRect(QRect(x, place.top() + metrics.height(), width, 2), color)
            painter.setFont(small)
            painter.setPen(color if text != QColor(Qt.GlobalColor.white) else text)
            painter.drawText(x, place.top() + 2 * metrics.height(), name)
            painter.setFont(usual)
        x += width + metrics.horizontalAdvance("n")


def _cross_out(painter: QPainter, card: QRect, *, lines: bool, veiled: bool) -> None:
    """Faded, with two lines across; of texts the letters are struck through."""
    colors = theme.current()
    if veiled:
        veil = QColor(colors.node)
        veil.setAlpha(150)
        painter.fillRect(card, veil)
    if lines:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.error, 2))
        painter.drawLine(card.topLeft(), card.bottomRight())
        painter.drawLine(card.topRight(), card.bottomLeft())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
