"""What the press of a button on the canvas begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent

from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.gestures import Gesture, MoveNodes, PanView, SelectRegion
from studio.ui.canvas.hovering import Hovering
from studio.ui.canvas.keys import CanvasKeys

if TYPE_CHECKING:
    from studio.graph import Link
    from studio.ui.canvas.node_item import Port
    from studio.ui.canvas.view import GraphView

_EXTEND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Pressing:
    """Chooses the gesture by what lies under the pointer: a port, a block, the end of a wire, a wire, or nothing."""

    def __init__(self, view: GraphView, hovering: Hovering, keys: CanvasKeys) -> None:
        self._view = view
        self._hovering = hovering
        self._keys = keys

    def gesture_for(self, event: QMouseEvent) -> Gesture | None:
        """The gesture that begins; None if the press was all, or means nothing."""
        if event.button() == Qt.MouseButton.MiddleButton:
            return PanView(self._view)
        if event.button() != Qt.MouseButton.LeftButton:
            return None
        if self._keys.space_held:
            self._keys.space_used = True
            return PanView(self._view)
        extend = bool(event.modifiers() & _EXTEND)
        port = self._hovering.port_at(event.position())
        if port is not None:
            taken = self._hovering.taken_at(port)
            return self._wire_from(port) if taken is None else self._wire_from(taken.staying, taken.link)
        return self._on_block_or_canvas(event.position(), extend)

    def _on_block_or_canvas(self, position: QPointF, extend: bool) -> Gesture | None:
        point = self._view.to_scene(position)
        item = self._view.graph_scene.node_at(point)
        if isinstance(item, FrameItem) and item.folds_at(point):
            self._view.graph_actions.groups.set_unfolded([item.node.id], False)
            return None
        if item is not None:
            return MoveNodes(self._view, item.node.id, extend=extend)
        end = None if extend else self._hovering.wire_end_at(position)
        if end is not None:
            return self._wire_from(end.staying, end.link, from_port=False)
        return self._beside_blocks(point, extend)

    def _wire_from(self, port: Port, taken: Link | None = None, *, from_port: bool = True) -> Gesture:
        from studio.ui.canvas.gestures.draw_link import DrawLink  # not needed to show the window

        return DrawLink(self._view, port, taken, from_port=from_port)

    def _beside_blocks(self, point: QPointF, extend: bool) -> Gesture | None:
        """A click on a wire selects it; on a note a move begins, elsewhere a rectangle."""
        scene = self._view.graph_scene
        wire = scene.link_at(point)
        note = scene.notes.at(point) if scene.has_notes and wire is None else None
        if note is not None:
            from studio.ui.canvas.notes import MoveNote

            return MoveNote(self._view, note, resize=note.resizes_at(point), extend=extend)
        if wire is None:
            return SelectRegion(self._view, extend=extend)
        if extend:
            scene.select([*scene.selected_nodes, *scene.selected_notes], scene.selected_links ^ {wire})
        else:
            scene.select(links=[wire])
        return None
