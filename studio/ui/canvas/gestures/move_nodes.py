"""Drag blocks to another place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from studio.graph import Link
from studio.graph.edits import Move
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.gestures.wire_target import WireUnderBlock

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_FREE = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier


class MoveNodes(Gesture):
    """Press on a block: select it. Drag: move all that is selected, as one undo step.

    The block snaps to others near by, and lines show to what; elsewhere to the grid. With Alt or Ctrl held it does not.

    Args:
        view: where.
        node_id: the block under the pointer; it snaps, the others keep their distance to it.
        extend: add it to the selection, or take it out, instead of selecting it alone.
    """

    def __init__(self, view: GraphView, node_id: str, *, extend: bool) -> None:
        super().__init__(view)
        self.node_id = node_id
        self.extend = extend
        self.moving = False
        self.target: WireUnderBlock | None = None  # the wire on which the block would be put

    def start(self, position: QPointF) -> None:
        from studio.ui.canvas.guides import Guides  # not needed to show the window

        self.pressed_at = position
        chosen = (*self.scene.selected_nodes, *self.scene.selected_notes)
        self.selected_before = (chosen, self.scene.selected_links)
        was_selected = self.node_id in chosen
        if self.extend:
            self.scene.select({*chosen} ^ {self.node_id}, self.scene.selected_links)
        elif not was_selected:
            self.scene.select([self.node_id])
        self.places = self.scene.places_of([*self.scene.selected_nodes, *self.scene.selected_notes])
        self.held_at = self.view.to_scene(position)  # the canvas may be panned or zoomed on the way
        self.guides = Guides(self.view, self.node_id, self.places)

    def move(self, position: QPointF) -> None:
        far = (position - self.pressed_at).manhattanLength() >= QApplication.startDragDistance()
        self.moving = self.moving or (far and self.node_id in self.places)
        if not self.moving:
            return
        if self.target is None and len(self.places) == 1:
            self.target = WireUnderBlock(self.view, self.node_id)  # before wires make way for the block
        places = self._places_at(position)
        self.scene.show_at(places)
        if self.target is not None:
            self.target.look(self.view.to_scene(position))
            self.target.tell(position)
        on_wire = self.target is not None and self.target.link is not None
        if on_wire or self.modifiers & _FREE:
            self.guides.hide()
        else:
            self.guides.show(places[self.node_id])

    def _places_at(self, position: QPointF) -> dict[str, QPointF]:
        grabbed = self.places[self.node_id]
        wanted = grabbed + self.view.to_scene(position) - self.held_at
        shift = self.guides.place(wanted, free=bool(self.modifiers & _FREE)) - grabbed
        return {node_id: place + shift for node_id, place in self.places.items()}

    def end(self, position: QPointF) -> None:
        if not self.moving:
            if not self.extend:
                self.scene.select([self.node_id])  # a click on one of several selected blocks
            return
        self.guides.hide()
        places = self._places_at(position)
        if self.target is not None and self.target.link is not None:
            self._insert(self.target, self.target.link, places[self.node_id])
        else:
            self.document.do(Move(tuple((i, place.x(), place.y()) for i, place in places.items())), "Move")
        self.scene.show_in_place(self.places)  # where it was, if that was refused

    def _insert(self, target: WireUnderBlock, wire: Link, place: QPointF) -> None:
        """Put the block on a wire."""
        target.mark(None)
        center = (place.x() + NODE_WIDTH / 2, place.y() + NODE_HEIGHT / 2)
        self.document.do(target.edit(wire, center), f"Insert {self.document.shown.node(self.node_id).name}")

    def cancel(self) -> None:
        self.guides.hide()
        if self.target is not None:
            self.target.mark(None)
        self.scene.show_in_place(self.places)
        self.scene.select(*self.selected_before)
