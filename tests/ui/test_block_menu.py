"""The menu of blocks at the pointer, and what becomes of the choice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.blocks import Input, registry
from studio.compile.fitting import trial_of_block
from studio.graph import Graph, Link
from studio.graph.edits import Rename, SetBlock
from studio.graph.geometry import GRID, NODE_HEIGHT, NODE_WIDTH
from studio.project import Project
from studio.tensors import TensorSpec
from studio.ui.analyzer import Analyzer
from studio.ui.block_uses import BlockUses
from studio.ui.canvas.block_menu import BlockMenu
from studio.ui.canvas.fitter import Fitter
from studio.ui.preferences import Preferences
from tests.ui.hand import Hand
from tests.ui.window_help import redirect_folders

TRIED_MS = 60_000  # every kind of block is tried


@pytest.fixture(autouse=True)
def pointer_elsewhere(qapp: QApplication) -> None:
    QCursor.setPos(2000, 2000)


def menu_of(hand: Hand) -> BlockMenu:
    menu = hand.view.adder.menu
    assert menu is not None
    assert menu.isVisible()
    return menu


def key(menu: BlockMenu, which: Qt.Key) -> None:
    QTest.keyClick(menu.search, which)


def choose(hand: Hand, text: str) -> str:
    """Type, press Enter; the id of the new node."""
    menu = menu_of(hand)
    QTest.keyClicks(menu.search, text)
    key(menu, Qt.Key.Key_Return)
    assert hand.view.adder.menu is None
    return hand.scene.selected_nodes[0]


def test_a_wire_released_on_empty_canvas_asks_for_a_block_and_links_it(hand: Hand) -> None:
    before = hand.document.graph
    hand.drag(hand.port("n2", True), (400, 300))
    node_id = choose(hand, "gel")
    after = hand.document.graph
    node = after.node(node_id)
    assert node.block.kind == "gelu"
    assert after.links_into(node_id) == (Link("n2", 0, node_id, 0),)
    assert Link("n2", 0, "n3", 0) in after.links
    assert abs(node.x + NODE_WIDTH / 2 - 400) <= GRID
    assert abs(node.y - 300) <= GRID
    assert (hand.document.history.count, hand.document.history.undo_text) == (1, "Add GELU")
    hand.document.history.undo()
    assert hand.document.graph == before


def test_backwards_a_block_is_put_before_the_input(hand: Hand, chain: Callable[..., Graph]) -> None:
    lone = Graph(chain(registry.get("dense")()).nodes)
    hand.document.reset(Project(graph=lone))
    hand.view.fit()
    x, y = hand.port("n1", False)
    hand.drag((x, y), (x + 90, y - 130))
    menu = menu_of(hand)
    assert "output" not in menu.kinds
    assert "input" in menu.kinds
    node_id = choose(hand, "input")
    node = hand.document.graph.node(node_id)
    assert hand.document.graph.links == (Link(node.id, 0, "n1", 0),)
    assert node.block == Input(shape=(1, 8, 8))  # as the samples of the dataset
    assert abs(node.y + NODE_HEIGHT - (y - 130)) <= GRID


def test_only_blocks_with_an_input_are_offered_to_an_output(hand: Hand) -> None:
    hand.drag(hand.port("n2", True), (400, 300))
    assert set(menu_of(hand).kinds) == {block.kind for block in registry if block.inputs}
    key(menu_of(hand), Qt.Key.Key_Escape)


@pytest.mark.parametrize("how", ["escape", "edit", "other project"])
def test_a_menu_that_is_closed_leaves_nothing(hand: Hand, how: str) -> None:
    items = len(hand.scene.items())
    hand.drag(hand.port("n2", True), (400, 300))
    assert len(hand.scene.items()) == items + 1  # the wire is still to be seen
    if how == "escape":
        key(menu_of(hand), Qt.Key.Key_Escape)
    elif how == "edit":
        hand.document.do(Rename("n2", "other"), "Rename")
    else:
        hand.document.reset(Project(graph=hand.document.graph, title="Other"))
        hand.document.do(Rename("n2", "other"), "Rename")
    assert hand.view.adder.menu is None
    assert len(hand.scene.items()) == items
    assert len(hand.document.graph.nodes) == 4
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert hand.view.findChild(BlockMenu) is None


@pytest.mark.parametrize("which", [Qt.Key.Key_Space, Qt.Key.Key_Tab])
def test_a_key_appends_after_the_selected_block(hand: Hand, which: Qt.Key) -> None:
    hand.scene.select(["n2"])
    QTest.keyClick(hand.view, which)
    node_id = choose(hand, "tanh")
    assert {Link("n2", 0, node_id, 0), Link(node_id, 0, "n3", 0)} <= set(hand.document.graph.links)
    assert hand.document.history.count == 1
    assert hand.view.hasFocus() or not hand.view.isActiveWindow()


def test_with_nothing_selected_the_block_stands_at_the_pointer_unlinked(hand: Hand, qtbot: QtBot) -> None:
    point = hand.at(400, 100)
    QCursor.setPos(hand.view.viewport().mapToGlobal(point))
    QTest.mouseMove(hand.view.viewport(), point)
    qtbot.waitUntil(hand.view.viewport().underMouse)
    QTest.keyClick(hand.view, Qt.Key.Key_Space)
    node_id = choose(hand, "dropout")
    node = hand.document.graph.node(node_id)
    assert abs(node.x + NODE_WIDTH / 2 - 400) <= GRID
    assert abs(node.y + NODE_HEIGHT / 2 - 100) <= GRID
    assert len(hand.document.graph.links) == 3


def test_tab_does_not_leave_the_canvas_but_shift_tab_does(hand: Hand) -> None:
    assert not hand.view.focusNextPrevChild(True)
    QTest.keyClick(hand.view, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert hand.view.adder.menu is None


def test_words_arrows_and_what_is_said_below(hand: Hand) -> None:
    hand.scene.select(["n2"])
    hand.view.adder.offer()
    menu = menu_of(hand)
    QTest.keyClicks(menu.search, "pool")
    assert {"max_pool", "average_pool", "global_average_pool"} < set(menu.kinds)
    assert all("pool" in kind for kind in menu.kinds)
    assert menu.list.currentItem().text(0) == "Max pooling"
    key(menu, Qt.Key.Key_Down)
    assert menu.list.currentItem().text(0) == registry.get(menu.kinds[1]).title
    assert registry.get(menu.kinds[1]).__doc__.startswith(menu.about.text().split("\n")[0][:20])
    for _ in range(len(menu.kinds) + 2):
        key(menu, Qt.Key.Key_Down)
    key(menu, Qt.Key.Key_Up)
    assert menu.list.currentItem().text(0) == registry.get(menu.kinds[-2]).title
    menu.search.setText("xyzzy")
    assert menu.kinds == []
    assert "No block matches" in menu.about.text()
    key(menu, Qt.Key.Key_Return)
    assert menu.isVisible()
    menu.search.setText("linear")
    assert menu.kinds[0] == "dense"
    key(menu, Qt.Key.Key_Escape)


def test_a_click_on_a_row_takes_it(hand: Hand) -> None:
    hand.drag(hand.port("n2", True), (400, 300))
    menu = menu_of(hand)
    row = menu.kinds.index("flatten")
    item = menu.list.topLevelItem(row)
    menu.list.scrollToItem(item)
    place = menu.list.visualItemRect(item).center()
    QTest.mouseClick(menu.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert hand.document.graph.node(hand.scene.selected_nodes[0]).block.kind == "flatten"


def test_it_stays_on_the_screen_and_no_row_is_under_the_pointer(hand: Hand) -> None:
    room = hand.view.screen().availableGeometry()
    inner = room.adjusted(100, 40, -100, -200)
    for corner in (room.topLeft(), inner.bottomLeft(), inner.bottomRight(), room.center() / 2):
        hand.view.adder.offer()
        menu = menu_of(hand)
        menu.open_at(corner)
        assert room.contains(menu.geometry())
        assert not menu.list.geometry().contains(menu.mapFromGlobal(corner))
    menu.close()


# What fits


@pytest.fixture
def fitter(hand: Hand, qtbot: QtBot) -> Iterator[Fitter]:
    analyzer = Analyzer(hand.document)
    hand.view.fitter = Fitter(hand.document, analyzer)
    with qtbot.waitSignal(analyzer.analyzed, timeout=60_000):
        analyzer.start()
    yield hand.view.fitter
    hand.view.fitter.close()
    analyzer.close()


def test_what_fits_comes_first_and_what_does_not_says_why(hand: Hand, qtbot: QtBot, fitter: Fitter) -> None:
    hand.drag(hand.port("n1", True), (400, 300))
    menu = menu_of(hand)
    qtbot.waitUntil(lambda: menu.kinds.index("dense") < menu.kinds.index("conv1d"), timeout=TRIED_MS)
    qtbot.waitUntil(lambda: menu.list.topLevelItem(len(menu.kinds) - 1).text(1) == "does not fit", timeout=TRIED_MS)
    assert menu.list.topLevelItem(0).text(1) != "does not fit"
    menu.search.setText("conv")
    assert "needs" in menu.about.text()
    assert "(N, 64 D)" in menu.about.text()
    assert menu.list.topLevelItem(0).text(1) == "does not fit"
    node_id = choose(hand, "olution 2")  # taken all the same
    assert hand.document.graph.node(node_id).block.kind == "conv2d"


def test_among_equals_in_name_those_that_fit_come_first(hand: Hand, qtbot: QtBot, fitter: Fitter) -> None:
    hand.document.do(SetBlock("n1", Input(shape=(1, 8, 8))), "Shape")
    assert fitter._analyzer is not None
    qtbot.waitUntil(lambda: fitter.analysis.nodes["n1"].outputs[0].dims == (1, 8, 8), timeout=TRIED_MS)
    hand.drag(hand.port("n1", True), (400, 300))
    menu = menu_of(hand)
    QTest.keyClicks(menu.search, "conv")
    qtbot.waitUntil(lambda: menu.kinds[0] == "conv2d", timeout=TRIED_MS)
    menu.close()


def test_the_order_does_not_change_under_the_pointer_or_after_an_arrow(hand: Hand) -> None:
    hand.drag(hand.port("n1", True), (400, 300))
    menu = menu_of(hand)
    before = menu.kinds
    key(menu, Qt.Key.Key_Down)
    menu.mark({before[0]: "too wide"})
    assert menu.kinds == before
    assert menu.list.topLevelItem(0).text(1) == "does not fit"
    assert menu.list.currentItem() is menu.list.topLevelItem(1)
    menu.close()
    hand.drag(hand.port("n1", True), (400, 300))
    menu = menu_of(hand)
    QCursor.setPos(menu.list.viewport().mapToGlobal(QPoint(40, 30)))
    menu.mark({before[0]: "too wide"})
    assert menu.kinds == before
    QCursor.setPos(2000, 2000)
    menu.mark({before[1]: "too wide"})
    assert set(menu.kinds[-2:]) == set(before[:2])
    menu.close()


def test_an_answer_to_an_older_question_is_not_heard(qtbot: QtBot, fitter: Fitter) -> None:
    told: list[object] = []
    emitted = threading.Event()
    fitter._found.connect(lambda *_: emitted.set(), Qt.ConnectionType.DirectConnection)
    trial = trial_of_block(registry.get("dense")(), TensorSpec((3,), "D"))
    fitter.ask({"old": trial}, lambda reasons: told.append(reasons))
    assert emitted.wait(30)
    fitter.ask({"new": trial}, lambda reasons: told.append(reasons))
    qtbot.waitUntil(lambda: bool(told))
    assert told == [{"new": ""}]


# Past use


@pytest.fixture
def preferences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Preferences:
    redirect_folders(monkeypatch, tmp_path)
    return Preferences()


def test_what_is_used_most_comes_first(hand: Hand, preferences: Preferences) -> None:
    hand.view.uses = BlockUses(preferences)
    for y in (300, 150):
        hand.drag(hand.port("n2", True), (400, y))
        choose(hand, "layer norm")
    hand.view.append_block(registry.get("tanh")())
    hand.view.uses = BlockUses(Preferences())  # after another start
    hand.scene.clear_selection()
    hand.view.adder.offer()
    assert menu_of(hand).kinds[:2] == ["layer_norm", "tanh"]
    menu_of(hand).close()


def test_late_use_counts_more_and_old_use_fades(preferences: Preferences) -> None:
    uses, day = BlockUses(preferences), 86_400.0
    for _ in range(4):
        uses.note("gru", now_s=0.0)
    uses.note("lstm", now_s=100 * day)
    uses.note("lstm", now_s=100 * day)
    assert uses.score("gru", now_s=0.0) == pytest.approx(4.0)
    assert uses.score("lstm", now_s=100 * day) > uses.score("gru", now_s=100 * day)
    assert uses.score("gru", now_s=21 * day) == pytest.approx(2.0)
    assert uses.score("dense", now_s=0.0) == 0.0
    assert BlockUses(Preferences()).score("lstm", now_s=100 * day) == pytest.approx(2.0)


def test_a_file_of_preferences_edited_by_hand_does_no_harm(preferences: Preferences) -> None:
    for kind, text in (("relu", "many"), ("gelu", "1"), ("tanh", "1e999 0"), ("dense", "2.0 5")):
        preferences._settings.setValue(f"block_uses/{kind}", text)
    assert set(preferences.block_uses) == {"tanh", "dense"}
    assert BlockUses(preferences).score("tanh", now_s=0.0) <= 1e6
