"""Light and dark: the palette of the widgets and the colours of what the program draws itself.

The palettes are our own because asking Qt for a dark scheme does nothing on X11. A widget that paints with `current()`
repaints itself on QEvent.PaletteChange.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

LABEL_WIDTH = 92  # pixels; forms below each other line up
SYSTEM, LIGHT_MODE, DARK_MODE = MODES = ("system", "light", "dark")

_GROUP_COLORS = MappingProxyType({
    "Input and output": QColor("#5b6b7f"),
    "Dense": QColor("#2f6fde"),
    "Convolution": QColor("#7c4dda"),
    "Pooling": QColor("#0f8585"),
    "Activation": QColor("#c8640b"),
    "Normalization": QColor("#3b873b"),
    "Regularization": QColor("#b8418a"),
    "Sequence": QColor("#1679ab"),
    "Attention": QColor("#c43c3c"),
    "Shape": QColor("#86673f"),
    "Resizing": QColor("#a04a6a"),
    "Merge": QColor("#6f741b"),
    "Math": QColor("#4f5bb5"),
    "Code": QColor("#776a7d"),
    "Group": QColor("#2f6f7a"),
})  # fmt: skip


_CLASS_COLORS = (
    "#2563eb", "#d97706", "#15803d", "#c0329a", "#8f2f2f", "#0e8aa8", "#7a7f12", "#7c4dda", "#5b6b7f", "#d6455d",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)  # each costs the start a quarter of a millisecond
class Theme:
    """Colours of the canvas, the plots and the messages."""

    dark: bool
    canvas: QColor
    grid: QColor
    node: QColor
    note: QColor
    note_border: QColor
    node_text: QColor
    node_muted: QColor
    border: QColor
    selection: QColor
    wire: QColor
    wire_label: QColor
    error: QColor
    warning: QColor
    success: QColor
    port: QColor
    accent: QColor
    guide: QColor
    icon: QColor
    icon_disabled: QColor
    plot: QColor
    plot_axis: QColor
    plot_grid: QColor
    plot_train: QColor
    plot_validation: QColor

    def group_color(self, group: str) -> QColor:
        """The colour of a group of blocks; a neutral one for an unknown group."""
        color = _GROUP_COLORS.get(group)
        if color is None:
            return self.node_muted
        return color.lighter(130) if self.dark else color

    def class_color(self, number: int) -> QColor:
        """The colour of a class of the data, by its number; they repeat after ten."""
        color = QColor(_CLASS_COLORS[number % len(_CLASS_COLORS)])
        return color.lighter(140) if self.dark else color


LIGHT = Theme(
    dark=False,
    canvas=QColor("#f6f7f9"),
    grid=QColor("#e2e5ea"),
    node=QColor("#ffffff"),
    note=QColor("#fdf6d8"),
    note_border=QColor("#d9cc93"),
    node_text=QColor("#1d2127"),
    node_muted=QColor("#5a636e"),
    border=QColor("#bcc3cc"),
    selection=QColor("#2563eb"),
    wire=QColor("#76818e"),
    wire_label=QColor("#4b5563"),
    error=QColor("#c02626"),
    warning=QColor("#a85500"),
    success=QColor("#22753a"),
    port=QColor("#4b5563"),
    accent=QColor("#2563eb"),
    guide=QColor("#c026a8"),
    icon=QColor("#3a424d"),
    icon_disabled=QColor("#a9b0ba"),
    plot=QColor("#ffffff"),
    plot_axis=QColor("#4b5563"),
    plot_grid=QColor("#d5dae0"),
    plot_train=QColor("#2563eb"),
    plot_validation=QColor("#c8640b"),
)

DARK = Theme(
    dark=True,
    canvas=QColor("#1a1d22"),
    grid=QColor("#272b32"),
    node=QColor("#2b3038"),
    note=QColor("#38331f"),
    note_border=QColor("#6b6137"),
    node_text=QColor("#e9ecf1"),
    node_muted=QColor("#a6afbb"),
    border=QColor("#49515d"),
    selection=QColor("#6ea8fe"),
    wire=QColor("#8893a1"),
    wire_label=QColor("#b4bcc8"),
    error=QColor("#ff7b7b"),
    warning=QColor("#ffb454"),
    success=QColor("#63c987"),
    port=QColor("#b4bcc8"),
    accent=QColor("#6ea8fe"),
    guide=QColor("#f58bdc"),
    icon=QColor("#cfd5de"),
    icon_disabled=QColor("#626b77"),
    plot=QColor("#1a1d22"),
    plot_axis=QColor("#b4bcc8"),
    plot_grid=QColor("#3a414b"),
    plot_train=QColor("#6ea8fe"),
    plot_validation=QColor("#ffa94d"),
)


def apply_theme(app: QApplication, mode: str) -> None:
    """Give all windows a palette.

    Args:
        mode: "light", "dark", or "system" to follow the desktop; anything else counts as "system".
    """
    if mode not in (LIGHT_MODE, DARK_MODE):
        system_is_dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        mode = DARK_MODE if system_is_dark else LIGHT_MODE
    palette = _palette(mode == DARK_MODE)
    app.setPalette(palette)
    QToolTip.setPalette(palette)


def current() -> Theme:
    """The theme in use, read off the application's palette so that the two cannot differ."""
    return DARK if QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


