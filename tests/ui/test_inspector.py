import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.compile.analysis import ERROR, WARNING, Analysis, NodeAnalysis, Problem
from studio.graph import Link
from studio.graph.edits import Remove, Rename
from studio.project.graph_json import MAX_TEXT
from studio.tensors import TensorSpec
from studio.ui.canvas.scene import GraphScene
from studio.ui.document import Document
from studio.ui.panels.inspector import Inspector
from studio.ui.wording import size

IMAGE, ROW = TensorSpec((16, 14, 14), "CHW"), TensorSpec((64,), "D")


@pytest.fixture
def scene(document: Document) -> GraphScene:
    return GraphScene(document)


@pytest.fixture
def inspector(document: Document, scene: GraphScene, qtbot: QtBot) -> Inspector:
    inspector = Inspector(document, scene)
    qtbot.addWidget(inspector)
    inspector.resize(300, 700)
    with qtbot.waitExposed(inspector):
        inspector.show()
    inspector.activateWindow()
    return inspector


def retype(control: QLineEdit, text: str) -> None:
    control.setFocus()
    control.selectAll()
    QTest.keyClicks(control, text)
    QTest.keyClick(control, Qt.Key.Key_Return)


def shown_texts(inspector: Inspector) -> str:
    return "\n".join(label.text() for label in inspector.findChildren(QLabel) if label.isVisible())


def test_a_selected_block_is_shown_with_its_form_and_help(inspector: Inspector, scene: GraphScene) -> None:
    scene.select(["n2"])
    page = inspector.block_page
    assert page.isVisible()
    assert page.title.text() == "Dense"
    assert page.name_editor.text() == "dense_2"
    assert list(page.form.editors) == ["units", "bias"]
    assert "fully connected" in page.help.text()


def test_a_field_changes_the_graph_and_changes_in_a_row_are_one_step(
    inspector: Inspector, scene: GraphScene, document: Document
) -> None:
    scene.select(["n2"])
    units = inspector.block_page.form.editors["units"].control
    for _ in range(3):
        units.stepUp()
    assert document.graph.node("n2").block == registry.get("dense")(units=67)
    assert (document.history.count, document.history.undo_text) == (1, "Change units")
    assert scene.selected_nodes == ("n2",)
    document.history.undo()
    assert units.value() == 64


def test_an_invalid_field_says_why_and_changes_nothing(
    inspector: Inspector, scene: GraphScene, document: Document
) -> None:
    scene.select(["n1"])
    editor = inspector.block_page.form.editors["shape"]
    before = document.graph
    retype(editor.control, "0, 8")
    assert "at least 1" in editor.refusal.text()
    assert document.graph is before


def test_renaming(inspector: Inspector, scene: GraphScene, document: Document) -> None:
    scene.select(["n2"])
    retype(inspector.block_page.name_editor, "hidden")
    assert document.graph.node("n2").name == "hidden"
    assert document.history.undo_text == "Rename"
    document.history.undo()
    assert inspector.block_page.name_editor.text() == "dense_2"


@pytest.mark.parametrize("name", ["relu_3", "2nd", "import", "forward", "", "<b>x</b>"])
def test_a_name_that_cannot_be_is_refused_beside_the_field(
    inspector: Inspector, scene: GraphScene, document: Document, name: str
) -> None:
    scene.select(["n2"])
    editor = inspector.block_page.name_editor
    editor.clear()
    retype(editor, name)
    assert inspector.block_page.name_refusal.isVisible()
    assert document.graph.node("n2").name == "dense_2"
    scene.select(["n3"])
    assert not inspector.block_page.name_refusal.isVisible()


def test_shapes_parameters_and_problems_are_shown(inspector: Inspector, scene: GraphScene) -> None:
    scene.select(["n2"])
    problems = (Problem(ERROR, "It <i>does</i> not fit.", "n2"), Problem(WARNING, "Odd.", "n2"),
                Problem(ERROR, "Another block.", "n3"))  # fmt: skip
    inspector.show_analysis(Analysis({"n2": NodeAnalysis((IMAGE, ROW), (ROW,), 18_496)}, problems))
    page = inspector.block_page
    assert page.facts["In"].text() == "(N, 16 C, 14 H, 14 W)\n(N, 64 D)"
    assert page.facts["Out"].text() == "(N, 64 D)"
    assert page.facts["Parameters"].text() == "18,496"
    assert page.errors.text() == "It <i>does</i> not fit."
    assert page.errors.textFormat() == Qt.TextFormat.PlainText
    assert page.warnings.text() == "Odd."
    scene.select(["n4"])
    assert not page.errors.isVisible()
    assert page.facts["In"].text() == "—"


