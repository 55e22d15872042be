"""The graph as items. It listens to the document and updates only what differs."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal, Slot
from PySide6.QtWidgets import QGraphicsScene

from studio.blocks import MAX_INPUTS
from studio.compile.analysis import Analysis, NodeAnalysis, Problem
from studio.graph import Graph, Link, Node
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH, PITCH, is_frame
from studio.graph.paths import contains, scopes_of
from studio.ui.canvas.figures import DEFAULT, figure_value
from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.link_item import LinkItem, side_of, straight_points
from studio.ui.canvas.node_item import NodeItem, Port
from studio.ui.canvas.style import current_style
from studio.ui.document import Document

if TYPE_CHECKING:
    from studio.compile.pictures import Picture
    from studio.training.events import Finding
    from studio.ui.canvas.notes import Notes

_CLEAR = 2.0  # scene units; a wire's own two blocks are not in its way


class GraphScene(QGraphicsScene):
    """Shows a document's graph. It holds no state of its own but what is selected."""

    changing = Signal()  # the graph changed and the items are about to follow
    selection_changed = Signal()  # other blocks or wires are selected

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Qt's tree of items kept some that were removed, and crashed when it painted them.
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.document = document
        self.style_in_use = current_style()
        self._nodes: dict[str, NodeItem] = {}
        self._links: dict[Link, LinkItem] = {}
        self._long_links: set[Link] = set()  # those between whose ends there is room for a block
        self._chosen: frozenset[Link] = frozenset()
        self._labels_visible = True
        self._figure = DEFAULT
        self._selecting = False
        self.selectionChanged.connect(self._announce_selection)
        document.graph_changed.connect(self._show)
        document.replaced.connect(self.clear_selection)
        self._show(Graph(), document.graph)

    # What is shown

    @Slot(object, object)
    def _show(self, _before: Graph, _after: Graph) -> None:
        """Show the document's graph. The items know what they show now, so the one before is not needed."""
        self.changing.emit()
        after = self.document.shown
        links = set(after.links)
        with self._one_announcement():
            self._remove(self._nodes.keys() - after.by_id.keys(), self._links.keys() - links)
            if after.notes or self.has_notes:
                self.notes.show(after)
        touched = {node.id for node in after.nodes if self._show_node(after, node)}
        for link in links - self._links.keys():
            self._links[link] = LinkItem(link, self.style_in_use)
            self.addItem(self._links[link])
            touched.add(link.source)
        self._route(after, touched)

    @functools.cached_property
    def notes(self) -> Notes:
        """The notes; made when there is one, which most networks do without."""
        from studio.ui.canvas.notes import Notes

        return Notes(self)

    @property
    def has_notes(self) -> bool:
        """Whether there are, or were, notes."""
        return "notes" in self.__dict__

    def _remove(self, node_ids: Iterable[str], links: Iterable[Link]) -> None:
        for link in links:
            self.removeItem(self._links.pop(link))
            self._long_links.discard(link)
        for node_id in node_ids:
            self._drop(node_id)
        self._chosen &= self._links.keys()

    def _drop(self, node_id: str) -> None:
        self.removeItem(self._nodes.pop(node_id))

    def _show_node(self, graph: Graph, node: Node) -> bool:
        """Add or update the item of a node; whether its wires must be drawn anew."""
        item, inputs = self._nodes.get(node.id), shown_inputs(graph, node)
        if item is not None and item.node == node and item.inputs == inputs:
            return False
        if item is not None and isinstance(item, FrameItem) != is_frame(node):
            self._drop(node.id)
            item = None
        if item is None:
            item = self._nodes[node.id] = (FrameItem if is_frame(node) else NodeItem)(node, self.style_in_use)
            item.set_labels_visible(self._labels_visible)
            self.addItem(item)
        elif item.node is not node:
            item.set_node(node)
        item.set_inputs(inputs)
        return True

    def _route(self, graph: Graph, node_ids: Iterable[str]) -> None:
        """Draw the wires at these nodes anew, and those that have or had a moved block in their way."""
        at_nodes = {k for i in node_ids for k in (*graph.links_into(i), *graph.links_out_of(i))}
        for link in at_nodes | self._long_links:
            start = self.port_position(Port(link.source, True, link.output))
            end = self.port_position(Port(link.target, False, link.input))
            is_long = end.y() - start.y() > PITCH
            (self._long_links.add if is_long else self._long_links.discard)(link)
            blocks = self._blocks_between(start, end) if is_long else []
            self._links[link].set_ends(start, end, side_of(blocks, start, end) if blocks else None)

    def _blocks_between(self, start: QPointF, end: QPointF) -> list[QRectF]:
        """Bodies of the blocks behind which a wire on the straight way would disappear."""
        around = QRectF(start, end).normalized().adjusted(-1, _CLEAR, 1, -_CLEAR)
        points = straight_points(start, end)
        items = [item for item in self.nodes_in(around) if not isinstance(item, FrameItem)]
        bodies = [QRectF(item.pos(), QSizeF(NODE_WIDTH, NODE_HEIGHT)) for item in items]
        return [body for body in bodies if any(body.contains(point) for point in points)]

    def show_analysis(self, analysis: Analysis) -> None:
        """Write shapes on the wires and problems on the blocks."""
        problems: defaultdict[str | None, list[Problem]] = defaultdict(list)
        for problem in analysis.problems:
            problems[problem.node_id].append(problem)
            if problem.node_id is not None and problem.node_id not in self._nodes:  # in a group that is folded
                folded = next((scope for scope in scopes_of(problem.node_id) if scope in self._nodes), None)
                problems[folded].append(replace(problem, message=f"Inside: {problem.message}"))
        for node_id, item in self._nodes.items():
            item.set_analysis(analysis.nodes.get(node_id, NodeAnalysis()), tuple(problems.get(node_id, ())))
        self._show_figures()

    def show_figure(self, figure: str) -> None:
        """Write one of `figures.TITLES` on every block."""
        self._figure = figure
        self._show_figures()

    def _show_figures(self) -> None:
        shown = [item for item in self._nodes.values() if not isinstance(item, FrameItem)]
        largest = max((figure_value(item.analysis, self._figure) for item in shown), default=0)
        for item in shown:
            item.set_figure(self._figure, largest)

    def show_pictures(self, pictures: Mapping[str, Picture]) -> None:
        """Show on the blocks what a sample looks like after them; on those that are left out, nothing."""
        for node_id, item in self._nodes.items():
            if not isinstance(item, FrameItem):
                item.set_picture(pictures.get(node_id))

    def show_findings(self, findings: Mapping[str, tuple[Finding, ...]]) -> None:
        """Mark the blocks about which something was found in a run; those that are left out get no mark."""
        for node_id, item in self._nodes.items():
            item.set_findings(findings.get(node_id, ()))

    def places_of(self, ids: Iterable[str]) -> dict[str, QPointF]:
        """Where nodes and notes stand, with what is in frames; those that do not exist are left out."""
        chosen = set(ids)
        moved = {inner for node_id in chosen & self._nodes.keys() for inner in (node_id, *self.inside(node_id))}
        nodes, notes = self.document.shown.by_id, self.document.graph.notes
        places = {i: QPointF(nodes[i].x, nodes[i].y) for i in nodes if i in moved and i in self._nodes}
        return places | {note.id: QPointF(note.x, note.y) for note in notes if note.id in chosen}

    def show_at(self, positions: Mapping[str, QPointF]) -> None:
        """Show nodes and notes at other places than the graph says, while they are dragged."""
        for item_id, position in positions.items():
            if item_id in self._nodes:
                self._nodes[item_id].setPos(position)
                self._nodes[item_id].raise_above(others=True)
            else:
                self.notes.items[item_id].setPos(position)
        self._route(self.document.shown, positions.keys() & self._nodes.keys())

    def show_in_place(self, ids: Iterable[str]) -> None:
        """Show nodes and notes where the graph says."""
        places = self.places_of(ids)
        self.show_at(places)
        for node_id in places.keys() & self._nodes.keys():
            self._nodes[node_id].raise_above(others=False)

    def set_labels_visible(self, visible: bool) -> None:
        """Show or hide the shapes on the wires; from afar they cannot be read, but cost time."""
        if visible != self._labels_visible:
            self._labels_visible = visible
            for item in self._nodes.values():
                item.set_labels_visible(visible)

    def restyle(self) -> None:
        """Take the colours of the theme in use."""
        self.style_in_use = current_style()
        self.update()  # the ground too
        for node in self._nodes.values():
            node.set_style(self.style_in_use)
        for link in self._links.values():
            link.set_style(self.style_in_use)
        if self.has_notes:
            self.notes.restyle()

    # What is where

    def node_item(self, node_id: str) -> NodeItem:
        """The item of a node. Raises KeyError if it is not in the graph."""
        return self._nodes[node_id]

    def link_item(self, link: Link) -> LinkItem:
        """The item of a link. Raises KeyError if it is not in the graph."""
        return self._links[link]

    def port_position(self, port: Port) -> QPointF:
        """Centre of a port, in scene units."""
        return self._nodes[port.node_id].port_position(port)

    def nodes_in(self, rect: QRectF) -> list[NodeItem]:
        """Items of the nodes that touch a rectangle, the topmost first."""
        return [item for item in self.items(rect) if isinstance(item, NodeItem)]

    def inside(self, node_id: str) -> list[str]:
        """Ids of the nodes that are shown in a frame, at any depth."""
        return [other for other in self._nodes if contains(node_id, other)]

    def node_at(self, point: QPointF) -> NodeItem | None:
        """The topmost node under a point."""
        return next((item for item in self.items(point) if isinstance(item, NodeItem)), None)

    def link_at(self, point: QPointF, radius: float = 0.0) -> Link | None:
        """A wire that comes within so many scene units of a point (wires themselves are a few units wide)."""
        found = self.items(_square(point, max(radius, 0.5)))
        return next((item.link for item in found if isinstance(item, LinkItem)), None)

    def ports_near(self, point: QPointF, radius: float) -> list[Port]:
        """Ports within so many scene units of a point, the nearest first."""
        items = self.nodes_in(_square(point, radius))
        near = [(_distance(item.port_position(port), point), port) for item in items for port in item.ports()]
        return [port for distance, port in sorted(near, key=lambda pair: pair[0]) if distance <= radius]

    # What is selected

    @property
    def selected_nodes(self) -> tuple[str, ...]:
        """Ids of the selected nodes, in the graph's order."""
        return tuple(node_id for node_id, item in self._nodes.items() if item.isSelected())

    @property
    def selected_notes(self) -> tuple[str, ...]:
        """Ids of the selected notes, in the graph's order."""
        return self.notes.chosen if self.has_notes else ()

    @property
    def selected_links(self) -> frozenset[Link]:
        """The selected wires."""
        return self._chosen

    def select(self, ids: Iterable[str] = (), links: Iterable[Link] = ()) -> None:
        """Select these nodes, notes and links and nothing else; what is not in the graph is left out."""
        wanted = set(ids)
        with self._one_announcement():
            if self.has_notes:
                self.notes.choose(wanted)
            for node_id, item in self._nodes.items():
                item.setSelected(node_id in wanted)
            self._choose(frozenset(links) & self._links.keys())

    def clear_selection(self) -> None:
        """Select nothing."""
        self.select()

    def _choose(self, links: frozenset[Link]) -> None:
        for link in links ^ self._chosen:
            self._links[link].set_chosen(link in links)
        self._chosen = links

    @contextmanager
    def _one_announcement(self) -> Iterator[None]:
        """Announces once what changes the selection in several steps, and only if it did.

        In between, items of nodes that are no longer in the graph can still be selected.
        """
        before = (self.selected_nodes, self.selected_notes, self._chosen)
        self._selecting = True
        try:
            yield
        finally:
            self._selecting = False
        if before != (self.selected_nodes, self.selected_notes, self._chosen):
            self._announce_selection()

    @Slot()
    def _announce_selection(self) -> None:
        if not self._selecting:
            self.selection_changed.emit()


def shown_inputs(graph: Graph, node: Node) -> int:
    """How many input ports a node shows: for a block that takes many, one more than are linked."""
    if not node.block.many_inputs:
        return len(node.block.inputs)
    links = graph.links_into(node.id)
    last_used = links[-1].input + 1 if links else 0
    return min(MAX_INPUTS, max(len(node.block.inputs), len(links) + 1, last_used))


def _square(center: QPointF, radius: float) -> QRectF:
    return QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius)


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
