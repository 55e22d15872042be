"""Code that came with a project: it is shown, and runs after the person says so."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from studio import trust
from studio.blocks import Block
from studio.blocks.custom import CustomCode
from studio.storage import StorageError
from studio.ui.widgets.field_editor import FieldEditor
from studio.ui.widgets.plain_text import PlainLabel


class TrustSection(QWidget):
    """Says that the code of a block has not run here, and lets it; hidden for every other block."""

    trusted = Signal()  # some code may run now
    refused = Signal(str)  # trust that could not be kept, in plain words

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._code = ""
        self._text = PlainLabel("", self, color="warning")
        self._button = QPushButton("I have read it and trust it: run it", self)
        self._button.setObjectName("trustCode")
        self._button.setAccessibleName("Trust this code")
        self._button.clicked.connect(self._trust)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text)
        layout.addWidget(self._button)

    @property
    def text(self) -> str:
        """What it says; empty if there is nothing to be said."""
        return self._text.text()

    def show_block(self, block: Block, editor: FieldEditor | None) -> None:
        """Show what is to be said of a block; the editor of its code can only be read until it is trusted."""
        barrier = block.barrier if isinstance(block, CustomCode) else ""
        self._code = block.code if isinstance(block, CustomCode) else ""
        self._text.setText(barrier)
        self.setVisible(bool(barrier))
        if editor is not None:
            assert isinstance(editor.control, QPlainTextEdit)
            editor.control.setReadOnly(bool(barrier))

    @Slot()
    def _trust(self) -> None:
        trust_here(self._code, self.refused.emit)
        self.trusted.emit()


def trust_here(code: str, refused: Callable[[str], object]) -> None:
    """Let code run; where that cannot be kept for the next start, say so."""
    try:
        trust.trust(code)
    except StorageError as error:
        refused(f"The code runs until the program ends: {error}")
