"""The four panels together, with real shapes."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.compile.analysis import ERROR, Analysis, Problem, Repair
from studio.graph.edits import Rename, SetBlock, Several
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document
from studio.ui.panels.build_place import BuildPlace


@pytest.fixture
def analyzer(document: Document) -> Iterator[Analyzer]:
    analyzer = Analyzer(document)
    yield analyzer
    analyzer.close()


@pytest.fixture
def place(document: Document, analyzer: Analyzer, qtbot: QtBot) -> BuildPlace:
    place = BuildPlace(document, analyzer)
    qtbot.addWidget(place)
    place.resize(1200, 700)
    with qtbot.waitExposed(place):
        place.show()
    place.activateWindow()
    return place


def test_shapes_and_problems_appear_everywhere(place: BuildPlace, analyzer: Analyzer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(analyzer.analyzed, timeout=30_000):
        analyzer.start()
    assert place.scene.node_item("n2").shape_labels == ["N, 64 D"]
    assert place.inspector.network_page.facts["Parameters"].text() == "4,160"
    messages = [place.problems.list.item(i).text() for i in range(place.problems.list.count())]
    assert any("“input_1” expects (N, 64 D)" in message for message in messages)
    place.problems.node_chosen.emit("n4")
    assert place.scene.selected_nodes == ("n4",)
    assert "10 classes" in place.inspector.block_page.errors.text()


def test_a_problem_is_repaired_with_one_click_and_one_undo_step(
    place: BuildPlace, analyzer: Analyzer, document: Document, qtbot: QtBot
) -> None:
    analyzer.start()
    repairs = place.problems.repairs
    qtbot.waitUntil(lambda: bool(repairs.buttons), timeout=30_000)
    before = document.graph
    assert repairs.buttons[0].text() == "Set the shape to 1, 8, 8"
    assert repairs.isVisible()
    repairs.buttons[0].click()
    assert document.history.undo_text == "Set the shape to 1, 8, 8"
    qtbot.waitUntil(lambda: not any("expects" in p.message for p in analyzer.analysis.problems))
    document.history.undo()
    assert document.graph == before


def test_choosing_a_problem_offers_its_repairs(place: BuildPlace, analyzer: Analyzer, qtbot: QtBot) -> None:
    analyzer.start()
    problems = place.problems
    qtbot.waitUntil(lambda: bool(problems.repairs.buttons), timeout=30_000)
    problems.list.setCurrentRow(1)
    assert "Dense (10 units)" in problems.repairs.buttons[0].accessibleName()


def test_without_problems_there_is_nothing_to_repair(place: BuildPlace) -> None:
    place.problems.show_analysis(Analysis(problems=(Problem(ERROR, "x", repairs=(Repair("y", Several(())),)),)))
    assert place.problems.repairs.isVisible()
    place.problems.show_analysis(Analysis())
    assert not place.problems.repairs.isVisible()
    assert place.problems.repairs.buttons == []


def test_a_problem_of_a_block_that_is_gone_is_harmless(place: BuildPlace) -> None:
    place.problems.node_chosen.emit("n99")
    assert place.scene.selected_nodes == ()


def test_from_search_to_block_without_a_pointer(place: BuildPlace, document: Document) -> None:
    place.scene.select(["n2"])
    place.view.setFocus()
    QTest.keyClick(place.view, Qt.Key.Key_Slash)
    assert place.blocks.search.hasFocus()
    QTest.keyClicks(place.blocks.search, "gelu")
    QTest.keyClick(place.blocks.search, Qt.Key.Key_Return)
    assert [node.block.kind for node in document.graph.order] == ["input", "dense", "gelu", "relu", "output"]
    assert place.inspector.block_page.title.text() == "GELU"


def test_enter_on_a_block_goes_to_its_settings(place: BuildPlace) -> None:
    place.scene.select(["n2"])
    place.view.setFocus()
    QTest.keyClick(place.view, Qt.Key.Key_Return)
    assert place.inspector.block_page.form.editors["units"].control.hasFocus()


def test_delete_in_a_text_field_deletes_a_letter(place: BuildPlace, document: Document) -> None:
    place.scene.select(["n2"])
    name = place.inspector.block_page.name_editor
    name.setFocus()
    name.setCursorPosition(0)
    QTest.keyClick(name, Qt.Key.Key_Delete)
    assert name.text() == "ense_2"
    assert len(document.graph.nodes) == 4


def test_why_an_edit_was_refused_reaches_the_status_bar(place: BuildPlace, document: Document, qtbot: QtBot) -> None:
    with qtbot.waitSignal(place.message) as told:
        document.do(Rename("n2", "relu_3"), "Rename")
    assert "already" in told.args[0]


def test_view_keys_work_wherever_the_focus_is(place: BuildPlace) -> None:
    place.blocks.search.setFocus()
    before = place.view.scale_factor
    QTest.keyClick(place.blocks.search, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert place.view.scale_factor == pytest.approx(1.2 * before)
    QTest.keyClick(place.blocks.search, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert place.view.scale_factor == before


def test_its_actions_are_named_and_say_their_keys(place: BuildPlace) -> None:
    actions = {a.objectName(): a.shortcut().toString() for a in place.actions() if not a.isSeparator()}
    expected = {
        "action_delete": "Del", "action_duplicate": "Ctrl+D", "action_select_all": "Ctrl+A", "action_fit": "Ctrl+0",
        "action_zoom_in": "Ctrl++", "action_zoom_out": "Ctrl+-", "action_cut": "Ctrl+X", "action_copy": "Ctrl+C",
        "action_paste": "Ctrl+V", "action_dissolve": "Ctrl+Del", "action_bypass": "Ctrl+B", "action_group": "Ctrl+G",
        "action_ungroup": "Ctrl+Shift+G", "action_fold": "Ctrl+.", "action_detach": "", "action_group_input": "",
        "action_group_output": "",
    }  # fmt: skip
    assert expected.items() <= actions.items()
    assert all(actions), "an action without a name"


def test_controls_have_names_for_tests_and_screen_readers(place: BuildPlace) -> None:
    for kind in registry:
        place.view.append_block(kind())
        controls = [w for w in place.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
        own = [w for w in controls if w.window() is place and not w.objectName().startswith("qt_")]
        assert [w for w in own if not (w.objectName() and w.accessibleName())] == []


def test_an_edit_while_shapes_are_inferred_is_harmless(
    place: BuildPlace, analyzer: Analyzer, document: Document, qtbot: QtBot
) -> None:
    analyzer.start()
    for units in range(1, 20):
        document.do(SetBlock("n2", registry.get("dense")(units=units)), "Change units")
    qtbot.waitUntil(lambda: place.scene.node_item("n2").shape_labels == ["N, 19 D"])
