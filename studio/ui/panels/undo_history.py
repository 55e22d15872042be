"""The list of all steps that can be taken back or done again."""

from __future__ import annotations

from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QDialog, QUndoView, QVBoxLayout, QWidget

from studio.ui.widgets.plain_text import PlainLabel


class UndoHistory(QDialog):
    """Choosing a step goes there: what came after it is undone, and can be done again."""

    def __init__(self, stack: QUndoStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("undoHistory")
        self.setWindowTitle("Undo history")
        self.list = QUndoView(stack, self)
        self.list.setObjectName("undoSteps")
        self.list.setAccessibleName("Steps; choose one to go there")
        self.list.setEmptyLabel("As it was opened")
        layout = QVBoxLayout(self)
        layout.addWidget(PlainLabel("Choose a step to go back to it, or forward again.", self, color="node_muted"))
        layout.addWidget(self.list)
        self.resize(300, 420)
