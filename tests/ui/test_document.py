from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.data import registry as sources
from studio.data.choice import DataChoice
from studio.graph import Graph, Link
from studio.graph.edits import AddLink, Remove, Rename, SetBlock
from studio.project import Project
from studio.storage import StorageError
from studio.ui.document import Document


def set_units(document: Document, units: int) -> bool:
    block = registry.get("dense")(units=units)
    return document.do(SetBlock("n2", block), "Change units", merge="n2.units")


def test_an_edit_is_one_undo_step_and_says_what_changed(document: Document, qtbot: QtBot) -> None:
    before = document.graph
    with qtbot.waitSignal(document.graph_changed) as told:
        assert document.do(Rename("n2", "hidden"), "Rename")
    assert told.args == [before, document.graph]
    assert document.history.undo_text == "Rename"
    document.history.undo()
    assert document.graph == before
    document.history.redo()
    assert document.graph.node("n2").name == "hidden"


def test_a_refused_edit_changes_nothing_and_says_why(document: Document, qtbot: QtBot) -> None:
    before = document.project
    with qtbot.waitSignal(document.refused) as told:
        assert not document.do(AddLink(Link("n3", 0, "n2", 0), replace_existing=True), "Connect")
    assert "circle" in told.args[0]
    assert document.project is before
    assert document.history.count == 0


def test_an_edit_that_changes_nothing_is_no_step(document: Document, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(document.project_changed):
        assert document.do(Rename("n2", "dense_2"), "Rename")
    assert document.history.count == 0


def test_changes_of_one_field_in_a_row_are_one_step(document: Document) -> None:
    before = document.graph
    for units in (65, 66, 67):
        set_units(document, units)
    assert document.history.count == 1
    document.history.undo()
    assert document.graph == before


def test_a_field_changed_back_leaves_no_step(document: Document) -> None:
    set_units(document, 65)
    set_units(document, 64)
    assert document.history.count == 0
    assert document.history.clean


def test_steps_do_not_merge_across_a_save(document: Document, tmp_path: Path) -> None:
    set_units(document, 65)
    document.save(tmp_path / "net.studio.json")
    set_units(document, 66)
    assert not document.history.clean
    document.history.undo()
    assert document.history.clean


def test_choosing_data_fits_the_inputs_in_the_same_step(document: Document) -> None:
    document.choose_data(DataChoice(source=sources.get("iris")()))
    assert document.graph.node("n1").block == registry.get("input")(shape=(4,))
    assert document.history.count == 1
    document.history.undo()
    assert document.graph.node("n1").block == registry.get("input")(shape=(64,))


def test_title_and_notes_can_be_undone(document: Document) -> None:
    for title in ("A", "AB"):
        document.describe(title=title)
    document.describe(notes="why")
    assert (document.project.title, document.project.notes) == ("AB", "why")
    assert document.history.count == 2
    document.history.undo()
    document.history.undo()
    assert (document.project.title, document.project.notes) == ("Four blocks", "")


def test_training_settings_of_one_kind_merge(document: Document) -> None:
    settings = document.project.training
    for epochs in (3, 4):
        document.set_training(replace(settings, epochs=epochs), "Change epochs")
    assert document.history.count == 1
    assert document.project.training.epochs == 4


def test_saved_and_opened_it_is_the_same(document: Document, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "net.studio.json"
    document.save(path)
    saved = document.project
    document.do(Remove(frozenset({"n2"})), "Delete")
    with qtbot.waitSignals([document.replaced, document.graph_changed]):
        document.open(path)
    assert document.project == saved
    assert document.path == path
    assert not document.history.can_undo


def test_a_file_that_cannot_be_opened_leaves_the_project(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "broken.studio.json"
    path.write_text("{")
    before = document.project
    with pytest.raises(StorageError):
        document.open(path)
    assert document.project is before
    assert document.path is None


def test_reset_forgets_the_history(document: Document, chain: Callable[..., Graph]) -> None:
    set_units(document, 65)
    document.reset(Project(graph=chain()))
    assert document.history.count == 0
    assert document.history.clean
