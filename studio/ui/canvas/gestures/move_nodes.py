"""Drag blocks to another place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from studio.graph import Link
from studio.graph.edits import Move
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH, snap
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.gestures.wire_target import WireUnderBlock

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView


class MoveNodes(Gesture):
    """Press on a block: select it. Drag: move all that is selected, as one undo step.

    Args:
        view: where.
        node_id: the block under the pointer; it snaps to the grid, the others keep their distance to it.
        extend: add it to the selection, or take it out, instead of selecting it alone.
    """

    def __init__(self, view: GraphView, node_id: str, *, extend: bool) -> None:
        super().__init__(view)
        self.node_id = node_id
        self.extend = extend
        self.moving = False
        self.target: WireUnderBlock | None = None  # the wire on which the block would be put

    def start(self, position: QPointF) -> None:
        self.pressed_at = position
        self.selected_before = (self.scene.selected_nodes, self.scene.selected_links)
        was_selected = self.node_id in self.scene.selected_nodes
        if self.extend:
            self.scene.select({*self.scene.selected_nodes} ^ {self.node_id}, self.scene.selected_links)
        elif not was_selected:
            self.scene.select([self.node_id])
        nodes = self.document.shown.by_id
        moved = {i for chosen in self.scene.selected_nodes for i in (chosen, *self.scene.inside(chosen))}
        self.places = {i: QPointF(nodes[i].x, nodes[i].y) for i in nodes if i in moved}

    def move(self, position: QPointF) -> None:
        far = (position - self.pressed_at).manhattanLength() >= QApplication.startDragDistance()
        self.moving = self.moving or (far and self.node_id in self.places)
        if not self.moving:
            return
        if self.target is None and len(self.places) == 1:
            self.target = WireUnderBlock(self.view, self.node_id)  # before wires make way for the block
        self.scene.show_at(self._places_at(position))
        if self.target is not None:
            self.target.look(self.view.to_scene(position))
            self.target.tell(position)

    def _places_at(self, position: QPointF) -> dict[str, QPointF]:
        grabbed = self.places[self.node_id]
        wanted = grabbed + self.view.to_scene(position) - self.view.to_scene(self.pressed_at)
        shift = QPointF(snap(wanted.x()), snap(wanted.y())) - grabbed
        return {node_id: place + shift for node_id, place in self.places.items()}

    def end(self, position: QPointF) -> None:
        if not self.moving:
            if not self.extend:
                self.scene.select([self.node_id])  # a click on one of several selected blocks
            return
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
        if self.target is not None:
            self.target.mark(None)
        self.scene.show_in_place(self.places)
        self.scene.select(*self.selected_before)
