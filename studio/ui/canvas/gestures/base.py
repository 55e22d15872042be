"""What all gestures have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView


class Gesture:
    """One use of the pointer from press to release. Positions are in pixels of the view's viewport."""

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self.scene = view.graph_scene
        self.document = view.graph_scene.document
        self.modifiers = Qt.KeyboardModifier.NoModifier  # keys held at the last move of the pointer, or at its release

    def start(self, position: QPointF) -> None:
        """The button went down, or the drag entered, here."""

    def move(self, position: QPointF) -> None:
        """The pointer is here now."""

    def goes_on(self, position: QPointF) -> bool:
        """Whether it is not over yet although the button was released here: then it follows the pointer."""
        return False

    def end(self, position: QPointF) -> None:
        """The button was released here: do it."""

    def cancel(self) -> None:
        """Leave everything as it was before the start."""
