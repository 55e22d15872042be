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
    assert view.graph_scene.chosen_note == "t1"
    view.graph_actions.delete_action.trigger()
    assert notes(document) == ()
    assert len(document.graph.nodes) == 4
    assert view.graph_scene.notes.items == {}
    assert not view.graph_actions.delete_action.isEnabled()


def test_choosing_a_block_lets_go_of_the_note(view: GraphView) -> None:
    view.graph_scene.choose_note("t1")
    view.graph_scene.select(["n2"])
    assert view.graph_scene.chosen_note is None


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
