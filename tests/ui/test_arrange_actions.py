"""Blocks are put in order by menu and key, glide there, and it is one step to undo."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle
from pytestqt.qtbot import QtBot

from studio.graph.edits import Move, Remove
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from studio.ui.panels.undo_history import UndoHistory


@pytest.fixture
def view(document: Document, qtbot: QtBot) -> Iterator[GraphView]:
    view = GraphView(GraphScene(document))
    qtbot.addWidget(view)
    view.graph_scene.setParent(view)
    view.resize(900, 700)
    view.show()
    document.do(Move((("n2", 500.0, 30.0), ("n3", -300.0, 10.0))), "Move")
    return view


def places(document: Document) -> list[tuple[float, float]]:
    return [(node.x, node.y) for node in document.graph.nodes]


def test_the_network_is_laid_out_and_glides_there(document: Document, view: GraphView, qtbot: QtBot) -> None:
    scene, before = view.graph_scene, places(document)
    view.graph_actions.arrange.layout_action.trigger()
    after = places(document)
    assert [y for _, y in after] == sorted(y for _, y in after)
    assert len({x for x, _ in after}) == 1
    assert document.history.undo_text == "Arrange automatically"
    assert scene.node_item("n2").pos() == QPointF(*before[1])  # on its way
    qtbot.waitUntil(lambda: scene.node_item("n2").pos() == QPointF(*after[1]))
    document.history.undo()
    assert places(document) == before


def test_an_edit_on_the_way_ends_the_animation(document: Document, view: GraphView) -> None:
    scene = view.graph_scene
    view.graph_actions.arrange.layout_action.trigger()
    document.do(Remove(frozenset({"n4"})), "Delete")
    node = document.graph.node("n2")
    assert scene.node_item("n2").pos() == QPointF(node.x, node.y)


def test_without_animations_on_the_desktop_there_is_none(document: Document, view: GraphView) -> None:
    class Still(QProxyStyle):
        def styleHint(self, hint: QStyle.StyleHint, *rest: object) -> int:
            wanted = hint == QStyle.StyleHint.SH_Widget_Animation_Duration
            return 0 if wanted else super().styleHint(hint, *rest)

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setStyle(Still("Fusion"))
    try:
        view.graph_actions.arrange.layout_action.trigger()
        node = document.graph.node("n2")
        assert view.graph_scene.node_item("n2").pos() == QPointF(node.x, node.y)
    finally:
        app.setStyle("Fusion")


def test_alignment_needs_two_blocks_and_spreading_three(document: Document, view: GraphView) -> None:
    arrange, scene = view.graph_actions.arrange, view.graph_scene
    scene.select(["n2"])
    assert not any(action.isEnabled() for action in (*arrange.align_actions, *arrange.distribute_actions))
    scene.select(["n2", "n3"])
    assert all(action.isEnabled() for action in arrange.align_actions)
    arrange.align_actions[0].trigger()
    assert document.graph.node("n2").x == document.graph.node("n3").x == -300
    assert document.history.undo_text == "Align left"
    scene.select(["n1", "n2", "n3", "n4"])
    arrange.distribute_actions[1].trigger()
    tops = sorted(y for _, y in places(document))
    assert len({round(b - a, 6) for a, b in itertools.pairwise(tops)}) == 1


def test_only_the_selected_blocks_are_laid_out(document: Document, view: GraphView) -> None:
    first = places(document)[0]
    view.graph_scene.select(["n2", "n3", "n4"])
    view.graph_actions.arrange.layout_action.trigger()
    assert places(document)[0] == first


def test_the_history_goes_to_any_step(document: Document, qtbot: QtBot) -> None:
    history = UndoHistory(document.history)
    qtbot.addWidget(history)
    document.do(Move((("n1", 8.0, 8.0),)), "Move it")
    document.do(Remove(frozenset({"n4"})), "Delete it")
    model = history.list.model()
    assert [model.index(i, 0).data() for i in range(model.rowCount())] == ["As it was opened", "Move it", "Delete it"]
    history.list.setCurrentIndex(model.index(1, 0))
    assert len(document.graph.nodes) == 4
    assert document.graph.node("n1").x == 8.0