class Appearance(QObject):
    """Holds the person's choice and, while it is "system", follows the desktop when that changes."""

    def __init__(self, app: QApplication, mode: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._mode = mode if mode in MODES else SYSTEM
        app.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    @property
    def mode(self) -> str:
        """One of MODES."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Switch to one of MODES."""
        self._mode = mode
        self._apply()

    def _apply(self) -> None:
        apply_theme(self._app, self._mode)


_Role = QPalette.ColorRole

_LIGHT_ROLES = MappingProxyType({
    _Role.Window: "#eff1f4",
    _Role.WindowText: "#1d2127",
    _Role.Base: "#ffffff",
    _Role.AlternateBase: "#f5f6f8",
    _Role.Text: "#1d2127",
    _Role.PlaceholderText: "#69727e",
    _Role.Button: "#f7f8fa",
    _Role.ButtonText: "#1d2127",
    _Role.BrightText: "#c02626",
    _Role.Highlight: "#2563eb",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#2563eb",
    _Role.Link: "#1d4fc4",
    _Role.LinkVisited: "#6b3fa0",
    _Role.ToolTipBase: "#ffffff",
    _Role.ToolTipText: "#1d2127",
    _Role.Light: "#ffffff",
    _Role.Midlight: "#e3e6ea",
    _Role.Mid: "#c3c9d1",
    _Role.Dark: "#9aa3ae",
    _Role.Shadow: "#6b7480",
})  # fmt: skip

_DARK_ROLES = MappingProxyType({
    _Role.Window: "#282d35",
    _Role.WindowText: "#e6e9ee",
    _Role.Base: "#1a1d22",
    _Role.AlternateBase: "#20242a",
    _Role.Text: "#e6e9ee",
    _Role.PlaceholderText: "#8f98a5",
    _Role.Button: "#353b45",
    _Role.ButtonText: "#e6e9ee",
    _Role.BrightText: "#ff7b7b",
    _Role.Highlight: "#2f65c8",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#6ea8fe",
    _Role.Link: "#8ab8ff",
    _Role.LinkVisited: "#c4a5f5",
    _Role.ToolTipBase: "#2e343c",
    _Role.ToolTipText: "#e6e9ee",
    _Role.Light: "#434b56",
    _Role.Midlight: "#3a414b",
    _Role.Mid: "#3a414a",
    _Role.Dark: "#16191d",
    _Role.Shadow: "#0d0f12",
})  # fmt: skip

_TEXT_ROLES = (_Role.WindowText, _Role.Text, _Role.ButtonText)


def _palette(dark: bool) -> QPalette:
    palette = QPalette()
    for role, color in (_DARK_ROLES if dark else _LIGHT_ROLES).items():
        palette.setColor(role, QColor(color))
    disabled = QPalette.ColorGroup.Disabled
    muted = QColor("#737c89" if dark else "#98a0ab")
    for role in _TEXT_ROLES:
        palette.setColor(disabled, role, muted)
    palette.setColor(disabled, _Role.Highlight, palette.color(_Role.Mid))
    palette.setColor(disabled, _Role.HighlightedText, muted)
    return palette
