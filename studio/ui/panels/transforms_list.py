"""The transforms of the project in their order, to be chosen, dragged and moved by keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from studio.compile.analysis import ERROR
from studio.data.transforms import Transform
from studio.tensors import TensorSpec
from studio.ui.panels.problems import MARK, severity_mark
from studio.ui.widgets.plain_text import plain_tooltip

_FEWEST_ROWS, _MOST_ROWS = 2, 7  # that are seen without scrolling


class TransformsList(QListWidget):
    """A row for each. What cannot be used on the data is marked, and its tooltip says why."""

    move_wanted = Signal(int, int)  # from a row to another
    remove_wanted = Signal(int)  # a row

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformsList")
        self.setAccessibleName("Transforms, in the order in which they are applied")
        self.setAccessibleDescription("Alt+Up and Alt+Down move the chosen one, Delete removes it.")
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(MARK, MARK))
        self._add_action("Move up", "Alt+Up", partial(self._move, -1))
        self._add_action("Move down", "Alt+Down", partial(self._move, 1))
        self._add_action("Remove", "Del", self._remove)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        # The row that was let go of is still moved inside Qt while this is told.
        self.model().rowsMoved.connect(self._tell_move, Qt.ConnectionType.QueuedConnection)

    def _add_action(self, text: str, key: str, slot: object) -> None:
        action = QAction(text, self)
        action.setObjectName(f"transforms_{text.lower().replace(' ', '_')}")
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(slot)
        self.addAction(action)

    def show_transforms(self, transforms: Sequence[Transform], given: TensorSpec, row: int) -> None:
        """List them.

        Args:
            transforms: in their order.
            given: the input that they are to change.
            row: the one that is chosen.
        """
        self.blockSignals(True)
        self.clear()
        for number, transform in enumerate(transforms, 1):
            item = QListWidgetItem(f"{number}. {transform.title}", self)
            reason = transform.refusal(given)
            if reason:
                item.setIcon(severity_mark(ERROR))
            help_text = reason or (transform.__doc__ or "").partition("\n")[0]
            item.setToolTip(plain_tooltip(help_text))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}. {reason}" if reason else item.text())
        self.setCurrentRow(row)
        self.blockSignals(False)
        rows = max(_FEWEST_ROWS, min(len(transforms), _MOST_ROWS))
        self.setFixedHeight(rows * (self.sizeHintForRow(0) if transforms else 20) + 2 * self.frameWidth())

    def _move(self, step: int) -> None:
        row = self.currentRow()
        if 0 <= row < self.count() and 0 <= row + step < self.count():
            self.move_wanted.emit(row, row + step)

    def _remove(self) -> None:
        if self.currentRow() >= 0:
            self.remove_wanted.emit(self.currentRow())

    @Slot(QModelIndex, int, int, QModelIndex, int)
    def _tell_move(self, _parent: QModelIndex, start: int, _end: int, _target: QModelIndex, before: int) -> None:
        self.move_wanted.emit(start, before - 1 if before > start else before)
