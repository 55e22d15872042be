"""What is kept decoded or unpacked of the person's files, how much room it takes, and the way to be rid of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.data import cache, unpacked
from studio.ui.background import BackgroundTask, Report
from studio.ui.widgets.plain_text import Heading, PlainLabel
from studio.ui.wording import size

_ABOUT = (
    "Decoded pictures and the like, kept so that training reads them at the speed of memory, and what came out of "
    "archives. It is made again when it is needed, from your own files, which are never touched."
)


class CacheDialog(QDialog):
    """Lists what is kept. The disk is read, and cleared, in a thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cacheDialog")
        self.setWindowTitle("Cached data")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(520, 340)
        self.heading = Heading("Reading the folder…", self, large=True)
        self.heading.setObjectName("cacheSize")
        self.table = QTableWidget(0, 2, self)
        self.table.setObjectName("cacheTable")
        self.table.setAccessibleName("What is kept")
        self.table.setHorizontalHeaderLabels(["Made from", "Size"])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.clear = buttons.addButton("Clear", QDialogButtonBox.ButtonRole.ActionRole)
        self.clear.setObjectName("clearCache")
        self.clear.clicked.connect(lambda: self._begin(_clear))
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.heading, PlainLabel(_ABOUT, self, color="node_muted"), self.table, buttons):
            layout.addWidget(widget)
        self._task: BackgroundTask | None = None
        self._begin(_look)

    def _begin(self, work: Callable[[Report], list[cache.Kept]]) -> None:
        self.clear.setEnabled(False)
        self._task = BackgroundTask(work, self)
        self._task.finished.connect(self._show)
        self._task.start()

    @Slot()
    def _show(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        if task.error is not None:
            self.heading.setText("The folder cannot be read.")
            return
        kept = cast("list[cache.Kept]", task.result)
        self.heading.setText(f"Cached data: {size(sum(entry.size_bytes for entry in kept))}")
        self.table.setRowCount(len(kept))
        for row, entry in enumerate(kept):
            for column, text in enumerate((entry.title, size(entry.size_bytes))):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.clear.setEnabled(bool(kept))

    def done(self, result: int) -> None:
        """Closed: what is under way is waited for."""
        if self._task is not None:
            self._task.finished.disconnect(self._show)
            self._task.wait()
        super().done(result)


def _look(_: Report) -> list[cache.Kept]:
    return sorted([*cache.entries(), *unpacked.entries()], key=lambda kept: -kept.used)


def _clear(report: Report) -> list[cache.Kept]:
    cache.clear()
    unpacked.clear()
    return _look(report)
