"""Actions that belong to the canvas."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence


def canvas_action(
    owner: QObject, name: str, text: str, key: QKeySequence.StandardKey | str | None, slot: Callable[[], object]
) -> QAction:
    """An action named `action_<name>` whose key works on the canvas only: in a text field Delete deletes a letter."""
    action = QAction(text, owner)
    action.setObjectName(f"action_{name}")
    if key is not None:
        action.setShortcut(QKeySequence(key))
    action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    action.triggered.connect(lambda: slot())  # without the signal's argument
    return action
