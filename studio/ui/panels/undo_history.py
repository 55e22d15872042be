"""The list of all steps that can be taken back or done again."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QListWidget, QVBoxLayout, QWidget

from studio.ui.history import History
from studio.ui.widgets.plain_text import PlainLabel


class UndoHistory(QDialog):
    """Choosing a step goes there: what came after it is undone, and can be done again."""

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("undoHistory")
        self.setWindowTitle("Undo history")
        self._history = history
        self.list = QListWidget(self)
        self.list.setObjectName("undoSteps")
        self.list.setAccessibleName("Steps; choose one to go there")
        self.list.setUniformItemSizes(True)
        self.list.currentRowChanged.connect(self._go)
        layout = QVBoxLayout(self)
        layout.addWidget(PlainLabel("Choose a step to go back to it, or forward again.", self, color="node_muted"))
        layout.addWidget(self.list)
        self.resize(300, 420)
        history.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the steps as they are now."""
        texts = ["As it was opened", *self._history.texts]
        self.list.blockSignals(True)
        if [self.list.item(row).text() for row in range(self.list.count())] != texts:
            self.list.clear()
            self.list.addItems(texts)
        self.list.setCurrentRow(self._history.index)
        self.list.blockSignals(False)
        self.list.scrollToItem(self.list.currentItem())

    @Slot(int)
    def _go(self, row: int) -> None:
        if row >= 0:
            self._history.go_to(row)
