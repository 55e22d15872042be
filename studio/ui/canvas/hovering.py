"""What lies under the pointer while no button is pressed: a port, the end of a wire. It shows what can be taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from studio.graph import Link
from studio.ui.canvas.lights import GRIP, Lights
from studio.ui.canvas.node_item import DETAIL_FROM, Port

if TYPE_CHECKING:
    from studio.ui.canvas.view import GraphView

_PORT_REACH = 11.0  # pixels from the pointer to a port that it means
_END_REACH = 34.0  # pixels along a wire that belong to its end
_AT = 16.0  # pixels from a wire's port to where the mark of its end is shown


@dataclass(frozen=True)
class WireEnd:
    """One end of a wire that can be taken elsewhere."""

    link: Link
    at_output: bool

    @property
    def moving(self) -> Port:
        """The port at this end."""
        return self._port(self.at_output)

    @property
    def staying(self) -> Port:
        """The port at the other end."""
        return self._port(not self.at_output)

    def _port(self, is_output: bool) -> Port:
        link = self.link
        return Port(link.source, True, link.output) if is_output else Port(link.target, False, link.input)


class Hovering:
    """Finds what the pointer is on, and marks it."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._scene = view.graph_scene
        self._hot: Port | None = None
        self._end: WireEnd | None = None
        self._mark: Lights | None = None

    def port_at(self, position: QPointF) -> Port | None:
        """The port under a point of the viewport."""
        if self._view.scale_factor < DETAIL_FROM:
            return None  # too small to be seen, so it cannot be meant
        near = self._scene.ports_near(self._view.to_scene(position), _PORT_REACH / self._view.scale_factor)
        return near[0] if near else None

    def wire_end_at(self, position: QPointF) -> WireEnd | None:
        """The end of a wire under a point of the viewport, beside the blocks."""
        point = self._view.to_scene(position)
        if self._view.scale_factor < DETAIL_FROM or self._scene.node_at(point) is not None:
            return None
        link = self._scene.link_at(point)
        if link is None:
            return None
        ends = [WireEnd(link, at_output) for at_output in (True, False)]
        distances = [self._pixels(end.moving, point) for end in ends]
        nearest = min((0, 1), key=distances.__getitem__)
        return ends[nearest] if distances[nearest] <= _END_REACH else None

    def taken_at(self, port: Port) -> WireEnd | None:
        """The end of the wire that a press on a port takes away: that in an input, or the selected one at an output."""
        shown, chosen = self._scene.document.shown, self._scene.selected_links
        if port.is_output:
            found = [link for link in chosen if (link.source, link.output) == (port.node_id, port.index)]
            return WireEnd(found[0], True) if len(found) == 1 else None
        into = [link for link in shown.links_into(port.node_id) if link.input == port.index]
        return WireEnd(into[0], False) if into else None

    def look(self, position: QPointF) -> None:
        """The pointer is here: mark what it is on."""
        port = self.port_at(position)
        self._show(port, self.wire_end_at(position) if port is None else None)

    def clear(self) -> None:
        """Mark nothing."""
        self._show(None, None)

    def _show(self, port: Port | None, end: WireEnd | None) -> None:
        if (port, end) == (self._hot, self._end):
            return
        self._heat(port)
        self._grip(end)
        cursor = Qt.CursorShape.CrossCursor if port else Qt.CursorShape.OpenHandCursor if end else None
        self._view.viewport().setCursor(Qt.CursorShape.ArrowCursor if cursor is None else cursor)
        self._view.hints.tell(self._advice(port, end), idle=True)

    def _heat(self, port: Port | None) -> None:
        """Enlarge a port."""
        if self._hot is not None and self._hot.node_id in self._scene.document.shown.by_id:
            self._scene.node_item(self._hot.node_id).set_hot_port(None)
        if port is not None:
            self._scene.node_item(port.node_id).set_hot_port(port)
        self._hot = port

    def _grip(self, end: WireEnd | None) -> None:
        """Show a handle on the end of a wire."""
        if self._mark is not None:
            self._scene.removeItem(self._mark)
            self._mark = None
        self._end = end
        if end is not None:
            self._mark = Lights(self._scene.style_in_use)
            self._scene.addItem(self._mark)
            self._mark.show_marks({end.moving: (self._place_of(end), GRIP)})

    def _place_of(self, end: WireEnd) -> QPointF:
        """A point on the wire a little way from its port."""
        path = self._scene.link_item(end.link).path()
        share = min(0.5, _AT / self._view.scale_factor / max(1.0, path.length()))
        return path.pointAtPercent(share if end.at_output else 1.0 - share)

    def _pixels(self, port: Port, point: QPointF) -> float:
        offset = self._scene.port_position(port) - point
        return math.hypot(offset.x(), offset.y()) * self._view.scale_factor

    def _advice(self, port: Port | None, end: WireEnd | None) -> str:
        if end is not None:
            return "Drag this end of the wire to another port, or off to disconnect it."
        if port is None:
            return ""
        if not port.is_output and self.taken_at(port) is not None:
            return "Drag the wire in this input to another port, or off to disconnect it."
        return "Drag a wire from here, or click and then click where it shall end."
