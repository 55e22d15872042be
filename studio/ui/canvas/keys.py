"""What the keys do on the canvas, but for those that are shortcuts of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_DIRECTIONS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


class CanvasKeys:
    """Turns the keys pressed on a view into what it does. Space held lets the pointer pan; tapped, it offers blocks."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self.space_held = False
        self.space_used = False  # the pointer did something while Space was held

    def press(self, event: QKeyEvent) -> bool:
        """Whether the key means something here; what does not goes to the window's shortcuts."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        shift = modifiers == Qt.KeyboardModifier.ShiftModifier
        if modifiers != Qt.KeyboardModifier.NoModifier and not (shift and event.key() in _DIRECTIONS):
            return False
        return self._do(event.key(), far=shift, repeated=event.isAutoRepeat())

    def _do(self, key: int, *, far: bool, repeated: bool) -> bool:
        view = self._view
        if key == Qt.Key.Key_Escape:
            self._escape()
        elif key == Qt.Key.Key_Space:
            self._hold_space(repeated)
        elif key == Qt.Key.Key_Tab:
            view.adder.offer()
        elif key in _DIRECTIONS:
            self._arrow(*_DIRECTIONS[Qt.Key(key)], far)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._walk(-1 if key == Qt.Key.Key_PageUp else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            view.edit_requested.emit()
        elif key == Qt.Key.Key_F:
            view.fit()
        elif key == Qt.Key.Key_F2:
            view.rename_requested.emit()
        elif key == Qt.Key.Key_Slash:
            view.search_requested.emit()
        else:
            return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        """Whether the release means something here."""
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        tapped = self.space_held and not self.space_used
        self.let_go()
        if tapped:
            self._view.adder.offer()
        return True

    def let_go(self) -> None:
        """Space is no longer held, or nobody would hear of it."""
        self.space_held = False
        self._view.viewport().unsetCursor()

    def _hold_space(self, repeated: bool) -> None:
        if not repeated:
            self.space_held, self.space_used = True, False
            self._view.viewport().setCursor(Qt.CursorShape.OpenHandCursor)

    def _escape(self) -> None:
        if self._view.busy:
            self._view.cancel_gesture()
        else:
            self._view.graph_scene.clear_selection()

    def _arrow(self, columns: int, rows: int, far: bool) -> None:
        if self._view.busy:
            return
        if self._view.graph_scene.selected_nodes:
            self._view.graph_actions.nudge(columns, rows, far=far)
        else:
            self._view.pan(QPointF(-40 * columns, -40 * rows))

    def _walk(self, step: int) -> None:
        node_id = self._view.graph_actions.select_neighbour(step)
        if node_id is not None:
            self._view.reveal(node_id)
