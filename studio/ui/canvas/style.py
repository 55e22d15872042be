"""Pens, brushes and fonts of the canvas, made once per theme and shared by all items."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPen
from PySide6.QtWidgets import QApplication

from studio.ui import theme
from studio.ui.theme import Theme

_TITLE_PX, _DETAIL_PX = 14, 12


@dataclass(frozen=True, eq=False, repr=False)
class Style:
    """What the items of the canvas paint with."""

    theme: Theme
    title_font: QFont
    detail_font: QFont
    title_metrics: QFontMetricsF
    detail_metrics: QFontMetricsF
    border: QPen
    border_selected: QPen
    border_error: QPen
    border_warning: QPen
    wire: QPen
    wire_chosen: QPen
    wire_preview: QPen


def current_style() -> Style:
    """The style for the theme in use."""
    colors = theme.current()
    title, detail = _font(_TITLE_PX, QFont.Weight.DemiBold), _font(_DETAIL_PX, QFont.Weight.Normal)
    return Style(
        theme=colors,
        title_font=title,
        detail_font=detail,
        title_metrics=QFontMetricsF(title),
        detail_metrics=QFontMetricsF(detail),
        border=_pen(colors.border, 1.0),
        border_selected=_pen(colors.selection, 2.0),
        border_error=_pen(colors.error, 2.0),
        border_warning=_pen(colors.warning, 2.0),
        wire=_pen(colors.wire, 2.0),
        wire_chosen=_pen(colors.selection, 3.5),
        wire_preview=_pen(colors.selection, 2.0, Qt.PenStyle.DashLine),
    )


def _font(pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(QApplication.font())
    font.setPixelSize(pixels)
    font.setWeight(weight)
    return font


def _pen(color: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(color, width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
