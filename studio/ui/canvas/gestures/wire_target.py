"""The wire on which a block is about to be put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from studio.graph import GraphError, Link
from studio.graph.edits import Edit
from studio.graph.placement import insert_there
from studio.ui.canvas.node_item import Port

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

REACH = 16.0  # scene units from the pointer to a wire
_OVER_BLOCKS = 1.2  # z


class WireTarget:
    """Highlights one wire at a time, over the block that is dragged, and says what would become of it."""

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self.scene = view.graph_scene
        self.link: Link | None = None

    def mark(self, link: Link | None) -> None:
        """Highlight this wire and no other; None for none."""
        if link == self.link:
            return
        if self.link is not None and self.link in self.scene.document.shown.links:
            item = self.scene.link_item(self.link)
            item.set_chosen(self.link in self.scene.selected_links)
            item.setZValue(0)
        if link is not None:
            self.scene.link_item(link).set_chosen(True)
            self.scene.link_item(link).setZValue(_OVER_BLOCKS)
        else:
            self.view.pointer_label.say("", QPointF())
        self.link = link

    def tell(self, position: QPointF) -> None:
        """Say beside the pointer, in the viewport, what would happen on the wire."""
        if self.link is not None:
            shown = self.scene.document.shown
            before, after = shown.node(self.link.source).name, shown.node(self.link.target).name
            self.view.pointer_label.say(f"Insert between “{before}” and “{after}”", position)


class WireUnderBlock(WireTarget):
    """For a block that stands on the canvas, is linked to nothing, and is dragged over the wires.

    Args:
        view: where.
        node_id: the block.
    """

    def __init__(self, view: GraphView, node_id: str) -> None:
        super().__init__(view)
        self.node_id = node_id
        scene, shown = self.scene, self.scene.document.shown
        in_view = view.to_scene_rect(QRectF(view.viewport().rect()))
        # As they run now: while it is dragged, wires would make way for the block that is to be put on them.
        shapes: list[tuple[Link, QPainterPath]] = []
        if self._can_carry():
            shapes = [(link, scene.link_item(link).shape()) for link in shown.links]
        self._wires = [(link, shape) for link, shape in shapes if shape.boundingRect().intersects(in_view)]

    def _can_carry(self) -> bool:
        """Whether the block can be put on a wire: it has both ends, and neither is linked."""
        shown = self.scene.document.shown
        block = shown.node(self.node_id).block
        linked = shown.links_into(self.node_id) or shown.links_out_of(self.node_id)
        return bool(block.inputs and block.outputs and self.scene.node_item(self.node_id).ports() and not linked)

    def look(self, point: QPointF) -> None:
        """The pointer with the block is here."""
        around = QRectF(point.x() - REACH, point.y() - REACH, 2 * REACH, 2 * REACH)
        near = [link for link, shape in self._wires if shape.intersects(around)]
        self.mark(next((link for link in near if link == self.link or self._can_insert(link)), None))
        if self.link is not None:  # straight through under the block
            link = self.link
            start, end = Port(link.source, True, link.output), Port(link.target, False, link.input)
            self.scene.link_item(link).set_ends(self.scene.port_position(start), self.scene.port_position(end))

    def _can_insert(self, link: Link) -> bool:
        try:
            self.edit(link).apply(self.scene.document.graph)
        except GraphError:
            return False  # it leads through another group
        return True

    def edit(self, link: Link, near: tuple[float, float] | None = None) -> Edit:
        """What puts the block on a wire."""
        return insert_there(self.scene.document.shown, link, self.node_id, near)
