"""Texts shown as they are. Qt takes what looks like HTML for HTML, and texts here can come from files."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from studio.ui import theme

# Not html.escape: that module costs a millisecond of the start.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "<br>"})


def plain_tooltip(text: str) -> str:
    """A tooltip that shows the text as it is; it is escaped rather than plain because Qt wraps only rich text."""
    return f"<qt>{text.translate(_ESCAPES)}</qt>" if text else ""


class PlainLabel(QLabel):
    """A label that wraps its text and never takes it for HTML.

    Args:
        text: what to show.
        parent: its owner.
        color: name of a colour of the theme; empty for the usual one.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, *, color: str = "") -> None:
        super().__init__(parent)
        self._color = color
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setText(text)
        self._recolor()

    def _recolor(self) -> None:
        if not self._color:
            return
        wanted = getattr(theme.current(), self._color)
        palette = self.palette()
        if palette.color(QPalette.ColorRole.WindowText) != wanted:  # or setting it would announce itself for ever
            palette.setColor(QPalette.ColorRole.WindowText, wanted)
            self.setPalette(palette)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._recolor()


class Refusal(PlainLabel):
    """Why a value was not taken, in red below its field; takes no room while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, color="error")
        self.tell("")

    def tell(self, reason: str) -> None:
        """Show a reason; an empty one hides the label."""
        self.setText(reason)
        self.setAccessibleName(reason)
        self.setVisible(bool(reason))


class Heading(PlainLabel):
    """A heading in bold.

    Args:
        text: what to show.
        parent: its owner.
        large: for the heading of a whole panel.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, *, large: bool = False) -> None:
        super().__init__(text, parent)
        font = self.font()
        font.setBold(True)
        if large:
            font.setPointSizeF(1.25 * font.pointSizeF())
        self.setFont(font)
