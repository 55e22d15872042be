"""The network as Python, beside the canvas: it follows every edit, and marks what is selected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.canvas.scene import GraphScene
from studio.ui.widgets.plain_text import Heading

if TYPE_CHECKING:
    from studio.compile.source_places import Code


class CodePanel(QWidget):
    """Shows source that can be selected and copied, not changed."""

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codePanel")
        self._scene = scene
        self._code: Code | None = None
        self.text = QPlainTextEdit(self)
        self.text.setObjectName("codeText")
        self.text.setAccessibleName("The network as Python")
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlaceholderText("The code comes as soon as PyTorch has started.")
        self.copy_button = QPushButton("Copy all", self)
        self.copy_button.setObjectName("copyCodeButton")
        self.copy_button.setAccessibleName("Copy all of the code")
        self.copy_button.clicked.connect(self._copy)
        self._colours = _Python(self.text)
        self._arrange()
        scene.selection_changed.connect(self.mark_selected)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(Heading("Code", self))
        top.addStretch(1)
        top.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top)
        layout.addWidget(self.text, 1)

    @Slot(object)
    def show_code(self, code: Code) -> None:
        """Show other source, or why there is none; the place in it is kept."""
        self._code = code
        self.copy_button.setEnabled(bool(code.text))
        wanted = code.text or code.reason
        if wanted != self.text.toPlainText():
            bar = self.text.verticalScrollBar()
            place = bar.value()
            self.text.setPlainText(wanted)
            bar.setValue(place)
        self.mark_selected()

    @Slot()
    def mark_selected(self) -> None:
        """Mark the lines of the selected blocks, and bring the first of them into view."""
        code = self._code
        if code is None or not code.text:
            self.text.setExtraSelections([])
            return
        lines = sorted({line for path in self._scene.selected_nodes for line in code.places.get(path, ())})
        self.text.setExtraSelections([self._marked(line) for line in lines])
        if lines:
            cursor = QTextCursor(self.text.document().findBlockByNumber(lines[0]))
            self.text.setTextCursor(cursor)
            self.text.ensureCursorVisible()

    def _marked(self, line: int) -> QTextEdit.ExtraSelection:
        selection = QTextEdit.ExtraSelection()
        ground = QColor(theme.current().accent)
        ground.setAlpha(50)
        mark = QTextCharFormat()
        mark.setBackground(ground)
        mark.setProperty(QTextFormat.Property.FullWidthSelection, True)
        selection.format = mark
        selection.cursor = QTextCursor(self.text.document().findBlockByNumber(line))
        return selection

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colours.rehighlight()
            self.mark_selected()


class _Python(QSyntaxHighlighter):
    """Colours keywords, texts, numbers and comments in the theme's colours."""

    _RULES = (
        (re.compile(r"\b(class|def|for|from|import|in|None|range|return|self|super|True|False)\b"), "accent"),
        (re.compile(r"\b\d[\d_.e+-]*\b"), "warning"),
        (re.compile(r"'[^']*'|\"[^\"]*\""), "success"),
        (re.compile(r"#.*$"), "node_muted"),
    )

    def __init__(self, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())

    def highlightBlock(self, text: str) -> None:
        colors = theme.current()
        for pattern, color in self._RULES:
            look = QTextCharFormat()
            look.setForeground(getattr(colors, color))
            for match in pattern.finditer(text):
                self.setFormat(match.start(), match.end() - match.start(), look)
