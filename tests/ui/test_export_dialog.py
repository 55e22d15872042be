from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.export.formats import FORMATS
from studio.fields import replace as replace_fields
from studio.project import read_template
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.ui.panels.export_dialog import ExportDialog
from tests.ui.window_help import Person


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = read_template("iris-mlp")
    project = replace(project, training=replace_fields(project.training, epochs=1))
    folder = tmp_path_factory.mktemp("run") / "run"
    return Path(run(Job(project, folder), Control(), lambda event: None).checkpoint)


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def dialog(qtbot: QtBot, checkpoint: Path, person: Person, tmp_path: Path) -> Iterator[ExportDialog]:
    made = ExportDialog(checkpoint, tmp_path / "iris", person)
    made.open()
    yield made
    if Shiboken.isValid(made):
        made.done(0)


def choose(dialog: ExportDialog, kind: str) -> None:
    picker = dialog.findChild(QComboBox, "exportFormat")
    assert picker is not None
    picker.setCurrentIndex(picker.findData(kind))


def target(dialog: ExportDialog) -> QLineEdit:
    found = dialog.findChild(QLineEdit, "exportTarget")
    assert found is not None
    return found


def export(dialog: ExportDialog, qtbot: QtBot) -> str:
    """Press Export; what the dialog says then."""
    button, label = dialog.findChild(QPushButton, "exportWrite"), dialog.findChild(QLabel, "exportResult")
    assert button is not None
    assert label is not None
    button.click()
    qtbot.waitUntil(lambda: button.isEnabled(), timeout=120_000)  # a script starts PyTorch twice
    return label.text()


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_written(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    choose(dialog, kind)
    path = tmp_path / f"iris{FORMATS[kind].suffix}"
    assert target(dialog).text() == str(path)
    said = export(dialog, qtbot)
    assert path.is_file()
    assert "Not exported" not in said
    assert path.name in said or "equal" in said.lower()


def test_a_failure_is_explained(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    target(dialog).setText(str(tmp_path))
    assert "Not exported" in export(dialog, qtbot)


def test_a_script_is_tried_with_the_data_of_the_run(
    qtbot: QtBot, checkpoint: Path, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("studio.export.write.export", lambda *given: asked.append(given))
    made = ExportDialog(checkpoint, tmp_path / "iris", person, None, tmp_path / "files")
    made.open()
    choose(made, "script")
    export(made, qtbot)
    made.done(0)
    assert asked == [(checkpoint, "script", tmp_path / "iris.py", tmp_path / "files")]


def test_half_a_path_is_not_taken(dialog: ExportDialog, qtbot: QtBot) -> None:
    target(dialog).setText("iris.pt")
    assert "whole path" in export(dialog, qtbot)
    assert not Path("iris.pt").exists()


def test_a_chosen_file_gets_the_suffix(dialog: ExportDialog, person: Person, tmp_path: Path) -> None:
    button = dialog.findChild(QPushButton, "exportChoose")
    assert button is not None
    person.path = tmp_path / "other"
    button.click()
    assert target(dialog).text() == str(tmp_path / "other.pt")


def test_closing_waits_for_the_file(dialog: ExportDialog, tmp_path: Path) -> None:
    button = dialog.findChild(QPushButton, "exportWrite")
    assert button is not None
    button.click()
    dialog.reject()
    assert (tmp_path / "iris.pt").is_file()
