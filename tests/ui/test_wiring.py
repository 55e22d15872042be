"""Wires: lit ports, reasons, re-routing, click and click, blocks put on a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.graph import Graph, Link
from studio.graph.edits import AddLink, AddNode, Move, Remove, new_node
from studio.graph.group_edits import MakeGroup, Unfold, group_made
from studio.ui.analyzer import Analyzer
from studio.ui.canvas.fitter import Fitter
from studio.ui.canvas.lights import CLOSED, FITS, GRIP, MISFITS, Lights
from studio.ui.canvas.node_item import Port
from tests.ui.hand import LEFT, NONE, RIGHT, Hand


def lights(hand: Hand) -> dict[Port, str]:
    """The states of all marks on the canvas."""
    items = [item for item in hand.scene.items() if isinstance(item, Lights)]
    return {port: state for item in items for port, state in item.states.items()}


def add(hand: Hand, kind: str, x: float, y: float) -> str:
    node = new_node(hand.document.shown, registry.get(kind)(), x, y)
    hand.document.do(AddNode(node), "Add")
    return node.id


def spread(hand: Hand) -> None:
    """Room between the blocks, so that wires can be taken hold of."""
    hand.document.do(Move(tuple((f"n{i}", 0.0, 150.0 * i) for i in range(1, 5))), "Move")
    hand.view.fit()
    hand.document.history.clear()


def click_at(hand: Hand, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
    hand.move(x, y)
    QTest.mousePress(hand.view.viewport(), button, NONE, hand.at(x, y))
    QTest.mouseRelease(hand.view.viewport(), button, NONE, hand.at(x, y))


# Lit ports and reasons


def test_ports_light_up_where_a_wire_may_end(hand: Hand) -> None:
    loose = add(hand, "dense", 400.0, 64.0)
    hand.press(*hand.port("n2", True))
    hand.move(330, 130)
    assert lights(hand) == {
        Port("n1", True, 0): CLOSED, Port("n2", False, 0): CLOSED, Port("n3", False, 0): FITS,
        Port("n3", True, 0): CLOSED, Port("n4", False, 0): FITS, Port(loose, False, 0): FITS,
        Port(loose, True, 0): CLOSED,
    }  # fmt: skip
    hand.escape()
    assert lights(hand) == {}


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (("n3", True), ("n2", False), "circle"),
        (("n2", True), ("n3", True), "Both are outputs"),
        (("n3", True), ("n3", False), "cannot feed itself"),
    ],
)
def test_why_not_is_told_at_the_pointer_and_nothing_is_linked(
    hand: Hand, qtbot: QtBot, start: tuple[str, bool], end: tuple[str, bool], told: str
) -> None:
    spread(hand)
    before = hand.document.graph
    hand.press(*hand.port(*start))
    with qtbot.waitSignal(hand.view.hints.hinted) as hinted:
        hand.move(*hand.port(*end))
    assert told in hand.view.pointer_label.text()
    assert hand.view.pointer_label.isVisible()
    assert told in hinted.args[0]
    with qtbot.waitSignal(hand.document.refused) as refused:
        hand.release(*hand.port(*end))
    assert told in refused.args[0]
    assert not hand.view.pointer_label.isVisible()
    assert hand.document.graph == before
    assert hand.view.adder.menu is None


def test_a_circle_is_seen_backwards_too(hand: Hand) -> None:
    spread(hand)
    hand.document.do(Remove(links=frozenset({Link("n1", 0, "n2", 0)})), "Delete")
    hand.press(*hand.port("n2", False))
    hand.move(*hand.port("n3", True))
    assert "circle" in hand.view.pointer_label.text()
    assert lights(hand)[Port("n1", True, 0)] == FITS
    hand.escape()


def test_a_block_without_a_fitting_end_says_so(hand: Hand) -> None:
    hand.press(*hand.port("n3", True))
    hand.move(*hand.body("n1"))
    assert "has no input" in hand.view.pointer_label.text()
    hand.escape()


def test_a_wire_that_would_be_replaced_is_named(hand: Hand) -> None:
    hand.press(*hand.port("n1", True))
    hand.move(*hand.port("n3", False))
    assert "Takes the place of the wire from “dense_2”" in hand.view.pointer_label.text()
    hand.escape()


@pytest.fixture
def fitter(hand: Hand, qtbot: QtBot) -> Iterator[Fitter]:
    """Shapes are known: n1 gives 64 features."""
    analyzer = Analyzer(hand.document)
    made = Fitter(hand.document, analyzer)
    hand.view.fitter = made
    with qtbot.waitSignal(analyzer.analyzed, timeout=60_000):
        analyzer.start()
    yield made
    made.close()
    analyzer.close()


def test_ports_whose_shapes_do_not_fit_are_lit_otherwise_and_say_why(hand: Hand, qtbot: QtBot, fitter: Fitter) -> None:
    convolution, dense = add(hand, "conv2d", 400.0, 64.0), add(hand, "dense", 400.0, 200.0)
    hand.press(*hand.port("n1", True))
    hand.move(330, 30)
    qtbot.waitUntil(lambda: lights(hand).get(Port(convolution, False, 0)) == MISFITS)
    assert lights(hand)[Port(dense, False, 0)] == FITS
    hand.move(*hand.port(convolution, False))
    assert "needs an image" in hand.view.pointer_label.text()
    assert "(N, 64 D)" in hand.view.pointer_label.text()
    hand.release(*hand.port(convolution, False))
    assert Link("n1", 0, convolution, 0) in hand.document.graph.links  # to be repaired


def test_an_edit_while_shapes_are_tried_ends_the_wire(hand: Hand, fitter: Fitter) -> None:
    add(hand, "conv2d", 400.0, 64.0)
    hand.press(*hand.port("n1", True))
    hand.move(330, 30)
    hand.document.history.undo()
    assert lights(hand) == {}
    hand.move(340, 40)
    hand.release(340, 40)
    assert hand.document.history.index == 0


# Click and click


def test_two_clicks_draw_a_wire(hand: Hand) -> None:
    loose = add(hand, "dense", 400.0, 64.0)
    click_at(hand, *hand.port("n1", True))
    assert hand.view.busy
    hand.move(300, 100)
    assert lights(hand)[Port(loose, False, 0)] == FITS
    click_at(hand, *hand.body(loose))
    assert not hand.view.busy
    assert hand.document.graph.links_into(loose) == (Link("n1", 0, loose, 0),)
    assert Link("n1", 0, "n2", 0) in hand.document.graph.links  # an output feeds many
    assert hand.document.history.undo_text == "Connect"


def test_a_double_click_on_a_port_begins_and_ends_a_wire(hand: Hand, qtbot: QtBot) -> None:
    items = len(hand.scene.items())
    with qtbot.assertNotEmitted(hand.view.edit_requested):
        click_at(hand, *hand.port("n1", True))
        QTest.mouseDClick(hand.view.viewport(), LEFT, NONE, hand.at(*hand.port("n1", True)))
        hand.release(*hand.port("n1", True))
    assert not hand.view.busy
    assert len(hand.scene.items()) == items
    assert hand.document.history.count == 0


def test_no_tooltip_covers_what_is_said_at_the_pointer(hand: Hand, qtbot: QtBot) -> None:
    click_at(hand, *hand.port("n3", True))
    hand.move(*hand.body("n1"))
    point = hand.at(*hand.body("n1"))
    event = QHelpEvent(QEvent.Type.ToolTip, point, hand.view.viewport().mapToGlobal(point))
    QApplication.sendEvent(hand.view.viewport(), event)
    assert not QToolTip.isVisible()
    hand.escape()
    QApplication.sendEvent(hand.view.viewport(), event)
    qtbot.waitUntil(QToolTip.isVisible)
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


@pytest.mark.parametrize("how", ["escape", "right", "same port"])
def test_a_clicked_wire_is_given_up(hand: Hand, how: str) -> None:
    items = len(hand.scene.items())
    start = hand.port("n1", True)
    click_at(hand, *start)
    hand.move(500, 100)
    if how == "escape":
        hand.escape()
    elif how == "right":
        click_at(hand, 500, 100, RIGHT)
        position = hand.at(500, 100)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, position, hand.view.viewport().mapToGlobal(position))
        QApplication.sendEvent(hand.view.viewport(), event)
        assert hand.view.findChild(QMenu, "canvas_menu") is None
    else:
        click_at(hand, *start)
    assert not hand.view.busy
    assert len(hand.scene.items()) == items
    assert hand.document.history.count == 0
    assert hand.view.adder.menu is None


# Re-route


def test_the_wire_in_an_input_is_taken_elsewhere(hand: Hand) -> None:
    spread(hand)
    old = Link("n3", 0, "n4", 0)
    loose = add(hand, "dense", 400.0, 300.0)
    hand.press(*hand.port("n4", False))
    hand.move(350, 350)
    assert not hand.scene.link_item(old).isVisible()
    hand.move(*hand.port(loose, False))
    hand.release(*hand.port(loose, False))
    assert set(hand.document.graph.links) == {Link("n1", 0, "n2", 0), Link("n2", 0, "n3", 0), Link("n3", 0, loose, 0)}
    assert hand.document.history.undo_text == "Re-route"
    hand.document.history.undo()
    assert old in hand.document.graph.links
    assert hand.scene.link_item(old).isVisible()


@pytest.mark.parametrize("at_output", [True, False])
def test_either_end_of_a_wire_can_be_taken_beside_the_port(hand: Hand, at_output: bool) -> None:
    spread(hand)
    source, target = add(hand, "gelu", 400.0, 300.0), add(hand, "tanh", 400.0, 450.0)
    x, y = hand.port("n2", True) if at_output else hand.port("n3", False)
    end = hand.port(source, True) if at_output else hand.port(target, False)
    hand.drag((x, y + (22 if at_output else -22)), end)
    wanted = Link(source, 0, "n3", 0) if at_output else Link("n2", 0, target, 0)
    assert wanted in hand.document.graph.links
    assert Link("n2", 0, "n3", 0) not in hand.document.graph.links


def test_the_output_end_of_a_selected_wire_is_taken_at_its_port(hand: Hand) -> None:
    source = add(hand, "gelu", 400.0, 64.0)
    hand.scene.select(links=[Link("n2", 0, "n3", 0)])
    hand.drag(hand.port("n2", True), hand.port(source, True))
    assert hand.document.graph.links_into("n3") == (Link(source, 0, "n3", 0),)


def test_an_end_released_on_empty_canvas_lets_go(hand: Hand) -> None:
    hand.drag(hand.port("n4", False), (450, 400))
    assert hand.document.graph.links_into("n4") == ()
    assert (hand.document.history.count, hand.document.history.undo_text) == (1, "Disconnect")
    assert hand.view.adder.menu is None


@pytest.mark.parametrize("how", ["escape", "back", "refused"])
def test_a_wire_that_is_not_taken_elsewhere_stays(hand: Hand, how: str) -> None:
    spread(hand)
    before, old = hand.document.graph, Link("n2", 0, "n3", 0)
    hand.press(*hand.port("n3", False))
    hand.move(400, 300)
    end = {"escape": (400.0, 300.0), "back": hand.port("n3", False), "refused": hand.port("n2", False)}[how]
    hand.move(*end)
    if how == "escape":
        hand.escape()
    hand.release(*end)
    assert hand.document.graph == before
    assert hand.document.history.count == 0
    assert hand.scene.link_item(old).isVisible()


def test_a_click_near_the_end_of_a_wire_selects_it(hand: Hand) -> None:
    spread(hand)
    x, y = hand.port("n3", False)
    hand.click(x, y - 22)
    assert hand.scene.selected_links == {Link("n2", 0, "n3", 0)}
    assert not hand.view.busy


def test_what_can_be_taken_shows_under_the_pointer(hand: Hand) -> None:
    spread(hand)
    hints: list[str] = []
    hand.view.hints.hinted.connect(hints.append)
    x, y = hand.port("n3", False)
    hand.move(x, y - 22)
    assert lights(hand) == {Port("n3", False, 0): GRIP}
    assert hand.view.viewport().cursor().shape() == Qt.CursorShape.OpenHandCursor
    hand.move(x, y)
    assert lights(hand) == {}
    assert hand.scene.node_item("n3").hot_port == Port("n3", False, 0)
    hand.move(450, 100)
    assert hand.scene.node_item("n3").hot_port is None
    assert ["this end" in hints[0], "in this input" in hints[1], hints[2]] == [True, True, ""]


def test_an_edit_takes_the_marks_along(hand: Hand) -> None:
    spread(hand)
    x, y = hand.port("n3", False)
    hand.move(x, y - 22)
    hand.document.do(Remove(links=frozenset({Link("n2", 0, "n3", 0)})), "Delete")
    assert lights(hand) == {}
    hand.move(x, y - 22)
    assert lights(hand) == {}


# A block put on a wire


def test_a_loose_block_dragged_on_a_wire_is_inserted(hand: Hand) -> None:
    spread(hand)
    loose = add(hand, "gelu", 400.0, 300.0)
    hand.document.history.clear()
    before, wire = hand.document.graph, Link("n2", 0, "n3", 0)
    x, y = hand.port("n2", True)
    grabbed = hand.body(loose)
    hand.press(*grabbed)
    hand.move(300, 300)
    assert hand.scene.link_item(wire).pen() == hand.scene.style_in_use.wire
    hand.move(x, y + 50)
    assert hand.scene.link_item(wire).pen() == hand.scene.style_in_use.wire_chosen
    assert hand.view.pointer_label.text() == "Insert between “dense_2” and “relu_3”"
    hand.release(x, y + 50)
    assert not hand.view.pointer_label.isVisible()
    links = set(hand.document.graph.links)
    assert {Link("n2", 0, loose, 0), Link(loose, 0, "n3", 0)} <= links
    assert wire not in links
    assert hand.document.graph.node(loose).x == 0.0  # in the column of its neighbours
    assert (hand.document.history.count, hand.document.history.undo_text) == (1, "Insert gelu_1")
    hand.document.history.undo()
    assert hand.document.graph == before
    assert hand.scene.node_item(loose).pos() == QPointF(400.0, 300.0)


def test_escape_over_a_wire_puts_the_block_back(hand: Hand) -> None:
    spread(hand)
    loose = add(hand, "gelu", 400.0, 300.0)
    before, wire = hand.document.graph, Link("n2", 0, "n3", 0)
    x, y = hand.port("n2", True)
    hand.press(*hand.body(loose))
    hand.move(x, y + 50)
    assert hand.scene.link_item(wire).pen() == hand.scene.style_in_use.wire_chosen
    hand.escape()
    hand.release(x, y + 50)
    assert hand.document.graph == before
    assert hand.scene.link_item(wire).pen() == hand.scene.style_in_use.wire
    assert hand.scene.node_item(loose).pos() == QPointF(400.0, 300.0)


def test_a_linked_block_or_one_without_both_ends_only_moves(hand: Hand, chain: Callable[..., Graph]) -> None:
    spread(hand)
    loose = add(hand, "output", 400.0, 300.0)
    x, y = hand.port("n2", True)
    hand.drag(hand.body(loose), (x, y + 50))
    assert hand.document.history.undo_text == "Move"
    feeding, fed = add(hand, "gelu", 400.0, 450.0), add(hand, "tanh", 400.0, 600.0)
    hand.document.do(AddLink(Link(feeding, 0, fed, 0)), "Connect")
    x, y = hand.port("n3", True)
    hand.drag(hand.body(feeding), (x, y + 50))
    assert hand.document.history.undo_text == "Move"
    assert len(hand.document.graph.links) == 4


def test_wires_in_and_around_an_unfolded_group(hand: Hand) -> None:
    spread(hand)
    group = group_made(hand.document.graph, edit := MakeGroup(frozenset({"n2", "n3"})))
    hand.document.do(edit, "Group")
    hand.document.do(Unfold(group, True), "Unfold")
    hand.view.fit()
    shown = hand.document.shown
    relu = next(node.id for node in shown.nodes if node.block.kind == "relu")
    (into,) = shown.links_into(relu)
    hand.press(*hand.port("n1", True))
    hand.move(*hand.port(relu, False))
    assert "only through a group input" in hand.view.pointer_label.text()
    assert lights(hand)[Port(relu, False, 0)] == CLOSED
    hand.escape()
    loose = add(hand, "gelu", 500.0, hand.document.shown.node(relu).y)
    x, y = hand.port(relu, False)
    hand.press(*hand.body(loose))
    hand.move(x, y - 8)
    assert hand.scene.link_item(into).pen() == hand.scene.style_in_use.wire  # it stands outside
    hand.escape()
    hand.drag(hand.port(relu, False), (450, 500))
    assert into not in hand.document.shown.links
    hand.drag(hand.port(into.source, True), hand.port(relu, False))
    assert into in hand.document.shown.links
