"""Whatever is done in whatever order, the canvas shows what the document holds, after every step."""

from __future__ import annotations

import pytest
from hypothesis.stateful import invariant
from PySide6.QtCore import QPointF

from studio.graph import Graph
from studio.graph.edits import Edit
from studio.graph.geometry import is_frame, size_of
from studio.project import Project
from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.scene import GraphScene, shown_inputs
from studio.ui.document import Document
from tests.graph.machine import SETTINGS, GraphMachine, text_of

pytestmark = pytest.mark.usefixtures("qapp")


class CanvasMachine(GraphMachine):
    """The same edits through a document, with a scene that shows it."""

    def __init__(self) -> None:
        self.document = Document(Project(graph=Graph()))
        self.scene = GraphScene(self.document)
        super().__init__()

    @property
    def graph(self) -> Graph:
        return self.document.graph

    def do(self, edit: Edit) -> bool:
        before = self.document.graph
        done = self.document.do(edit, "Step")
        if self.document.graph != before:
            self.remember(self.document.graph)
        else:
            assert text_of(before) == self.texts[self.now]
        return done

    def step_back(self) -> None:
        super().step_back()
        self.document.history.undo()

    def step_forward(self) -> None:
        super().step_forward()
        self.document.history.redo()

    @invariant()
    def the_canvas_shows_the_document(self) -> None:
        shown = self.document.shown
        assert set(self.scene._nodes) == set(shown.by_id)
        for node in shown.nodes:
            item = self.scene.node_item(node.id)
            assert item.node == node
            assert item.pos() == QPointF(node.x, node.y)
            assert isinstance(item, FrameItem) == is_frame(node)
            assert item.inputs == shown_inputs(shown, node)
            if isinstance(item, FrameItem):
                assert (item._rect.width(), item._rect.height()) == size_of(node)
        assert set(self.scene._links) == set(shown.links)
        for link in shown.links:
            path = self.scene.link_item(link).path()
            assert not path.isEmpty()
            item = self.scene.node_item(link.source)
            start = next(port for port in item.ports() if port.is_output and port.index == link.output)
            assert path.elementAt(0).x == item.port_position(start).x()
            assert path.elementAt(0).y == item.port_position(start).y()
        assert set(self.scene.selected_nodes) <= set(shown.by_id)
        notes = [item.note for item in self.scene.notes.items.values()] if self.scene.has_notes else []
        assert sorted(notes, key=lambda note: note.id) == sorted(shown.notes, key=lambda note: note.id)

    def teardown(self) -> None:
        super().teardown()
        assert self.document.history.count == len(self.history) - 1
        self.scene.deleteLater()
        self.document.deleteLater()


TestCanvasMachine = CanvasMachine.TestCase
TestCanvasMachine.settings = SETTINGS
