"""Draw a wire from one port to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsPathItem

from studio.graph import Link
from studio.graph.edits import AddLink
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.link_item import wire_path
from studio.ui.canvas.node_item import Port

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_SNAP = 28.0  # pixels


class DrawLink(Gesture):
    """Press on a port and drag: the wire snaps to the nearest port it may end at; released elsewhere, nothing happens.

    Args:
        view: where.
        port: where the wire begins; an input works as well as an output.
    """

    def __init__(self, view: GraphView, port: Port) -> None:
        super().__init__(view)
        self.port = port
        self.found: Port | None = None

    def start(self, position: QPointF) -> None:
        self.wire = QGraphicsPathItem()
        self.wire.setPen(self.scene.style_in_use.wire_preview)
        self.wire.setZValue(2)
        self.scene.addItem(self.wire)
        self.move(position)

    def move(self, position: QPointF) -> None:
        point = self.view.to_scene(position)
        self._mark(self._port_near(point))
        here = self.scene.port_position(self.port)
        there = point if self.found is None else self.scene.port_position(self.found)
        self.wire.setPath(wire_path(here, there) if self.port.is_output else wire_path(there, here))

    def end(self, position: QPointF) -> None:
        self.move(position)
        found = self.found
        self.cancel()
        if found is not None:
            source, target = (self.port, found) if self.port.is_output else (found, self.port)
            link = Link(source.node_id, source.index, target.node_id, target.index)
            if link not in self.document.shown.links:
                self.document.do(AddLink(link, replace_existing=True), "Connect")

    def cancel(self) -> None:
        self._mark(None)
        self.scene.removeItem(self.wire)

    def _port_near(self, point: QPointF) -> Port | None:
        near = self.scene.ports_near(point, _SNAP / self.view.scale_factor)
        return next((port for port in near if self._fits(port)), None) or self._port_of_node_at(point)

    def _port_of_node_at(self, point: QPointF) -> Port | None:
        """On a block's body, the port that is meant: a free one if there is one."""
        item = self.scene.node_at(point)
        ports = [port for port in item.ports() if self._fits(port)] if item is not None else []
        free = self.document.shown.free_input(ports[0].node_id) if ports else None
        return next((port for port in ports if not port.is_output and port.index == free), next(iter(ports), None))

    def _fits(self, port: Port) -> bool:
        return port.is_output != self.port.is_output and port.node_id != self.port.node_id

    def _mark(self, port: Port | None) -> None:
        if self.found is not None:
            self.scene.node_item(self.found.node_id).set_hot_port(None)
        self.found = port
        if port is not None:
            self.scene.node_item(port.node_id).set_hot_port(port)
