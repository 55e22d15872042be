"""The inspector: what is selected, its settings and what is known of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from studio.compile.analysis import Analysis
from studio.graph import Graph, Link
from studio.ui.canvas.scene import GraphScene
from studio.ui.document import Document
from studio.ui.panels.network_page import NetworkPage
from studio.ui.widgets.plain_text import Heading, PlainLabel

if TYPE_CHECKING:
    from studio.ui.panels.block_page import BlockPage
    from studio.ui.samples import Sighting


class Inspector(QWidget):
    """Shows one block, or the whole network if none is selected, or a count if several are."""

    next_sample_wanted = Signal()
    code_trusted = Signal()  # some code may run that could not before
    weights_wanted = Signal(object)  # WeightsFile that a backbone begins with, to be downloaded
    message = Signal(str)

    def __init__(self, document: Document, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAccessibleName("Inspector")
        self._document = document
        self._scene = scene
        self._analysis: Analysis | None = None
        self._sighting: Sighting | None = None
        self.network_page = NetworkPage(document, self)
        self.selection_page = _SelectionPage(self)
        self.stack = QStackedWidget(self)
        self._scroll_areas: dict[QWidget, QScrollArea] = {
            self.network_page: self._add(self.network_page, "inspector_network", "The network"),
            self.selection_page: self._add(self.selection_page, "inspector_selection", "What is selected"),
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        scene.selection_changed.connect(self.refresh)
        document.project_changed.connect(self.refresh)
        self.refresh()

    @functools.cached_property
    def block_page(self) -> BlockPage:
        """The page of a block; made when the first one is selected, which is after the window showed."""
        from studio.ui.panels.block_page import BlockPage

        page = BlockPage(self._document, self)
        page.sample_section.next_wanted.connect(self.next_sample_wanted)
        page.pretrained.wanted.connect(self.weights_wanted)
        page.trust.trusted.connect(self.code_trusted)
        page.trust.trusted.connect(self.refresh)
        page.trust.refused.connect(self.message)
        self._scroll_areas[page] = self._add(page, "inspector_block", "The selected block")
        return page

    def _add(self, page: QWidget, name: str, accessible_name: str) -> QScrollArea:
        area = QScrollArea(self)
        area.setObjectName(name)
        area.setAccessibleName(accessible_name)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        self.stack.addWidget(area)
        return area

    @Slot()
    def refresh(self) -> None:
        """Show what is selected now."""
        nodes, links = self._scene.selected_nodes, self._scene.selected_links
        if len(nodes) == 1 and not links:
            self._show_block(nodes[0])
        elif nodes or links:
            self.selection_page.show_selection(self._document.shown, nodes, links, self._analysis)
            self.stack.setCurrentWidget(self._scroll_areas[self.selection_page])
        else:
            self.network_page.show_project(self._document.project)
            self.stack.setCurrentWidget(self._scroll_areas[self.network_page])

    def _show_block(self, node_id: str) -> None:
        self.block_page.show_node(self._document.shown.node(node_id))
        self._show_facts(node_id)
        self.stack.setCurrentWidget(self._scroll_areas[self.block_page])

        self.block_page.sample_section.show_sighting(self._sighting, node_id)

    @Slot(object)
    def show_sighting(self, sighting: Sighting) -> None:
        """Show what a sample looks like after the selected block."""
        self._sighting = sighting
        nodes = self._scene.selected_nodes
        if len(nodes) == 1:
            self.block_page.sample_section.show_sighting(sighting, nodes[0])

    def _show_facts(self, node_id: str) -> None:
        if self._analysis is None:
            self.block_page.show_facts(None, [])
        else:
            problems = [problem for problem in self._analysis.problems if problem.node_id == node_id]
            self.block_page.show_facts(self._analysis.nodes.get(node_id), problems)

    @Slot(object)
    def show_analysis(self, analysis: Analysis) -> None:
        """Show what was inferred of the graph."""
        self._analysis = analysis
        self.network_page.show_analysis(analysis)
        self.refresh()

    @Slot()
    def edit_name(self) -> None:
        """Put the cursor into the name of the selected block."""
        page = self.block_page
        if self.stack.currentWidget() is self._scroll_areas[page]:
            page.focus_name()

    @Slot()
    def edit_block(self) -> None:
        """Put the cursor into the first setting of the selected block."""
        page = self.block_page
        if self.stack.currentWidget() is self._scroll_areas[page]:
            page.focus_first()


class _SelectionPage(QWidget):
    """What can be said of several things at once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = Heading("", self, large=True)
        self.facts = PlainLabel("", self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.title)
        layout.addWidget(self.facts)
        layout.addStretch(1)

    def show_selection(
        self, graph: Graph, nodes: tuple[str, ...], links: frozenset[Link], analysis: Analysis | None
    ) -> None:
        """Show how much is selected, and the blocks' parameters or the wire's ends and shape."""
        counts = [(len(nodes), "block"), (len(links), "link")]
        words = " and ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts if n)
        self.title.setText(f"{words} selected")
        if not nodes and len(links) == 1:
            self.facts.setText(_wire_text(graph, next(iter(links)), analysis))
        else:
            total = sum(analysis.nodes[i].parameters for i in nodes if i in analysis.nodes) if analysis else 0
            self.facts.setText(f"{total:,} parameters in them" if analysis and nodes else "")


def _wire_text(graph: Graph, link: Link, analysis: Analysis | None) -> str:
    text = f"From “{graph.node(link.source).name}” to “{graph.node(link.target).name}”"
    outputs = analysis.nodes[link.source].outputs if analysis and link.source in analysis.nodes else ()
    return f"{text}\n({outputs[link.output]})" if link.output < len(outputs) else text
