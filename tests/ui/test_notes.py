"""Notes on the canvas: written in place, moved, resized, deleted; one step each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.graph.edits import AddNote, Remove
from studio.graph.model import Note
from studio.ui.canvas.notes import NoteEditor, add_note
from studio.ui.canvas.scene import GraphScene
from studio.ui.canvas.view import GraphView
from studio.ui.document import Document

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
NOTE = Note("t1", "Why this?", 320.0, 0.0, 160.0, 80.0)


@pytest.fixture
def view(document: Document, qtbot: QtBot) -> Iterator[GraphView]:
    view = GraphView(GraphScene(document))
    qtbot.addWidget(view)
    view.graph_scene.setParent(view)
    view.resize(900, 700)
    view.show()
    qtbot.waitExposed(view)
    document.do(AddNote(NOTE), "Add note")
    view.fit()
    return view


def pixel(view: GraphView, x: float, y: float) -> QPoint:
    return view.viewportTransform().map(QPointF(x, y)).toPoint()


def editor(view: GraphView) -> NoteEditor:
    found = view.viewport().findChild(NoteEditor)
    assert found is not None
    return found


def notes(document: Document) -> tuple[Note, ...]:
    return document.graph.notes


def drag(view: GraphView, start: tuple[float, float], way: QPoint) -> None:
    at = pixel(view, *start)
    QTest.mousePress(view.viewport(), LEFT, NONE, at)
    QTest.mouseMove(view.viewport(), at + way / 2)
    QTest.mouseMove(view.viewport(), at + way)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, at + way)


def test_a_note_is_written_where_it_stands(document: Document, view: GraphView) -> None:
    QTest.mouseDClick(view.viewport(), LEFT, NONE, pixel(view, 400, 40))
    QTest.keyClicks(editor(view), "Because")
    view.setFocus()
    editor_gone = view.viewport().findChild(NoteEditor)
    assert editor_gone is None or editor_gone.isHidden()
    assert notes(document)[0].text == "Because"
    assert document.history.undo_text == "Write note"
    document.history.undo()
    assert view.graph_scene.notes.items["t1"].note == NOTE


def test_escape_leaves_it_as_it_was(document: Document, view: GraphView) -> None:
    QTest.mouseDClick(view.viewport(), LEFT, NONE, pixel(view, 400, 40))
    QTest.keyClicks(editor(view), "Because")
    QTest.keyClick(editor(view), Qt.Key.Key_Escape)
    assert notes(document) == (NOTE,)


def test_delete_in_the_text_deletes_a_letter(document: Document, view: GraphView) -> None:
    view.graph_scene.select(["n2"])
    QTest.mouseDClick(view.viewport(), LEFT, NONE, pixel(view, 400, 40))
    QTest.keyClick(editor(view), Qt.Key.Key_Delete)
    assert editor(view).toPlainText() == ""
    assert len(document.graph.nodes) == 4
    editor(view).discard()


def test_it_is_dragged_and_resized_by_its_corner(document: Document, view: GraphView) -> None:
    scale = view.scale_factor
    drag(view, (380, 30), QPoint(round(80 * scale), round(40 * scale)))
    (moved,) = notes(document)
    assert (moved.x, moved.y) == (400.0, 40.0)
    drag(view, (moved.x + moved.width - 4, moved.y + moved.height - 4), QPoint(round(80 * scale), 0))
    (resized,) = notes(document)
    assert (resized.x, resized.width, resized.height) == (400.0, 240.0, 80.0)
    drag(view, (resized.x + resized.width - 4, resized.y + resized.height - 4), QPoint(-2000, -2000))
    assert (notes(document)[0].width, notes(document)[0].height) == (32.0, 32.0)
    assert document.history.texts[1:] == ("Move note", "Resize note", "Resize note")


def test_a_chosen_note_is_deleted_alone(document: Document, view: GraphView) -> None:
    view.graph_scene.select(["n2"])
    QTest.mouseClick(view.viewport(), LEFT, NONE, pixel(view, 400, 40))
    assert view.graph_scene.selected_nodes == ()
    assert view.graph_scene.selected_notes == ("t1",)
    view.graph_actions.delete_action.trigger()
    assert notes(document) == ()
    assert len(document.graph.nodes) == 4
    assert view.graph_scene.notes.items == {}
    assert not view.graph_actions.delete_action.isEnabled()


def test_choosing_a_block_lets_go_of_the_note(view: GraphView) -> None:
    view.graph_scene.select(["t1"])
    view.graph_scene.select(["n2"])
    assert view.graph_scene.selected_notes == ()


def test_a_new_note_is_written_at_once(document: Document, view: GraphView) -> None:
    add_note(view)
    assert len(notes(document)) == 2
    QTest.keyClicks(editor(view), "New")
    editor(view).commit()
    assert notes(document)[1].text == "New"


def test_an_edit_meanwhile_closes_the_editor(document: Document, view: GraphView) -> None:
    QTest.mouseDClick(view.viewport(), LEFT, NONE, pixel(view, 400, 40))
    open_editor = editor(view)
    document.do(Remove(frozenset({"t1"})), "Delete")
    assert open_editor.isHidden()
    open_editor.commit()
    assert notes(document) == ()


def test_blocks_lie_above_notes(document: Document, view: GraphView) -> None:
    document.do(AddNote(Note("t2", "under", -20.0, 40.0, 300.0, 120.0)), "Add note")
    QTest.mouseClick(view.viewport(), LEFT, NONE, pixel(view, 60, 86))
    assert view.graph_scene.selected_nodes == ("n1",)
    view.graph_scene.restyle()
    QApplication.processEvents()


def at(document: Document) -> dict[str, tuple[float, float]]:
    """Where everything stands."""
    everything = (*document.graph.nodes, *document.graph.notes)
    return {item.id: (item.x, item.y) for item in everything}


def test_a_rectangle_selects_the_notes_that_lie_in_it(document: Document, view: GraphView) -> None:
    drag(view, (-40, -30), pixel(view, 400, 100) - pixel(view, -40, -30))  # touches the block, cuts the note
    assert view.graph_scene.selected_nodes == ("n1",)
    assert view.graph_scene.selected_notes == ()
    drag(view, (-40, -30), pixel(view, 700, 140) - pixel(view, -40, -30))
    assert view.graph_scene.selected_nodes == ("n1", "n2")
    assert view.graph_scene.selected_notes == ("t1",)


@pytest.mark.parametrize("grabbed", ["block", "note"])
def test_what_is_selected_moves_together(document: Document, view: GraphView, grabbed: str) -> None:
    before = at(document)
    view.graph_scene.select(["n1", "t1"])
    start = (20.0, 80.0) if grabbed == "block" else (380.0, 40.0)
    scale = view.scale_factor
    drag(view, start, QPoint(round(160 * scale), round(-80 * scale)))
    after = at(document)
    ways = {item: (after[item][0] - before[item][0], after[item][1] - before[item][1]) for item in before}
    assert ways["n1"] == ways["t1"] != (0, 0)
    assert ways["n2"] == ways["n3"] == (0, 0)
    assert document.history.undo_text == "Move"
    assert view.graph_scene.notes.items["t1"].pos().toTuple() == after["t1"]
    document.history.undo()
    assert at(document) == before
    assert view.graph_scene.notes.items["t1"].pos().toTuple() == before["t1"]


def test_escape_puts_back_what_was_dragged_along(document: Document, view: GraphView) -> None:
    view.graph_scene.select(["n1", "t1"])
    start = pixel(view, 380, 40)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), start + QPoint(60, 60))
    assert view.graph_scene.node_item("n1").pos() != QPointF(0, 0)
    QTest.keyClick(view.viewport(), Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(60, 60))
    assert document.history.count == 1
    node = document.graph.node("n1")
    assert view.graph_scene.node_item("n1").pos() == QPointF(node.x, node.y)
    assert view.graph_scene.notes.items["t1"].pos() == QPointF(320, 0)


def test_with_shift_a_click_adds_a_note_and_takes_it_out(view: GraphView) -> None:
    view.graph_scene.select(["n2"])
    for expected in (("t1",), ()):
        QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, pixel(view, 380, 40))
        assert view.graph_scene.selected_notes == expected
        assert view.graph_scene.selected_nodes == ("n2",)


def test_notes_are_copied_cut_duplicated_and_nudged_with_blocks(document: Document, view: GraphView) -> None:
    actions = view.graph_actions
    view.graph_scene.select(["n2", "t1"])
    actions.duplicate_action.trigger()
    assert [note.text for note in notes(document)] == [NOTE.text] * 2
    assert document.history.undo_text == "Duplicate block and note"
    (copied,) = view.graph_scene.selected_notes
    assert copied != "t1"
    actions.nudge(1, 0, far=False)
    original, copy = notes(document)
    assert copy.x > original.x
    view.graph_scene.select(["t1"])
    actions.clipboard.cut_action.trigger()
    assert [note.id for note in notes(document)] == [copied]
    assert document.history.undo_text == "Cut note"
    actions.clipboard.paste(QPointF(600, 600))
    assert document.history.undo_text == "Paste note"
    assert len(view.graph_scene.selected_notes) == 1
    actions.select_all_action.trigger()
    actions.delete_action.trigger()
    assert document.graph.nodes == document.graph.notes == ()
    assert document.history.undo_text == "Delete 5 blocks and 2 notes"
