"""A text, answered while it is typed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.data.forms import RawForm
from studio.ui.trying.editor import Editor
from studio.ui.widgets.plain_text import PlainLabel

_MOST_CHARACTERS = 200_000  # that can be looked at and changed here; a file may be longer


class TextInput(Editor):
    """A box for a text.

    Args:
        name: of the part, shown where there are several.
    """

    def __init__(self, form: RawForm, parent: QWidget | None = None) -> None:
        super().__init__(form, parent)
        self.setObjectName("tryText")
        self._file: Path | None = None
        self.box = QPlainTextEdit(self)
        self.box.setObjectName("tryTextBox")
        self.box.setAccessibleName("The text to try")
        self.box.setPlaceholderText("Type or paste a text")
        self.box.setTabChangesFocus(True)
        self.box.setMinimumHeight(70)
        self.box.setAcceptDrops(False)  # what is dropped is a file, and is read as one
        self.said = PlainLabel(parent=self, color="node_muted")
        bottom = QHBoxLayout()
        bottom.addWidget(self.said, 1)
        bottom.addWidget(self.file_button())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.box, 1)
        layout.addLayout(bottom)
        self.box.textChanged.connect(self._type)

    def _type(self) -> None:
        self._file = None
        self.said.setText("")
        self.changed.emit()

    def value(self) -> object | None:
        """The text, or the file that it is in."""
        if self._file is not None:
            return self._file
        return self.box.toPlainText() or None

    @property
    def text(self) -> str:
        """As it stands there; it may be empty."""
        return self.box.toPlainText()

    def show_value(self, given: object) -> None:
        """The text of a sample."""
        self._file = None
        self.said.setText("")
        with QSignalBlocker(self.box):
            self.box.setPlainText(str(given)[:_MOST_CHARACTERS])

    def append(self, piece: str) -> None:
        """Put a piece that the network wrote behind the text, and look there. Nothing is told."""
        cursor = QTextCursor(self.box.document())
        with QSignalBlocker(self.box):
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(piece)
        bar = self.box.verticalScrollBar()
        bar.setValue(bar.maximum())

    def clear(self) -> None:
        """An empty box."""
        self.show_value("")

    def take_file(self, path: Path) -> None:
        """A file of text; it is read in the thread that answers."""
        self.clear()
        self._file = path
        self.said.setText(path.name)
        self.changed.emit()
