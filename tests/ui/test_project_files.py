from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.fields import replace
from studio.project import Project, read_project, read_template, write_project
from studio.ui.document import Document
from studio.ui.preferences import Preferences
from studio.ui.project_files import ProjectFiles
from studio.ui.prompts import CANCEL, DISCARD, SAVE
from tests.ui.window_help import Person, redirect_folders


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    return Document(read_template("iris-mlp"))


@pytest.fixture
def files(document: Document, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ProjectFiles:
    redirect_folders(monkeypatch, tmp_path)
    return ProjectFiles(document, Preferences(), person)


def change(document: Document) -> None:
    document.set_training(replace(document.project.training, epochs=77), "Change epochs")


def test_save_asks_for_a_place_once(files: ProjectFiles, document: Document, person: Person, tmp_path: Path) -> None:
    person.path = tmp_path / "mine.studio.json"
    change(document)
    assert files.save()
    assert document.history.clean
    person.path = None
    change(document)
    assert files.save()
    assert read_project(tmp_path / "mine.studio.json") == document.project
    assert files.title == "mine"


def test_save_as_changes_the_place(files: ProjectFiles, document: Document, person: Person, tmp_path: Path) -> None:
    for name in ("first", "second"):
        person.path = tmp_path / f"{name}.studio.json"
        assert files.save_as()
    assert document.path == tmp_path / "second.studio.json"
    assert Preferences().recent_projects == [tmp_path / "second.studio.json", tmp_path / "first.studio.json"]


def test_what_cannot_be_saved_is_explained(
    files: ProjectFiles, document: Document, person: Person, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    person.path = tmp_path / "file" / "mine.studio.json"
    change(document)
    assert not files.save()
    assert "was not saved" in person.told[0]
    assert not document.history.clean


def test_what_cannot_be_opened_leaves_the_project(
    files: ProjectFiles, document: Document, person: Person, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.studio.json"
    broken.write_text("{}")
    Preferences().add_recent_project(broken)
    before = document.project
    assert not files.open_path(broken)
    assert "broken.studio.json" in person.told[0]
    assert document.project == before
    assert Preferences().recent_projects == []


@pytest.mark.parametrize(("answer", "kept"), [(CANCEL, True), (DISCARD, False), (SAVE, False)])
def test_new_asks_about_changes(
    files: ProjectFiles, document: Document, person: Person, tmp_path: Path, answer: str, kept: bool
) -> None:
    change(document)
    changed = document.project
    person.on_unsaved, person.path = answer, tmp_path / "kept.studio.json"
    files.new()
    assert (document.project == changed) == kept
    assert person.path.exists() == (answer == SAVE)


def test_saving_that_is_given_up_keeps_the_project(files: ProjectFiles, document: Document, person: Person) -> None:
    change(document)
    changed = document.project
    person.on_unsaved, person.path = SAVE, None
    files.new()
    assert document.project == changed


def test_nothing_is_asked_without_changes(files: ProjectFiles, document: Document, person: Person) -> None:
    files.new()
    assert person.asked == []
    assert document.project == Project()


def test_a_template_is_opened_without_a_path(files: ProjectFiles, document: Document, tmp_path: Path) -> None:
    path = tmp_path / "mine.studio.json"
    write_project(path, document.project)
    assert files.open_path(path)
    files.new_from_template("digits-mlp")
    assert document.path is None
    assert document.project == read_template("digits-mlp")


def test_a_title_becomes_a_file_name(files: ProjectFiles, document: Document) -> None:
    document.describe(title='a/b: "c"? ')
    assert files.suggest_export().name == "a-b- -c--"
    document.describe(title=" . ")
    assert files.suggest_export().name == "project"


def test_changes_that_nobody_could_be_asked_about_are_kept_beside_the_file(
    files: ProjectFiles, document: Document, person: Person, tmp_path: Path
) -> None:
    path = tmp_path / "mine.studio.json"
    files.keep_unsaved()
    assert not (tmp_path / "data" / "unsaved").exists()
    document.save(path)
    before = path.read_bytes()
    change(document)
    files.keep_unsaved()
    (kept,) = (tmp_path / "data" / "unsaved").iterdir()
    assert kept.name.startswith("mine 20")
    assert read_project(kept) == document.project
    assert path.read_bytes() == before
    assert Preferences().recent_projects[0] == kept
    assert person.asked == []
