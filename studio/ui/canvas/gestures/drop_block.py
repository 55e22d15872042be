"""Drop a block from the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsRectItem, QGraphicsSimpleTextItem

from studio.blocks import Block, registry
from studio.graph import placement
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.registry import UnknownKindError
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.gestures.wire_target import REACH, WireTarget

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

BLOCK_MIME = "application/x-training-studio-block"  # its data is the kind of the block


def dragged_kind(data: QMimeData) -> str | None:
    """The kind of the block that is dragged; None if it is something else (any program may start a drag)."""
    if not data.hasFormat(BLOCK_MIME):
        return None
    kind = bytes(data.data(BLOCK_MIME).data()).decode("utf-8", errors="replace")
    try:
        return registry.get(kind).kind
    except UnknownKindError:
        return None


class DropBlock(Gesture):
    """A drag over the canvas: a ghost shows where the block will land. On a wire, it will be inserted there.

    Args:
        view: where.
        block: what is dragged.
    """

    def __init__(self, view: GraphView, block: Block) -> None:
        super().__init__(view)
        self.block = block
        self.target = WireTarget(view)

    def start(self, position: QPointF) -> None:
        colors, style = self.scene.style_in_use.theme, self.scene.style_in_use
        self.ghost = QGraphicsRectItem(0, 0, NODE_WIDTH, NODE_HEIGHT)
        self.ghost.setPen(style.wire_preview)
        fill = QColor(colors.node)
        fill.setAlpha(220)
        self.ghost.setBrush(fill)
        self.ghost.setZValue(2)
        title = QGraphicsSimpleTextItem(self.block.title, self.ghost)
        title.setFont(style.title_font)
        title.setBrush(colors.node_text)
        title.setPos(12, 12)
        self.scene.addItem(self.ghost)
        self.move(position)

    def move(self, position: QPointF) -> None:
        point = self.view.to_scene(position)
        carries = bool(self.block.inputs and self.block.outputs)
        self.target.mark(self.scene.link_at(point, REACH) if carries else None)
        self.target.tell(position)
        graph, near = self.document.shown, (point.x(), point.y())
        if self.target.link is not None:
            self.ghost.setPos(*placement.place_on(graph, self.target.link, near))
        else:
            node = placement.add(graph, self.block, *near, placement.scope_at(graph, *near)).node
            self.ghost.setPos(node.x, node.y)

    def end(self, position: QPointF) -> None:
        self.move(position)
        wire = self.target.link
        self.cancel()
        graph, point = self.document.shown, self.view.to_scene(position)
        near = (point.x(), point.y())
        if wire is not None:
            placed, verb = placement.insert(graph, wire, self.block, near), "Insert"
        else:
            placed, verb = placement.add(graph, self.block, *near, placement.scope_at(graph, *near)), "Add"
        if self.document.do(placed.edit, f"{verb} {self.block.title}"):
            self.scene.select([placed.node.id])
            self.view.note_use(self.block)

    def cancel(self) -> None:
        self.target.mark(None)
        self.scene.removeItem(self.ghost)
