"""The scene and the view without gestures."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QInputDevice, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.compile.analysis import ERROR, WARNING, Analysis, NodeAnalysis, Problem
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddLink, AddNode, Move, Remove, Rename, SetBlock
from studio.graph.geometry import COLUMN, GRID
from studio.project import Project
from studio.tensors import TensorSpec
from studio.ui import theme
from studio.ui.canvas.link_item import LinkItem
from studio.ui.canvas.node_item import NodeItem, Port
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document


@pytest.fixture
def view(document: Document, qtbot: QtBot) -> GraphView:
    view = GraphView(GraphScene(document))
    qtbot.addWidget(view)
    view.graph_scene.setParent(view)
    view.resize(800, 600)
    with qtbot.waitExposed(view):
        view.show()
    view.setFocus()
    return view


@pytest.fixture(scope="module")
def screen() -> QPointingDevice:
    """One that can be touched; Qt never forgets it."""
    return QTest.createTouchDevice()


@pytest.fixture
def scene(view: GraphView) -> GraphScene:
    return view.graph_scene


def add_join(document: Document) -> None:
    document.do(AddNode(Node("n9", "add_1", registry.get("add")(), 300.0, 300.0)), "Add")


def items(scene: GraphScene, cls: type) -> list[object]:
    return [item for item in scene.items() if isinstance(item, cls)]


def test_it_shows_every_node_and_link(scene: GraphScene) -> None:
    assert len(items(scene, NodeItem)) == 4
    assert len(items(scene, LinkItem)) == 3


def test_only_what_differs_is_made_anew(scene: GraphScene, document: Document) -> None:
    before = {i: scene.node_item(i) for i in ("n1", "n2", "n4")}
    wire = scene.link_item(Link("n1", 0, "n2", 0))
    document.do(Remove(frozenset({"n3"})), "Delete")
    assert all(scene.node_item(i) is item for i, item in before.items())
    assert scene.link_item(Link("n1", 0, "n2", 0)) is wire
    assert len(items(scene, LinkItem)) == 1
    document.history.undo()
    assert len(items(scene, LinkItem)) == 3


def test_wires_run_from_port_to_port_and_follow(scene: GraphScene, document: Document) -> None:
    document.do(Move((("n2", 400.0, 72.0),)), "Move")
    for link in document.graph.links:
        path = scene.link_item(link).path()
        assert path.pointAtPercent(0) == scene.port_position(Port(link.source, True, 0))
        assert path.pointAtPercent(1) == scene.port_position(Port(link.target, False, 0))


def test_a_block_that_takes_many_shows_one_port_more_than_it_has_links(scene: GraphScene, document: Document) -> None:
    add_join(document)
    shown = [scene.node_item("n9").inputs]
    for port in (0, 1):
        document.do(AddLink(Link("n2", 0, "n9", port)), "Connect")
        shown.append(scene.node_item("n9").inputs)
    document.do(Remove(links=frozenset({Link("n2", 0, "n9", 0)})), "Delete")
    shown.append(scene.node_item("n9").inputs)  # port 0 is free again, port 1 still used
    assert shown == [1, 2, 3, 2]


def test_shapes_stand_on_the_wires_and_problems_on_the_blocks(scene: GraphScene) -> None:
    shape = TensorSpec((16, 14, 14), "CHW")
    problems = (Problem(ERROR, "Dense does not fit.", "n2"), Problem(WARNING, "It is not used.", "n3"))
    scene.show_analysis(Analysis({"n1": NodeAnalysis((), (shape,), 320)}, problems))
    assert scene.node_item("n1").shape_labels == ["N, 16 C, 14 H, 14 W"]
    assert [scene.node_item(i).severity for i in ("n1", "n2", "n3")] == ["", ERROR, WARNING]
    assert "Dense does not fit." in scene.node_item("n2").toolTip()
    scene.show_analysis(Analysis())
    assert scene.node_item("n1").shape_labels == [""]
    assert scene.node_item("n2").severity == ""


def test_messages_are_never_taken_for_html(scene: GraphScene) -> None:
    scene.show_analysis(Analysis(problems=(Problem(ERROR, "<img src=x> & co", "n2"),)))
    assert "&lt;img src=x&gt; &amp; co" in scene.node_item("n2").toolTip()
    assert "<img" not in scene.node_item("n2").toolTip()


def test_the_selection_survives_updates(scene: GraphScene, document: Document, qtbot: QtBot) -> None:
    wire = Link("n3", 0, "n4", 0)
    scene.select(["n2", "n3"], [wire])
    document.do(SetBlock("n2", registry.get("dense")(units=7)), "Change units")
    document.do(Move((("n3", 8.0, 200.0),)), "Move")
    assert scene.selected_nodes == ("n2", "n3")
    assert scene.selected_links == {wire}


def test_what_is_removed_is_not_selected_and_that_is_told_once(
    scene: GraphScene, document: Document, qtbot: QtBot
) -> None:
    scene.select(["n2", "n3", "n4"], [Link("n3", 0, "n4", 0)])
    told: list[tuple[str, ...]] = []
    scene.selection_changed.connect(lambda: told.append(scene.selected_nodes))
    document.do(Remove(frozenset({"n3", "n4"})), "Delete")
    assert told == [("n2",)]
    assert scene.selected_links == frozenset()


def test_another_project_is_shown_without_a_selection(scene: GraphScene, document: Document) -> None:
    scene.select(["n2"])
    document.reset(Project(graph=Graph((Node("n2", "relu_1", registry.get("relu")()),))))
    assert scene.selected_nodes == ()
    assert len(items(scene, NodeItem)) == 1


def test_hostile_graphs_with_positions_far_away_can_be_seen(view: GraphView, document: Document) -> None:
    document.do(Move((("n2", 1e7, -1e7),)), "Move")
    view.graph_scene.select(["n2"])
    view.reveal("n2")
    visible = view.to_scene_rect(QRectF(view.viewport().rect()))
    assert visible.contains(view.graph_scene.node_item("n2").sceneBoundingRect())


def test_fit_shows_everything_never_larger_than_life(view: GraphView, document: Document) -> None:
    assert view.scale_factor == 1.0
    document.do(Move((("n4", 4000.0, 3000.0),)), "Move")
    view.fit()
    assert view.scale_factor < 0.3
    visible = view.to_scene_rect(QRectF(view.viewport().rect()))
    assert visible.contains(view.graph_scene.itemsBoundingRect())


def test_fitted_it_stays_so_when_the_window_changes_until_one_zooms(view: GraphView, qtbot: QtBot) -> None:
    view.resize(800, 200)
    qtbot.waitUntil(lambda: view.scale_factor < 1.0)
    view.zoom(2.0)
    scale = view.scale_factor
    view.resize(800, 600)
    QApplication.processEvents()
    assert view.scale_factor == scale


def test_an_empty_canvas_can_be_fitted(qtbot: QtBot) -> None:
    view = GraphView(GraphScene(Document(Project())))
    qtbot.addWidget(view)
    view.graph_scene.setParent(view)
    view.show()
    view.fit()
    assert view.scale_factor == 1.0


def turn_wheel(view: GraphView, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
    wheel = QWheelEvent(
        position, view.viewport().mapToGlobal(position), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), wheel)


@pytest.mark.parametrize("modifiers", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier])
def test_the_wheel_zooms_at_the_pointer(view: GraphView, modifiers: Qt.KeyboardModifier) -> None:
    pointer = QPointF(150, 420)
    before = view.to_scene(pointer)
    turn_wheel(view, pointer, modifiers)
    assert view.scale_factor == pytest.approx(1.44)
    assert (view.to_scene(pointer) - before).manhattanLength() < 2
    for _ in range(40):
        turn_wheel(view, pointer, modifiers)
    assert view.scale_factor == pytest.approx(4.0)


def test_two_fingers_on_a_touchpad_pan_and_with_ctrl_zoom(view: GraphView) -> None:
    touchpad = QPointingDevice(
        "pad", 7, QInputDevice.DeviceType.TouchPad, QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.Position, 2, 0,
    )  # fmt: skip

    def scroll(pixels: QPoint, angle: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        pointer = QPointF(150, 420)
        wheel = QWheelEvent(
            pointer, view.viewport().mapToGlobal(pointer), pixels, angle, Qt.MouseButton.NoButton, modifiers,
            Qt.ScrollPhase.ScrollUpdate, False, Qt.MouseEventSource.MouseEventNotSynthesized, touchpad,
        )  # fmt: skip
        QApplication.sendEvent(view.viewport(), wheel)

    scale, origin = view.scale_factor, view.viewportTransform().map(QPointF(0, 0))
    scroll(QPoint(30, -20), QPoint(60, -40), Qt.KeyboardModifier.NoModifier)
    assert view.viewportTransform().map(QPointF(0, 0)) - origin == QPointF(30, -20)
    scroll(QPoint(), QPoint(60, -40), Qt.KeyboardModifier.NoModifier)  # X11 tells no pixels
    assert view.viewportTransform().map(QPointF(0, 0)) - origin == QPointF(60, -40)
    assert view.scale_factor == scale
    scroll(QPoint(0, 10), QPoint(0, 120), Qt.KeyboardModifier.ControlModifier)
    assert view.scale_factor == pytest.approx(1.2 * scale)


def test_a_pinch_on_a_touchpad_zooms_at_the_pointer(view: GraphView) -> None:
    pointer, before = QPointF(150, 220), view.to_scene(QPointF(150, 220))
    scale, device = view.scale_factor, QPointingDevice.primaryPointingDevice()
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, device, 2, pointer, pointer, view.viewport().mapToGlobal(pointer),
        0.25, QPointF(),
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), pinch)
    assert view.scale_factor == pytest.approx(1.25 * scale)
    assert (view.to_scene(pointer) - before).manhattanLength() < 2


def test_two_fingers_on_the_screen_zoom_between_them(view: GraphView, screen: QPointingDevice) -> None:
    viewport, scale = view.viewport(), view.scale_factor
    before = view.to_scene(QPointF(200, 200))
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(180, 200))  # of the first finger
    assert view.busy
    spread = [(180 - 10 * step, 220 + 10 * step) for step in range(8)]
    for number, (left, right) in enumerate(spread):
        fingers = QTest.touchEvent(viewport, screen)
        put = fingers.press if number == 0 else fingers.move
        put(0, QPoint(left, 200), viewport)
        put(1, QPoint(right, 200), viewport)
        fingers.commit()
    fingers = QTest.touchEvent(viewport, screen)
    for finger, x in enumerate(spread[-1]):
        fingers.release(finger, QPoint(x, 200), viewport)
    fingers.commit()
    assert not view.busy
    assert view.scale_factor > 1.8 * scale
    assert (view.to_scene(QPointF(200, 200)) - before).manhattanLength() < 8


def test_from_afar_shapes_are_hidden_and_the_picture_can_still_be_painted(view: GraphView) -> None:
    label = view.graph_scene.node_item("n1").childItems()[0]
    view.zoom(0.2)
    assert not label.isVisible()
    assert not view.grab().isNull()
    view.zoom(5)
    assert label.isVisible()


def test_painting_shows_errors_and_selection(view: GraphView) -> None:
    plain = view.grab().toImage()
    view.graph_scene.show_analysis(Analysis(problems=(Problem(ERROR, "Wrong.", "n2"),)))
    wrong = view.grab().toImage()
    view.graph_scene.select(["n2"])
    assert plain != wrong != view.grab().toImage()


@pytest.fixture
def dark(qapp: QApplication) -> Iterator[None]:
    before = qapp.palette()
    theme.apply_theme(qapp, theme.DARK_MODE)
    yield
    qapp.setPalette(before)


def test_it_follows_the_theme(view: GraphView, request: pytest.FixtureRequest) -> None:
    corner = view.grab().toImage().pixelColor(5, 5)
    request.getfixturevalue("dark")
    QApplication.processEvents()
    assert view.graph_scene.style_in_use.theme is theme.DARK
    assert view.grab().toImage().pixelColor(5, 5) != corner


def press(view: GraphView, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(view, key, modifier)


def test_delete_is_one_step(view: GraphView, document: Document) -> None:
    before = document.graph
    view.graph_scene.select(["n2", "n3"], [Link("n3", 0, "n4", 0)])
    press(view, Qt.Key.Key_Delete)
    assert [node.id for node in document.graph.nodes] == ["n1", "n4"]
    assert document.history.undo_text == "Delete 2 blocks"
    document.history.undo()
    assert document.graph == before


def test_a_wire_alone_can_be_deleted(view: GraphView, document: Document) -> None:
    view.graph_scene.select(links=[Link("n1", 0, "n2", 0)])
    press(view, Qt.Key.Key_Delete)
    assert len(document.graph.nodes) == 4
    assert document.graph.links == (Link("n2", 0, "n3", 0), Link("n3", 0, "n4", 0))


def test_duplicate_selects_the_copies(view: GraphView, document: Document) -> None:
    view.graph_scene.select(["n2", "n3"])
    press(view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(document.graph.nodes) == 6
    assert len(document.graph.links) == 4
    assert view.graph_scene.selected_nodes == tuple(node.id for node in document.graph.nodes[4:])
    assert document.history.count == 1


def test_arrows_nudge_what_is_selected_as_one_step(view: GraphView, document: Document) -> None:
    view.graph_scene.select(["n2", "n3"])
    y = document.graph.node("n3").y
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        press(view, key)
    assert (document.graph.node("n3").x, document.graph.node("n3").y) == (2 * GRID, y + GRID)
    assert document.history.count == 1
    assert document.graph.node("n1").x == 0.0


def test_select_all_then_escape(view: GraphView) -> None:
    press(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(view.graph_scene.selected_nodes) == 4
    press(view, Qt.Key.Key_Escape)
    assert view.graph_scene.selected_nodes == ()


def test_page_keys_walk_along_the_flow_of_data(view: GraphView) -> None:
    walked = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_PageUp):
        press(view, key)
        walked.append(view.graph_scene.selected_nodes)
    assert walked == [("n1",), ("n2",), ("n1",), ("n1",)]


def test_a_screen_reader_hears_what_is_selected(view: GraphView) -> None:
    view.graph_scene.select(["n2"])
    assert "Dense" in view.accessibleDescription()
    assert "64 units" in view.accessibleDescription()
    view.graph_scene.clear_selection()
    assert "Nothing" in view.accessibleDescription()


def test_actions_are_on_only_when_they_can_do_something(view: GraphView) -> None:
    actions = view.graph_actions
    assert not actions.delete_action.isEnabled()
    view.graph_scene.select(links=[Link("n1", 0, "n2", 0)])
    assert actions.delete_action.isEnabled()
    assert not actions.duplicate_action.isEnabled()


def test_appending_chains_on(view: GraphView, document: Document, chain: Callable[..., Graph]) -> None:
    document.reset(Project(graph=chain(registry.get("input")())))
    for kind in ("flatten", "dense", "output"):
        view.append_block(registry.get(kind)())
    kinds = [node.block.kind for node in document.graph.order]
    assert kinds == ["input", "flatten", "dense", "output"]
    assert len(document.graph.links) == 3
    assert document.history.texts[:3] == ("Add Flatten", "Add Dense", "Add Output")


def test_a_renamed_block_shows_its_name(scene: GraphScene, document: Document) -> None:
    document.do(Rename("n2", "hidden"), "Rename")
    assert "hidden" in scene.node_item("n2").description


def test_a_wire_to_a_block_further_up_runs_around_the_blocks(scene: GraphScene, document: Document) -> None:
    document.do(Move((("n3", COLUMN, 0.0), ("n4", COLUMN, 64.0))), "Move")
    path = scene.link_item(Link("n2", 0, "n3", 0)).path()
    bodies = [scene.node_item(i).mapRectToScene(scene.node_item(i).shape().boundingRect()) for i in ("n1", "n2", "n3")]
    inside = [t for t in range(1, 100) for body in bodies if body.contains(path.pointAtPercent(t / 100))]
    assert inside == []


def hidden_part(scene: GraphScene, link: Link, node_id: str) -> list[int]:
    """Percents of the way along a wire at which it is behind a block."""
    item = scene.node_item(node_id)
    body, path = item.mapRectToScene(item.shape().boundingRect()), scene.link_item(link).path()
    return [t for t in range(1, 100) if body.contains(path.pointAtPercent(t / 100))]


def test_a_wire_past_blocks_in_its_way_runs_beside_them(scene: GraphScene, document: Document) -> None:
    skip = Link("n1", 0, "n4", 0)
    document.do(AddLink(skip, replace_existing=True), "Connect")
    assert hidden_part(scene, skip, "n2") == hidden_part(scene, skip, "n3") == []
    document.do(Move((("n2", 600.0, 0.0), ("n3", 600.0, 64.0))), "Move")  # none of the wire's own blocks
    path = scene.link_item(skip).path()
    assert path.boundingRect().width() == 0  # straight again
    document.history.undo()
    assert hidden_part(scene, skip, "n2") == []
