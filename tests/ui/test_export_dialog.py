from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListWidget, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.export.formats import FORMATS
from studio.fields import replace as replace_fields
from studio.project import read_template
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.ui.panels.export_dialog import ExportDialog, beside_run
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
    picker = dialog.findChild(QListWidget, "exportFormat")
    assert picker is not None
    picker.setCurrentRow(list(FORMATS).index(kind))


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
    qtbot.waitUntil(lambda: button.text() == "Export", timeout=120_000)  # a script starts PyTorch twice
    return label.text()


@pytest.mark.parametrize("kind", ["state-dict", "python"])
def test_a_format_is_written(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    choose(dialog, kind)
    path = tmp_path / f"iris{FORMATS[kind].ending}{FORMATS[kind].suffix}"
    assert target(dialog).text() == str(path)
    said = export(dialog, qtbot)
    assert path.is_file()
    assert str(path) in said


def test_every_format_has_its_own_name_and_says_what_it_is_for(dialog: ExportDialog) -> None:
    about, names = dialog.findChild(QLabel, "exportAbout"), set()
    assert about is not None
    for kind, format_ in FORMATS.items():
        choose(dialog, kind)
        assert about.text() == format_.about
        names.add(target(dialog).text())
    assert len(names) == len(FORMATS)
    target(dialog).setText("/elsewhere/mine.bin")
    choose(dialog, "onnx")
    assert target(dialog).text() == "/elsewhere/mine.bin"  # a name of the person's own stays


def test_an_export_tells_what_it_does_and_can_be_given_up(
    dialog: ExportDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*given: object, tick: Callable[[str], None]) -> str:
        while True:
            tick("Tracing the network")

    monkeypatch.setattr("studio.export.write.export", endless)
    button, label = dialog.findChild(QPushButton, "exportWrite"), dialog.findChild(QLabel, "exportResult")
    assert button is not None
    assert label is not None
    button.click()
    qtbot.waitUntil(lambda: label.text() == "Tracing the network…")
    assert button.text() == "Cancel"
    assert not target(dialog).isEnabled()
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Export")
    assert label.text() == "Given up; nothing was written."
    show = dialog.findChild(QPushButton, "exportShow")
    assert show is not None
    assert not show.isEnabled()


def test_the_file_is_shown_in_its_folder_and_its_path_copied(
    dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.export.write.export", lambda *given, tick: "Wrote it.")
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    export(dialog, qtbot)
    for name in ("exportShow", "exportCopy"):
        button = dialog.findChild(QPushButton, name)
        assert button is not None
        button.click()
    assert opened == [str(tmp_path)]
    assert QApplication.clipboard().text() == str(tmp_path / "iris-weights.pt")


def test_a_failure_is_explained(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    target(dialog).setText(str(tmp_path))
    assert "Not exported" in export(dialog, qtbot)


def test_a_script_is_tried_with_the_data_of_the_run(
    qtbot: QtBot, checkpoint: Path, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("studio.export.write.export", lambda *given, tick: asked.append(given))
    made = ExportDialog(checkpoint, tmp_path / "iris", person, None, tmp_path / "files")
    made.open()
    choose(made, "script")
    export(made, qtbot)
    made.done(0)
    assert asked == [(checkpoint, "script", tmp_path / "iris-training.py", tmp_path / "files")]


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


def test_closing_gives_up(dialog: ExportDialog, tmp_path: Path) -> None:
    button = dialog.findChild(QPushButton, "exportWrite")
    assert button is not None
    button.click()
    dialog.reject()
    assert not list(tmp_path.iterdir())


def test_what_a_run_exports_goes_into_its_folder() -> None:
    assert beside_run(Path("/runs/a.b/checkpoints/best.pt")) == Path("/runs/a.b/exports/a.b")
    assert beside_run(Path("/runs/a.b")) == Path("/runs/a.b/exports/a.b")
    assert beside_run(Path("/files/net.pt")) == Path("/files/net")
