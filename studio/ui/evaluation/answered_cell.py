"""Paints one sample of the gallery with what was answered to it below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QStyleOptionViewItem

from studio.evaluation.inspection import Verdict
from studio.ui import theme
from studio.ui.evaluation.ranked_model import VERDICT
from studio.ui.gallery.sample_cell import SampleCell

_Index = QModelIndex | QPersistentModelIndex
_INSET = 8  # pixels left of the line, as the caption has


class AnsweredCell(SampleCell):
    """A cell of the gallery, one line higher: ✓ or ✗, the answer, and how sure it is."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        whole, line = QRect(option.rect), option.fontMetrics.height()
        upper = QStyleOptionViewItem(option)
        upper.rect = whole.adjusted(0, 0, 0, -line - 2)
        super().paint(painter, upper, index)
        verdict: Verdict | None = index.data(VERDICT)
        if verdict is None:
            return
        colors = theme.current()
        usual = option.palette.color(QPalette.ColorRole.Text)
        mark, color = {True: ("✓", colors.success), False: ("✗", colors.error), None: ("→", usual)}[verdict.right]
        room = QRect(whole.left() + _INSET, whole.bottom() - line - 2, whole.width() - _INSET - 4, line)
        sure = "" if verdict.sureness is None else f"  {100 * verdict.sureness:.0f} %"
        width = option.fontMetrics.horizontalAdvance(sure)
        text = option.fontMetrics.elidedText(
            f"{mark} {verdict.text}".replace("\n", " "), Qt.TextElideMode.ElideRight, max(0, room.width() - width)
        )
        painter.save()
        painter.setPen(color)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text + sure)
        painter.restore()
