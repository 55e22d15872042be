"""Gestures with sent events, as a pointer would send them."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.graph import Graph, Link
from studio.graph.edits import AddNode, Move, new_node
from studio.graph.geometry import GRID, NODE_HEIGHT, NODE_WIDTH, PITCH
from studio.project import Project
from studio.ui.canvas.gestures import BLOCK_MIME
from studio.ui.canvas.node_item import Port
from tests.ui.hand import LEFT, MIDDLE, NONE, Hand

CONTROL = Qt.KeyboardModifier.ControlModifier


def shown_position(hand: Hand, node_id: str) -> tuple[float, float]:
    return hand.scene.node_item(node_id).pos().toTuple()


def test_a_click_selects_one_and_control_adds(hand: Hand) -> None:
    hand.click(*hand.body("n2"))
    assert hand.scene.selected_nodes == ("n2",)
    hand.click(*hand.body("n3"), CONTROL)
    assert hand.scene.selected_nodes == ("n2", "n3")
    hand.click(*hand.body("n3"), CONTROL)
    assert hand.scene.selected_nodes == ("n2",)
    hand.click(600, 400)
    assert hand.scene.selected_nodes == ()
    assert hand.document.history.count == 0


def test_a_click_on_one_of_several_selected_selects_it_alone(hand: Hand) -> None:
    hand.scene.select(["n2", "n3"])
    hand.click(*hand.body("n3"))
    assert hand.scene.selected_nodes == ("n3",)


def test_moving_several_blocks_is_one_step(hand: Hand) -> None:
    before = hand.document.graph
    hand.scene.select(["n2", "n3"])
    x, y = hand.body("n2")
    hand.drag((x, y), (x + 101, y + 50))
    moved = hand.document.graph
    shifts = {(moved.node(i).x - before.node(i).x, moved.node(i).y - before.node(i).y) for i in ("n2", "n3")}
    assert len(shifts) == 1  # together
    dx, dy = shifts.pop()
    assert (dx % GRID, dy % GRID) == (0, 0)
    assert abs(dx - 101) <= GRID
    assert abs(dy - 50) <= GRID
    assert moved.node("n1") is before.node("n1")
    assert (hand.document.history.count, hand.document.history.undo_text) == (1, "Move")
    hand.document.history.undo()
    assert shown_position(hand, "n2") == (before.node("n2").x, before.node("n2").y)


def test_a_click_that_trembles_moves_nothing(hand: Hand) -> None:
    x, y = hand.body("n2")
    hand.drag((x, y), (x + 2, y + 1))
    assert hand.document.history.count == 0


def test_escape_while_moving_puts_all_back(hand: Hand) -> None:
    x, y = hand.body("n2")
    hand.press(x, y)
    hand.move(x + 100, y + 100)
    assert shown_position(hand, "n2") != (0.0, hand.document.graph.node("n2").y)
    hand.escape()
    assert shown_position(hand, "n2") == (0.0, hand.document.graph.node("n2").y)
    assert hand.scene.selected_nodes == ()
    hand.release(x + 100, y + 100)
    assert hand.document.history.count == 0


def test_an_undo_while_moving_ends_the_gesture(hand: Hand) -> None:
    added = new_node(hand.document.graph, registry.get("relu")(), 400.0, 64.0)
    hand.document.do(AddNode(added), "Add")
    x, y = hand.body(added.id)
    hand.press(x, y)
    hand.move(x + 50, y + 50)
    hand.document.history.undo()
    hand.move(x + 60, y + 60)
    hand.release(x + 60, y + 60)
    assert added.id not in hand.document.graph.by_id


def test_a_refused_move_shows_the_block_where_it_was(hand: Hand) -> None:
    hand.document.do(Move((("n2", 1e7, 0.0),)), "Move")
    hand.view.reveal("n2")
    x, y = hand.body("n2")
    hand.drag((x, y), (x + 80, y))
    assert shown_position(hand, "n2") == (1e7, 0.0)


def test_a_wire_can_be_drawn_from_output_to_input_and_back(hand: Hand, chain: Callable[..., Graph]) -> None:
    for start, end in ((("n1", True), ("n2", False)), (("n2", False), ("n1", True))):
        unlinked = Graph(chain(registry.get("input")(), registry.get("flatten")()).nodes)
        hand.document.reset(Project(graph=unlinked))
        hand.view.fit()
        hand.drag(hand.port(*start), hand.port(*end))
        assert hand.document.graph.links == (Link("n1", 0, "n2", 0),)
        assert hand.document.history.undo_text == "Connect"


def test_a_wire_snaps_to_a_port_nearby_and_to_the_block_under_it(hand: Hand) -> None:
    join = new_node(hand.document.graph, registry.get("add")(), 400.0, 320.0)
    hand.document.do(AddNode(join), "Add")
    x, y = hand.port(join.id, False)
    hand.drag(hand.port("n2", True), (x + 15, y - 12))
    hand.drag(hand.port("n3", True), (join.x + 20, join.y + NODE_HEIGHT - 8))
    assert hand.document.graph.links_into(join.id) == (Link("n2", 0, join.id, 0), Link("n3", 0, join.id, 1))


def test_escape_while_drawing_a_wire(hand: Hand) -> None:
    items = len(hand.scene.items())
    hand.press(*hand.port("n1", True))
    hand.move(*hand.port("n4", False))
    assert hand.scene.node_item("n4").hot_port == Port("n4", False, 0)
    hand.escape()
    hand.release(*hand.port("n4", False))
    assert hand.document.history.count == 0
    assert hand.scene.node_item("n4").hot_port is None
    assert len(hand.scene.items()) == items


def test_a_wire_in_a_circle_is_refused_with_a_reason(hand: Hand, qtbot: QtBot) -> None:
    with qtbot.waitSignal(hand.document.refused) as told:
        hand.drag(hand.port("n3", True), hand.port("n2", False))
    assert "circle" in told.args[0]
    assert hand.document.history.count == 0


def test_a_wire_to_a_taken_input_replaces_the_old_one(hand: Hand) -> None:
    hand.drag(hand.port("n1", True), hand.port("n3", False))
    assert hand.document.graph.links_into("n3") == (Link("n1", 0, "n3", 0),)


def test_drawing_the_wire_that_is_there_is_no_step(hand: Hand, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(hand.document.refused):
        hand.drag(hand.port("n1", True), hand.port("n2", False))
    assert hand.document.history.count == 0


def test_a_click_on_a_wire_selects_it(hand: Hand) -> None:
    hand.document.do(Move((("n4", 0.0, 500.0),)), "Move")
    x, _ = hand.port("n3", True)
    hand.click(x, 380)
    assert hand.scene.selected_links == {Link("n3", 0, "n4", 0)}
    hand.click(*hand.body("n2"))
    assert hand.scene.selected_links == frozenset()


def test_a_rectangle_selects_what_it_touches_and_escape_takes_that_back(hand: Hand) -> None:
    hand.scene.select(["n4"])
    top, bottom = hand.document.graph.node("n1").y - 20, hand.document.graph.node("n2").y + 5
    hand.press(-60, top)
    hand.move(40, bottom)
    assert hand.scene.selected_nodes == ("n1", "n2")
    hand.escape()
    assert hand.scene.selected_nodes == ("n4",)
    hand.release(40, bottom)
    hand.drag((-60, top), (40, bottom))
    assert hand.scene.selected_nodes == ("n1", "n2")


def pan_by(hand: Hand, start: QPoint, pixels: QPoint, button: Qt.MouseButton) -> QPointF:
    """Drag on the viewport; how far the canvas went along, in scene units."""
    viewport, before = hand.view.viewport(), hand.view.to_scene(QPointF(0, 0))
    QTest.mousePress(viewport, button, NONE, start)
    QTest.mouseMove(viewport, start + pixels / 2)
    QTest.mouseMove(viewport, start + pixels)
    QTest.mouseRelease(viewport, button, NONE, start + pixels)
    return before - hand.view.to_scene(QPointF(0, 0))


def test_the_middle_button_and_space_pan(hand: Hand, qtbot: QtBot) -> None:
    start, pixels = hand.at(*hand.body("n2")), QPoint(40, 30)
    assert pan_by(hand, start, pixels, MIDDLE) == QPointF(pixels)
    QTest.keyPress(hand.view, Qt.Key.Key_Space)
    assert pan_by(hand, start, pixels, LEFT) == QPointF(pixels)
    QTest.keyRelease(hand.view, Qt.Key.Key_Space)
    assert hand.view.adder.menu is None
    assert hand.scene.selected_nodes == ()
    assert hand.document.history.count == 0


def test_escape_while_panning_goes_back(hand: Hand) -> None:
    before = hand.view.to_scene(QPointF(0, 0))
    hand.press(500, 300, MIDDLE)
    hand.move(600, 200)
    hand.escape()
    hand.release(600, 200, MIDDLE)
    assert hand.view.to_scene(QPointF(0, 0)) == before


def test_a_double_click_asks_to_edit(hand: Hand, qtbot: QtBot) -> None:
    with qtbot.waitSignal(hand.view.edit_requested):
        QTest.mouseDClick(hand.view.viewport(), LEFT, NONE, hand.at(*hand.body("n2")))


def test_the_context_menu_is_about_the_block_under_the_pointer(hand: Hand, qtbot: QtBot) -> None:
    position = hand.at(*hand.body("n2"))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, position, hand.view.viewport().mapToGlobal(position))
    QApplication.sendEvent(hand.view.viewport(), event)
    assert hand.scene.selected_nodes == ("n2",)
    menu = hand.view.findChild(QMenu, "canvas_menu")
    assert {"action_delete", "action_duplicate", "action_group"} <= {action.objectName() for action in menu.actions()}
    menu.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert hand.view.findChild(QMenu, "canvas_menu") is None


# Drag and drop


def mime(kind: str) -> QMimeData:
    data = QMimeData()
    data.setData(BLOCK_MIME, QByteArray(kind.encode()))
    return data


class Drag:
    """A drag of a block over the canvas."""

    def __init__(self, hand: Hand, data: QMimeData) -> None:
        self.hand = hand
        self.data = data

    def send(self, event_class: type, x: float, y: float) -> bool:
        point = self.hand.at(x, y)
        where = point if event_class is not QDropEvent else QPointF(point)
        event = event_class(where, Qt.DropAction.CopyAction, self.data, LEFT, NONE)
        event.ignore()
        QApplication.sendEvent(self.hand.view.viewport(), event)
        return bool(event.isAccepted())

    def drop(self, x: float, y: float) -> None:
        assert self.send(QDragEnterEvent, x, y + 5)
        assert self.send(QDragMoveEvent, x, y)
        assert self.send(QDropEvent, x, y)


def test_a_block_dropped_beside_the_rest_is_added_there_and_selected(hand: Hand) -> None:
    Drag(hand, mime("gelu")).drop(550, 200)
    node = hand.document.graph.nodes[-1]
    assert (node.block.kind, hand.scene.selected_nodes) == ("gelu", (node.id,))
    assert abs(node.x + NODE_WIDTH / 2 - 550) <= GRID
    assert abs(node.y + NODE_HEIGHT / 2 - 200) <= GRID
    assert len(hand.document.graph.links) == 3
    assert hand.document.history.undo_text == "Add GELU"


def test_a_block_dropped_on_a_wire_is_inserted_as_one_step(hand: Hand) -> None:
    before = hand.document.graph
    wire = Link("n2", 0, "n3", 0)
    x, y = hand.port("n2", True)
    drag = Drag(hand, mime("batch_norm"))
    assert drag.send(QDragEnterEvent, x, y + 10)
    assert hand.scene.link_item(wire).pen() == hand.scene.style_in_use.wire_chosen
    assert drag.send(QDropEvent, x, y + 10)
    node = hand.document.graph.nodes[-1]
    assert {Link("n2", 0, node.id, 0), Link(node.id, 0, "n3", 0)} <= set(hand.document.graph.links)
    assert wire not in hand.document.graph.links
    assert hand.document.graph.node("n3").y == before.node("n3").y + PITCH
    assert hand.document.history.undo_text == "Insert Batch norm"
    hand.document.history.undo()
    assert hand.document.graph == before


def test_a_block_without_both_ends_is_not_inserted(hand: Hand) -> None:
    x, y = hand.port("n2", True)
    Drag(hand, mime("output")).drop(x, y + 10)
    assert len(hand.document.graph.links) == 3


def test_a_drag_that_leaves_or_is_cancelled_leaves_no_ghost(hand: Hand) -> None:
    items = len(hand.scene.items())
    drag = Drag(hand, mime("relu"))
    drag.send(QDragEnterEvent, *hand.port("n2", True))
    assert len(hand.scene.items()) > items
    QApplication.sendEvent(hand.view.viewport(), QDragLeaveEvent())
    assert len(hand.scene.items()) == items
    assert hand.document.history.count == 0
    assert hand.scene.link_item(Link("n2", 0, "n3", 0)).pen() == hand.scene.style_in_use.wire


@pytest.mark.parametrize("kind", ["", "no_such_block", "\x00\ufffd", "r" * 100_000])
def test_a_drag_of_something_unknown_is_left_to_the_window(hand: Hand, kind: str) -> None:
    assert not Drag(hand, mime(kind)).send(QDragEnterEvent, 500, 300)


def test_a_dragged_file_is_left_to_the_window(hand: Hand) -> None:
    data = QMimeData()
    data.setText("file:///a.studio.json")
    assert not Drag(hand, data).send(QDragEnterEvent, 500, 300)
    assert not Drag(hand, data).send(QDropEvent, 500, 300)