def test_without_a_selection_the_network_is_shown(inspector: Inspector, document: Document) -> None:
    found = {"n2": NodeAnalysis((), (), 1_000, 2_000, 900), "n3": NodeAnalysis((), (), 500, 34, 100)}
    inspector.show_analysis(Analysis(found))
    facts = {name: label.text() for name, label in inspector.network_page.facts.items()}
    assert facts == {"Blocks": "4", "Links": "3", "Parameters": "1,500", "Weights": "6 kB as 32-bit numbers",
                     "Operations": "2,034 for one sample", "Memory": "1 kB for one sample"}  # fmt: skip
    document.do(Remove(frozenset({"n4"})), "Delete")
    assert inspector.network_page.facts["Blocks"].text() == "3"


def test_several_blocks_and_wires_are_counted(inspector: Inspector, scene: GraphScene) -> None:
    inspector.show_analysis(Analysis({"n2": NodeAnalysis((), (ROW,), 1_000), "n3": NodeAnalysis(parameters=500)}))
    scene.select(["n2", "n3"], [Link("n1", 0, "n2", 0)])
    assert "2 blocks and 1 link selected" in shown_texts(inspector)
    assert "1,500 parameters" in shown_texts(inspector)
    scene.select(links=[Link("n2", 0, "n3", 0)])
    assert "From “dense_2” to “relu_3”\n(N, 64 D)" in shown_texts(inspector)


def test_title_and_notes_are_edited_and_undone(inspector: Inspector, document: Document) -> None:
    page = inspector.network_page
    retype(page.title_editor, "Digits")
    page.notes_editor.setFocus()
    QTest.keyClicks(page.notes_editor, "It works.")
    assert (document.project.title, document.project.notes) == ("Digits", "It works.")
    assert document.history.count == 2
    document.history.undo()
    document.history.undo()
    assert page.title_editor.text() == "Four blocks"
    assert page.notes_editor.toPlainText() == ""


def test_typing_in_the_middle_of_the_notes_keeps_the_cursor(inspector: Inspector, document: Document) -> None:
    document.describe(notes="one three")
    editor = inspector.network_page.notes_editor
    editor.setFocus()
    editor.moveCursor(QTextCursor.MoveOperation.Start)
    for _ in range(4):
        editor.moveCursor(QTextCursor.MoveOperation.Right)
    QTest.keyClicks(editor, "two ")
    assert document.project.notes == "one two three"


def test_notes_too_long_for_a_project_file_are_refused(inspector: Inspector, document: Document) -> None:
    page = inspector.network_page
    page.notes_editor.setPlainText("x" * (MAX_TEXT + 1))
    assert page.notes_refusal.isVisible()
    assert document.project.notes == ""
    page.notes_editor.setPlainText("x" * MAX_TEXT)
    assert not page.notes_refusal.isVisible()
    assert len(document.project.notes) == MAX_TEXT


def test_a_block_that_goes_away_leaves_the_network(inspector: Inspector, scene: GraphScene, document: Document) -> None:
    scene.select(["n2"])
    document.do(Remove(frozenset({"n2"})), "Delete")
    assert inspector.network_page.isVisible()


def test_a_change_from_elsewhere_is_shown(inspector: Inspector, scene: GraphScene, document: Document) -> None:
    scene.select(["n2"])
    document.do(Rename("n2", "hidden"), "Rename")
    assert inspector.block_page.name_editor.text() == "hidden"


def test_edit_block_puts_the_cursor_into_the_first_setting(inspector: Inspector, scene: GraphScene) -> None:
    scene.select(["n2"])
    inspector.edit_block()
    assert inspector.block_page.form.editors["units"].control.hasFocus()
    scene.select(["n3"])  # has no settings
    inspector.edit_block()
    assert inspector.block_page.name_editor.hasFocus()


def test_sizes_are_readable() -> None:
    assert [size(n) for n in (0, 900, 999, 74_000, 999_999, 1_200_000, 5 * 10**9)] == [
        "0 bytes", "900 bytes", "999 bytes", "74 kB", "1 MB", "1.2 MB", "5 GB",
    ]  # fmt: skip
