"""Adds blocks that are chosen from the menu at the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Slot
from PySide6.QtWidgets import QGraphicsPathItem

from studio.blocks import Block, registry
from studio.graph import placement
from studio.graph.geometry import NODE_HEIGHT
from studio.graph.placement import Placed
from studio.graph.wiring import add_after, add_before
from studio.project.model import new_block
from studio.ui.canvas.link_item import wire_path
from studio.ui.canvas.node_item import Port

if TYPE_CHECKING:
    from collections.abc import Hashable

    from studio.compile.fitting import Trial
    from studio.tensors import TensorSpec
    from studio.ui.canvas.block_menu import BlockMenu
    from studio.ui.canvas.fitter import Reasons
    from studio.ui.canvas.view import GraphView


@dataclass(frozen=True)
class _Wanted:
    """What a chosen block is for.

    Args:
        point: where it shall stand, in scene units.
        port: the port to which it shall be linked; None for none.
        after: the block after which it shall be appended; None for none.
    """

    point: QPointF
    port: Port | None = None
    after: str | None = None


class BlockAdder(QObject):
    """Offers blocks at the pointer, for a wire or for the selected block, and adds the chosen one as one undo step."""

    def __init__(self, view: GraphView) -> None:
        super().__init__(view)
        self._view = view
        self._scene = view.graph_scene
        self._document = view.graph_scene.document
        self._menu: BlockMenu | None = None
        self._wanted: _Wanted | None = None
        self._wire: QGraphicsPathItem | None = None
        view.graph_scene.changing.connect(self.close)

    @property
    def menu(self) -> BlockMenu | None:
        """The menu that is open; None if none is."""
        return self._menu

    def offer(self, *, beside: bool = False) -> None:
        """Offer blocks to append after the selected one, or to add at the pointer.

        Args:
            beside: open the menu beside the selected block, wherever the pointer happens to be.
        """
        self._view.cancel_gesture()
        selected = self._scene.selected_nodes
        after = selected[-1] if selected else None
        position = None if beside else self._view.pointer_position()
        if position is None:
            position = self._below(after)
        self._open(_Wanted(self._view.to_scene(position), after=after), position)

    def offer_for_wire(self, port: Port, position: QPointF) -> None:
        """Offer blocks to which a wire from a port, released at a point of the viewport, can lead."""
        point = self._view.to_scene(position)
        self._open(_Wanted(point, port=port), position)
        here = self._scene.port_position(port)
        self._wire = QGraphicsPathItem(wire_path(here, point) if port.is_output else wire_path(point, here))
        self._wire.setPen(self._scene.style_in_use.wire_preview)
        self._wire.setZValue(2)
        self._scene.addItem(self._wire)

    @Slot()
    def close(self) -> None:
        """Close the menu without adding anything."""
        if self._menu is not None:
            self._menu.close()

    def _below(self, node_id: str | None) -> QPointF:
        """A point of the viewport right below a block that is in view; otherwise its middle."""
        room = QRectF(self._view.viewport().rect())
        if node_id is not None:
            rect = self._scene.node_item(node_id).sceneBoundingRect()
            corner = self._view.viewportTransform().map(rect.bottomLeft())
            if room.contains(corner):
                return corner
        return room.center()

    def _open(self, wanted: _Wanted, position: QPointF) -> None:
        from studio.ui.canvas.block_menu import BlockMenu  # not needed to show the window

        self.close()
        self._wanted = wanted
        uses = self._view.uses
        self._menu = BlockMenu(_kinds_for(wanted.port), uses.score if uses is not None else lambda _: 0.0, self._view)
        self._menu.block_chosen.connect(self._add)
        self._menu.closed.connect(self._forget)
        self._menu.open_at(self._view.viewport().mapToGlobal(position.toPoint()))
        self._try_shapes(wanted)

    @Slot()
    def _forget(self) -> None:
        self._menu = None
        self._view.setFocus(Qt.FocusReason.PopupFocusReason)
        if self._wire is not None:
            self._scene.removeItem(self._wire)
            self._wire = None
        if self._view.fitter is not None:
            self._view.fitter.forget()

    def _try_shapes(self, wanted: _Wanted) -> None:
        fitter, came = self._view.fitter, self._what_comes(wanted)
        if fitter is None or came is None:
            return
        from studio.compile.fitting import trial_of_block

        trials: dict[Hashable, Trial] = {b.kind: trial_of_block(b(), came) for b in registry if b.inputs}
        fitter.ask(trials, self._mark_misfits)

    def _what_comes(self, wanted: _Wanted) -> TensorSpec | None:
        """The tensor that would come into the new block, if it is known."""
        port, fitter = wanted.port, self._view.fitter
        if port is None and wanted.after is not None and self._document.shown.node(wanted.after).block.outputs:
            port = Port(wanted.after, True, 0)
        if port is None or not port.is_output or fitter is None or port.node_id not in fitter.analysis.nodes:
            return None
        outputs = fitter.analysis.nodes[port.node_id].outputs
        return outputs[port.index] if port.index < len(outputs) else None

    def _mark_misfits(self, reasons: Reasons) -> None:
        if self._menu is not None:
            self._menu.mark({str(kind): reason for kind, reason in reasons.items()})

    @Slot(object)
    def _add(self, kind: type[Block]) -> None:
        wanted, self._wanted = self._wanted, None
        assert wanted is not None
        block = new_block(self._document.project, kind)
        if wanted.port is None and wanted.after is not None:
            self._view.append_block(block)
            return
        placed = self._placed(block, wanted)
        if self._document.do(placed.edit, f"Add {block.title}"):
            self._scene.select([placed.node.id])
            self._view.note_use(block)
            self._view.reveal_if_hidden(placed.node.id)

    def _placed(self, block: Block, wanted: _Wanted) -> Placed:
        graph, port, x, y = self._document.shown, wanted.port, wanted.point.x(), wanted.point.y()
        if port is None:
            return placement.add(graph, block, x, y, placement.scope_at(graph, x, y))
        if port.is_output:  # the input, at the top, where the wire was released
            return add_after(graph, block, port.node_id, port.index, (x, y + NODE_HEIGHT / 2))
        return add_before(graph, block, port.node_id, port.index, (x, y - NODE_HEIGHT / 2))


def _kinds_for(port: Port | None) -> list[type[Block]]:
    """The blocks that can be linked to a port; all if there is none."""
    if port is None:
        return list(registry)
    return [block for block in registry if (block.inputs if port.is_output else block.outputs)]
