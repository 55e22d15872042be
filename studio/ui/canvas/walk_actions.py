"""Keys that select the next block along a wire, on the canvas and in the outline."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from studio.graph.walking import BACK, FORWARD, LEFT, RIGHT, step
from studio.ui.canvas.canvas_action import canvas_action

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_KEYS = {
    FORWARD: ("Next along the wire", "Alt+Down"), BACK: ("Back along the wire", "Alt+Up"),
    LEFT: ("Beside it to the left", "Alt+Left"), RIGHT: ("Beside it to the right", "Alt+Right"),
}  # fmt: skip


class WalkActions(QObject):
    """Moves the selection from block to block; nothing in the graph changes."""

    def __init__(self, view: GraphView) -> None:
        super().__init__(view)
        self._view = view
        self._scene = view.graph_scene
        self._actions = [
            canvas_action(self, f"walk_{direction}", text, key, partial(self.walk, direction))
            for direction, (text, key) in _KEYS.items()
        ]

    def all(self) -> list[QAction]:
        """The actions, in the order of a menu."""
        return self._actions

    def walk(self, direction: str) -> None:
        """Select what a step leads to, or say that there is nothing; without a selection, the first or last block."""
        selected = self._scene.selected_nodes
        if not selected:
            self._choose(self._view.graph_actions.select_neighbour(-1 if direction == BACK else 1))
            return
        found = step(self._scene.document.shown, selected[-1], direction)
        if found is None:
            name = self._scene.document.shown.node(selected[-1]).name
            self._view.hints.tell(f"“{name}” {_NOTHING[direction]}")
        else:
            self._choose(found)

    def _choose(self, path: str | None) -> None:
        if path is not None:
            self._scene.select([path])
            self._view.reveal(path)


_NOTHING = {
    FORWARD: "feeds no other block.", BACK: "is fed by no other block.",
    LEFT: "has nothing beside it to the left: no other block shares a neighbour with it there.",
    RIGHT: "has nothing beside it to the right: no other block shares a neighbour with it there.",
}  # fmt: skip
