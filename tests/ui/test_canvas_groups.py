"""Groups on the canvas and in the inspector, by pointer and actions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.blocks import Block
from studio.compile.shapes import analyze
from studio.graph.edits import SetBlock
from studio.graph.groups import GroupInput, GroupUse
from studio.ui.analyzer import Analyzer
from studio.ui.canvas.actions import CanvasActions
from studio.ui.canvas.frame_item import FrameItem
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document
from studio.ui.panels.build_place import BuildPlace
from tests.helpers import block

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def place(document: Document, qtbot: QtBot) -> Iterator[BuildPlace]:
    analyzer = Analyzer(document)
    place = BuildPlace(document, analyzer)
    qtbot.addWidget(place)
    place.resize(1200, 800)
    place.show()
    qtbot.waitExposed(place)
    yield place
    analyzer.close()


@pytest.fixture
def view(place: BuildPlace) -> GraphView:
    return place.view


@pytest.fixture
def scene(view: GraphView) -> GraphScene:
    return view.graph_scene


@pytest.fixture
def actions(view: GraphView) -> CanvasActions:
    return view.graph_actions


def grouped(scene: GraphScene, actions: CanvasActions, *ids: str) -> str:
    """Group some blocks; the path of the group."""
    scene.select(ids)
    actions.groups.group_action.trigger()
    (path,) = scene.selected_nodes
    return path


def pixel(view: GraphView, x: float, y: float) -> QPoint:
    return view.viewportTransform().map(QPointF(x, y)).toPoint()


def inner(document: Document, path: str, local: str) -> Block:
    return document.shown.node(f"{path}/{local}").block


def names_on_canvas(document: Document) -> set[str]:
    return {node.name for node in document.shown.nodes}


def test_a_selection_becomes_one_block_in_one_step(
    document: Document, scene: GraphScene, actions: CanvasActions
) -> None:
    before = document.graph
    path = grouped(scene, actions, "n2", "n3")
    assert names_on_canvas(document) == {"input_1", "group_1", "output_4"}
    assert document.history.undo_text == "Group"
    assert not isinstance(scene.node_item(path), FrameItem)
    document.history.undo()
    assert document.graph == before
    document.history.redo()
    assert scene.node_item(path).node.block.title == "Group1"


def test_what_cannot_be_grouped_is_told(document: Document, scene: GraphScene, actions: CanvasActions) -> None:
    told: list[str] = []
    document.refused.connect(told.append)
    scene.select(["n1", "n2"])
    actions.groups.group_action.trigger()
    assert "stands outside" in told[0]
    assert document.history.count == 0


def test_it_unfolds_by_a_double_click_and_folds_by_its_button(
    document: Document, view: GraphView, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    node = document.shown.node(path)
    QTest.mouseDClick(view.viewport(), LEFT, NONE, pixel(view, node.x + 60, node.y + 22))
    frame = scene.node_item(path)
    assert isinstance(frame, FrameItem)
    assert {"dense_2", "relu_3", "input_1", "output_1"} <= names_on_canvas(document)
    assert all(frame.sceneBoundingRect().contains(scene.node_item(i).sceneBoundingRect()) for i in scene.inside(path))
    corner = document.shown.node(path)
    QTest.mouseClick(view.viewport(), LEFT, NONE, pixel(view, corner.x + 12, corner.y + 12))
    assert not isinstance(scene.node_item(path), FrameItem)
    assert document.history.texts == ("Group", "Unfold", "Fold")
    assert scene.selected_nodes == (path,)


def test_a_block_inside_is_dragged_in_its_frame(
    document: Document, view: GraphView, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    actions.groups.fold_action.trigger()
    view.fit()
    node = document.shown.node(f"{path}/n3")
    start = pixel(view, node.x + 60, node.y + 22)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    for step in (QPoint(40, 0), QPoint(100, 0)):
        QTest.mouseMove(view.viewport(), start + step)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(100, 0))
    moved = document.shown.node(f"{path}/n3")
    assert moved.x > node.x + 50
    assert moved.y == node.y
    assert document.graph.node(path).block != node.block
    frame = scene.node_item(path)
    assert frame.sceneBoundingRect().contains(scene.node_item(f"{path}/n3").sceneBoundingRect())


def test_a_frame_is_dragged_with_all_in_it(
    document: Document, view: GraphView, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    actions.groups.fold_action.trigger()
    view.fit()
    before = {node.id: (node.x, node.y) for node in document.shown.nodes}
    start = pixel(view, before[path][0] + 120, before[path][1] + 12)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    for step in (QPoint(40, 0), QPoint(80, 0)):
        QTest.mouseMove(view.viewport(), start + step)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(80, 0))
    after = {node.id: (node.x, node.y) for node in document.shown.nodes}
    shifts = {after[i][0] - before[i][0] for i in after if i.startswith(path)}
    assert len(shifts) == 1
    assert min(shifts) > 40
    assert {i for i in after if after[i] == before[i]} == {"n1", "n4"}


def test_a_wire_is_drawn_to_a_port_in_a_frame(document: Document, scene: GraphScene, actions: CanvasActions) -> None:
    path = grouped(scene, actions, "n2", "n3")
    actions.groups.fold_action.trigger()
    scene.select([path])
    actions.groups.entry_action.trigger()
    use = document.graph.node(path).block
    assert isinstance(use, GroupUse)
    assert len(use.inputs) == 2
    ports = [node for node in document.shown.nodes if isinstance(node.block, GroupInput)]
    assert len({(node.x, node.y) for node in ports}) == 2
    assert document.history.undo_text == "Add group input"


def test_a_problem_inside_marks_the_folded_group_and_is_shown_unfolded(
    document: Document, place: BuildPlace, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    document.do(SetBlock(f"{path}/n3", block("max_pool", size=9)), "Change")
    analysis = analyze(document.graph)
    scene.show_analysis(analysis)
    assert scene.node_item(path).problems[0].message.startswith("Inside: ")
    place.show_node(f"{path}/n3")
    assert scene.selected_nodes == (f"{path}/n3",)
    assert isinstance(scene.node_item(path), FrameItem)


def test_linked_copies_are_detached_from_the_inspector(
    document: Document, place: BuildPlace, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    assert not actions.groups.detach_action.isEnabled()
    actions.duplicate_action.trigger()
    (copy,) = scene.selected_nodes
    section = place.inspector.block_page.group_section
    assert section.linked.text().startswith("Linked: used 2 times")
    assert section.detach.isVisible()
    QTest.mouseClick(section.detach, LEFT)
    assert section.linked.text() == "Used once."
    assert document.graph.node(copy).block.title != document.graph.node(path).block.title


def test_an_exposed_setting_is_edited_in_the_groups_form(
    document: Document, place: BuildPlace, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    actions.groups.fold_action.trigger()
    scene.select([f"{path}/n2"])
    section = place.inspector.block_page.group_section
    texts = [action.text() for action in section.expose.menu().actions()]
    assert texts[0] == "Units as “units”"
    section.expose.menu().actions()[0].trigger()
    scene.select([path])
    page = place.inspector.block_page
    assert list(page.form.editors) == ["units"]
    page.form.editors["units"].control.setValue(77)
    assert inner(document, path, "n2") == block("dense", units=77)
    assert document.history.undo_text == "Change units"


def test_a_group_name_that_means_something_in_code_is_refused(
    document: Document, place: BuildPlace, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2", "n3")
    section = place.inspector.block_page.group_section
    section.name_editor.setFocus()
    section.name_editor.setText("torch")
    section.name_editor.editingFinished.emit()
    assert "means something else" in section.refusal.text()
    assert document.graph.node(path).block.title == "Group1"
    section.name_editor.setText("Hidden")
    section.name_editor.editingFinished.emit()
    assert document.graph.node(path).block.title == "Hidden"
    assert section.refusal.text() == ""


def test_repeating_by_the_form_is_one_step(document: Document, place: BuildPlace, scene: GraphScene) -> None:
    scene.select(["n3"])
    usage = place.inspector.block_page.usage
    for times in (2, 3, 4):
        usage.repeat.control.setValue(times)
    assert document.graph.node("n3").repeat == 4
    assert document.history.count == 1
    assert "×4" in scene.node_item("n3").description
    scene.select(["n1"])
    assert usage.isHidden()


def test_bypass_is_switched_on_and_off(document: Document, scene: GraphScene, actions: CanvasActions) -> None:
    scene.select(["n1", "n2", "n3"])
    actions.bypass_action.trigger()
    assert [node.bypassed for node in document.graph.nodes] == [False, True, True, False]
    assert actions.bypass_action.isChecked()
    assert "Bypassed" in scene.node_item("n2").description
    actions.bypass_action.trigger()
    assert not any(node.bypassed for node in document.graph.nodes)


def test_deleting_with_reconnect_closes_the_gap(document: Document, scene: GraphScene, actions: CanvasActions) -> None:
    scene.select(["n2", "n3"])
    actions.dissolve_action.trigger()
    assert [(k.source, k.target) for k in document.graph.links] == [("n1", "n4")]
    assert document.history.count == 1


def test_blocks_go_over_the_clipboard_as_text(document: Document, scene: GraphScene, actions: CanvasActions) -> None:
    scene.select(["n2", "n3"])
    actions.clipboard.copy_action.trigger()
    assert "training-studio-blocks" in QGuiApplication.clipboard().text()
    actions.clipboard.paste(None)
    first = scene.selected_nodes
    actions.clipboard.paste(None)
    assert len(document.graph.nodes) == 8
    assert len({(node.x, node.y) for node in document.graph.nodes}) == 8
    assert [k for k in document.graph.links if k.source in first] != []
    assert document.history.undo_text == "Paste 2 blocks"
    scene.select(first)
    actions.clipboard.cut_action.trigger()
    assert len(document.graph.nodes) == 6


@pytest.mark.parametrize("text", ["", "hello", '{"format": "training-studio-blocks"}', '{"format": "training-studio-b'])
def test_other_texts_are_not_pasted(document: Document, actions: CanvasActions, text: str) -> None:
    told: list[str] = []
    document.refused.connect(told.append)
    QGuiApplication.clipboard().setText(text)
    actions.clipboard.paste(None)
    assert "clipboard" in told[0]
    assert document.history.count == 0


def test_pasted_over_a_frame_it_goes_into_the_group(
    document: Document, scene: GraphScene, actions: CanvasActions
) -> None:
    path = grouped(scene, actions, "n2")
    actions.groups.fold_action.trigger()
    scene.select(["n3"])
    actions.clipboard.copy_action.trigger()
    frame = document.shown.node(path)
    actions.clipboard.paste(QPointF(frame.x + 100, frame.y + 60))
    assert [i.startswith(f"{path}/") for i in scene.selected_nodes] == [True]
