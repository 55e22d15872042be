"""Draw a wire from one port to another, or take one end of a wire elsewhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication, QGraphicsPathItem

from studio.graph import Link
from studio.graph.edits import AddLink, Remove
from studio.graph.paths import flatten
from studio.graph.wiring import LinkRules, reroute, why_not
from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.lights import CLOSED, FITS, MISFITS, Lights
from studio.ui.canvas.link_item import wire_path
from studio.ui.canvas.node_item import Port

if TYPE_CHECKING:
    from collections.abc import Hashable

    from studio.compile.fitting import Trial
    from studio.ui.canvas.fitter import Reasons
    from studio.ui.canvas.view import GraphView

_REACH = 11.0  # pixels from the pointer to a port that it is on
_SNAP = 28.0  # pixels to a port to which the wire jumps


class DrawLink(Gesture):
    """Drag from a port, or click on it and then on another. The wire snaps to the nearest port it may end at.

    Ports at which it may end light up; those whose shapes would not fit in another colour, for such a wire can be
    drawn all the same and repaired then. Released on empty canvas, a new wire asks for a block, and the end of an old
    one lets go.

    Args:
        view: where.
        port: the end that stays; an input works as well as an output.
        taken: the wire whose other end is moved; None to draw a new one.
        from_port: whether the press was on a port, where a click may begin it too; on a wire a click selects that.
    """

    def __init__(self, view: GraphView, port: Port, taken: Link | None = None, *, from_port: bool = True) -> None:
        super().__init__(view)
        self.port = port
        self.taken = taken
        self.from_port = from_port
        self.found: Port | None = None
        self.reason = ""  # why the wire cannot end under the pointer
        self.back = False  # the pointer is where the wire begins
        self.follows = False  # the button is up and the wire follows the pointer
        self._strayed = False  # the pointer left the place of the press
        self._misfits: dict[Port, str] = {}
        self._seen = QRectF()  # the part of the canvas whose ports are lit

    def start(self, position: QPointF) -> None:
        self.pressed_at = position
        graph = self.document.graph
        if self.taken is not None:
            graph = Remove(links=frozenset({self.taken})).apply(graph)
            self.scene.link_item(self.taken).hide()
        self.graph, self.shown = graph, self.document.shown if self.taken is None else flatten(graph)
        self.rules = LinkRules(graph, is_output=self.port.is_output)
        self.lights = Lights(self.scene.style_in_use)
        self.scene.addItem(self.lights)
        self.wire = QGraphicsPathItem()
        self.wire.setPen(self.scene.style_in_use.wire_preview)
        self.wire.setZValue(2)
        self.scene.addItem(self.wire)
        self.move(position)

    def move(self, position: QPointF) -> None:
        far = (position - self.pressed_at).manhattanLength() >= QApplication.startDragDistance()
        self._strayed = self._strayed or far
        point = self.view.to_scene(position)
        self._light_ports()
        self._look(point)
        here = self.scene.port_position(self.port)
        there = point if self.found is None else self.scene.port_position(self.found)
        self.wire.setPath(wire_path(here, there) if self.port.is_output else wire_path(there, here))
        self._explain(position)

    def goes_on(self, position: QPointF) -> bool:
        """Whether the release only ended the click with which the wire began."""
        if self.follows or self._strayed or not self.from_port:
            return False
        self.follows = True
        return True

    def end(self, position: QPointF) -> None:
        self.move(position)
        found, reason = self.found, self.reason
        clicked = not (self._strayed or self.follows)
        self.cancel()
        if clicked and self.taken is not None:
            self.scene.select(links=[self.taken])
        elif found is not None:
            self._link(self._link_with(found))
        elif reason:
            self.document.refused.emit(reason)
        elif not self.back and not self._on_block(self.view.to_scene(position)):
            self._release(position)

    def cancel(self) -> None:
        self._mark(None)
        self.scene.removeItem(self.wire)
        self.scene.removeItem(self.lights)
        if self.taken is not None and self.taken in self.document.shown.links:
            self.scene.link_item(self.taken).show()
        if self.view.fitter is not None:
            self.view.fitter.forget()
        self.view.pointer_label.say("", self.pressed_at)
        self.view.hints.tell("")

    def _link(self, link: Link) -> None:
        if link in self.document.shown.links:
            return
        if self.taken is None:
            self.document.do(AddLink(link, replace_existing=True), "Connect")
        else:
            self.document.do(reroute(self.taken, link), "Re-route")

    def _release(self, position: QPointF) -> None:
        """The wire ends on empty canvas."""
        if self.taken is not None:
            self.document.do(Remove(links=frozenset({self.taken})), "Disconnect")
        else:
            self.view.adder.offer_for_wire(self.port, position)

    # Where it may end

    def _link_with(self, port: Port) -> Link:
        source, target = (self.port, port) if self.port.is_output else (port, self.port)
        return Link(source.node_id, source.index, target.node_id, target.index)

    def _allowed(self, port: Port) -> bool:
        return port.is_output != self.port.is_output and self.rules.allows(self._link_with(port))

    def _look(self, point: QPointF) -> None:
        """Find the port that is meant, or why there is none."""
        scale = self.view.scale_factor
        near = self.scene.ports_near(point, _SNAP / scale)
        on = [port for port in near if self._distance(port, point) <= _REACH / scale]
        self.back = self.port in on
        self.reason = ""
        found = next((port for port in on if self._allowed(port)), None)
        if found is None and not on:
            found = next((port for port in near if self._allowed(port)), None) or self._port_of_block_at(point)
        if found is None and not self.back:
            self.reason = self._why_not(on, point)
        self._mark(found)

    def _distance(self, port: Port, point: QPointF) -> float:
        offset = self.scene.port_position(port) - point
        return math.hypot(offset.x(), offset.y())

    def _port_of_block_at(self, point: QPointF) -> Port | None:
        """On a block's body, the port that is meant: a free one if there is one."""
        item = self.scene.node_at(point)
        ports = [port for port in item.ports() if self._allowed(port)] if item is not None else []
        free = self.shown.free_input(ports[0].node_id) if ports else None
        return next((port for port in ports if not port.is_output and port.index == free), next(iter(ports), None))

    def _on_block(self, point: QPointF) -> bool:
        """Whether a block is under the pointer; around a group's blocks there is canvas."""
        item = self.scene.node_at(point)
        return item is not None and bool(item.ports())

    def _why_not(self, on: list[Port], point: QPointF) -> str:
        item = self.scene.node_at(point)
        ports = on or (item.ports() if item is not None else [])
        if not ports:
            return ""
        facing = [port for port in ports if port.is_output != self.port.is_output]
        if facing:
            return why_not(self.graph, self._link_with(facing[0]))
        if on:
            return f"Both are {'outputs' if self.port.is_output else 'inputs'}: a wire runs from an output to an input."
        name = self.shown.node(ports[0].node_id).name
        return f"“{name}” has no {'input' if self.port.is_output else 'output'} at which the wire could end."

    # What is shown meanwhile

    def _mark(self, port: Port | None) -> None:
        if self.found is not None and self.found.node_id in self.document.shown.by_id:
            self.scene.node_item(self.found.node_id).set_hot_port(None)
        self.found = port
        if port is not None:
            self.scene.node_item(port.node_id).set_hot_port(port)

    def _light_ports(self) -> None:
        """Light the ports that are in view, once for each part of the canvas that is looked at."""
        seen = self.view.to_scene_rect(QRectF(self.view.viewport().rect()))
        if seen == self._seen:
            return
        self._seen = seen
        ports = [port for item in self.scene.nodes_in(seen) for port in item.ports() if port != self.port]
        open_ = [port for port in ports if self._allowed(port)]
        states = dict.fromkeys(ports, CLOSED) | dict.fromkeys(open_, FITS)
        states |= {port: MISFITS for port in open_ if self._misfits.get(port)}
        self.lights.show_marks({port: (self.scene.port_position(port), state) for port, state in states.items()})
        self._try_shapes(open_)

    def _try_shapes(self, ports: list[Port]) -> None:
        fitter = self.view.fitter
        if fitter is None:
            return
        from studio.compile.fitting import trial_of_link

        trials: dict[Hashable, Trial] = {}
        for port in ports:
            trial = trial_of_link(self.shown, fitter.analysis, self._link_with(port))
            if trial is not None:
                trials[port] = trial
        fitter.ask(trials, self._show_misfits)

    def _show_misfits(self, reasons: Reasons) -> None:
        for port, reason in reasons.items():
            assert isinstance(port, Port)
            self._misfits[port] = reason
            self.lights.change(port, MISFITS if reason else FITS)
        self._explain(self._position)

    def _explain(self, position: QPointF) -> None:
        """Say beside the pointer, and in the status bar, what would happen here."""
        self._position = position
        text = self.reason or (self._effect(self.found) if self.found is not None else "")
        warns = bool(self.reason or (self.found is not None and self._misfits.get(self.found)))
        self.view.pointer_label.say(text, position, warns=warns)
        self.view.hints.tell(text or self._advice())

    def _effect(self, port: Port) -> str:
        link = self._link_with(port)
        texts = [self._misfits.get(port, "")]
        rival = next((k for k in self.shown.links_into(link.target) if k.input == link.input and k != link), None)
        if rival is not None:
            texts.append(f"Takes the place of the wire from “{self.shown.node(rival.source).name}”.")
        return "\n".join(filter(None, texts))

    def _advice(self) -> str:
        if self.taken is not None:
            return "Release on another port to re-route the wire, on empty canvas to disconnect it. Escape: as it was."
        return "Release on a port, or on empty canvas to choose a block to link. Escape: no wire."
