"""Opens the real window in a process of its own and answers questions about it.

Each line on standard input is a Python expression; its value comes back as a line of JSON. Only for looking: whatever
is done to the window is done with a pointer and keys from outside.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PySide6.QtCore import QObject, QPoint, QPointF, QRect, Signal, Slot
from PySide6.QtWidgets import QApplication, QPushButton, QTreeWidget, QWidget

from studio.ui.app import create_window


class Answerer(QObject):
    """Evaluates expressions in the GUI thread."""

    asked = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self.window = window
        self.asked.connect(self._answer)

    @Slot(str)
    def _answer(self, expression: str) -> None:
        names = {"window": self.window, "find": self.find, "rect": self.rect, "palette_row": self.palette_row,
                 "on_canvas": self.on_canvas, "dialog_button": self.dialog_button}  # fmt: skip
        try:
            value = eval(expression, names)
        except Exception as error:
            value = {"error": repr(error)}
        print(json.dumps(value), flush=True)

    def find(self, name: str) -> QWidget | None:
        """The widget of this objectName, in any window."""
        for top in QApplication.topLevelWidgets():
            if top.objectName() == name:
                return top
            found: Any = top.findChild(QWidget, name)
            if found is not None:
                return found
        return None

    def rect(self, name: str) -> list[int] | None:
        """Where a widget is on the screen: x, y, width, height; None if it is not visible."""
        widget = self.find(name)
        if widget is None or not widget.isVisible():
            return None
        return _on_screen(widget, widget.rect())

    def palette_row(self, title: str) -> list[int]:
        """Where a block's row in the palette is on the screen."""
        palette = self.find("palette")
        assert palette is not None
        tree = palette.findChild(QTreeWidget)
        for group in map(tree.topLevelItem, range(tree.topLevelItemCount())):
            for leaf in map(group.child, range(group.childCount())):
                if leaf.text(0) == title:
                    tree.scrollToItem(leaf)
                    return _on_screen(tree.viewport(), tree.visualItemRect(leaf))
        raise LookupError(title)

    def dialog_button(self, text: str) -> list[int] | None:
        """Where a button of the open dialog is on the screen; None if there is no such dialog yet."""
        dialog = QApplication.activeModalWidget()
        buttons = dialog.findChildren(QPushButton) if dialog is not None and dialog.isVisible() else []
        found = [button for button in buttons if button.text().replace("&", "") == text]
        return _on_screen(found[0], found[0].rect()) if found else None

    def on_canvas(self, x: float, y: float) -> list[int]:
        """Where a point of the scene is on the screen."""
        canvas: Any = self.find("canvas")
        point = canvas.viewport().mapToGlobal(canvas.mapFromScene(QPointF(x, y)))
        return [point.x(), point.y()]


def _on_screen(widget: QWidget, rect: QRect) -> list[int]:
    corner = widget.mapToGlobal(QPoint(rect.x(), rect.y()))
    return [corner.x(), corner.y(), rect.width(), rect.height()]


def main() -> int:
    """Open the window and answer until it is closed."""
    window = create_window(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    answerer = Answerer(window)

    def listen() -> None:
        for line in sys.stdin:
            answerer.asked.emit(line)

    threading.Thread(target=listen, daemon=True).start()
    return QApplication.exec()


if __name__ == "__main__":
    sys.exit(main())
