"""The dialog that brings in weights of other programs; and hostile model files at every door of the window."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QListWidget, QPushButton, QTableView
from pytestqt.qtbot import QtBot

from studio.ui.main_window import MainWindow
from studio.ui.panels.weights_import_dialog import WeightsImportDialog
from studio.ui.panels.weights_table import FILE_COLUMN
from tests.hostile_models import MARKER, make_all
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded

MOST_MS = 20_000


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    for window in opened_window(qtbot, person, "iris-mlp"):
        wait_until_loaded(qtbot, window)
        yield window


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """The template's network as another program has it, and a tensor too many."""
    import torch
    from torch import nn

    torch.manual_seed(2)
    module = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    path = tmp_path / "theirs.pth"
    torch.save({f"net.{name}": tensor for name, tensor in module.state_dict().items()} | {"x": torch.ones(16)}, path)
    return path


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    for event_class, point in ((QDragEnterEvent, QPoint(5, 5)), (QDropEvent, QPointF(5, 5))):
        event = event_class(
            point, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(window, event)


def opened(window: MainWindow, qtbot: QtBot) -> WeightsImportDialog:
    """The dialog, when it has looked into its file."""
    qtbot.waitUntil(lambda: window.findChild(WeightsImportDialog) is not None, timeout=MOST_MS)
    dialog = window.findChild(WeightsImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=MOST_MS)
    return dialog


def said(dialog: WeightsImportDialog) -> str:
    return dialog.findChild(QLabel, "weightsResult").text()


def test_dropped_weights_are_shown_changed_and_taken_as_one_step(
    window: MainWindow, qtbot: QtBot, theirs: Path, tmp_path: Path
) -> None:
    import torch

    from studio.training.checkpoint import read_checkpoint

    drop(window, theirs)
    dialog = opened(window, qtbot)
    assert said(dialog).startswith("4 of 4 tensors of the network get weights.")
    left = dialog.findChild(QListWidget, "weightsLeft")
    assert [left.item(row).text() for row in range(left.count())] == ["x  (16)"]
    table = dialog.findChild(QTableView, "weightsTable")
    index = dialog.model.index(1, FILE_COLUMN)
    assert index.data() == "net.0.bias"
    table.edit(index)
    box = table.findChild(QComboBox, "weightsChoice")
    assert [box.itemText(row) for row in range(box.count())] == ["none: stays fresh", "net.0.bias", "x"]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert index.data() == "x"
    assert [left.item(row).text() for row in range(left.count())] == ["net.0.bias  (16)"]
    before = window.document.project
    with qtbot.waitSignal(dialog.taken, timeout=MOST_MS):
        dialog.findChild(QPushButton, "weightsTake").click()
    weights = window.document.project.weights
    assert weights is not None
    assert weights.path == tmp_path / "data" / "imports" / "theirs-1.pt"
    model = read_checkpoint(weights.path).model
    assert torch.equal(model["dense_1.bias"], torch.ones(16))
    window.document.history.undo()
    assert window.document.project == before


def test_another_way_to_match(window: MainWindow, qtbot: QtBot, person: Person, theirs: Path) -> None:
    person.path = theirs
    action = window.findChild(QAction, "importWeightsAction")
    action.trigger()
    dialog = window.findChild(WeightsImportDialog)
    assert "Nothing in the file is run" in said(dialog)
    dialog.findChild(QPushButton, "weightsChooseFile").click()
    dialog = opened(window, qtbot)
    way = dialog.findChild(QComboBox, "weightsWay")
    way.setCurrentIndex(1)
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=MOST_MS)
    assert "Nothing in this file fits by itself" in said(dialog)
    assert not dialog.findChild(QPushButton, "weightsTake").isEnabled()
    dialog.model.choose(0, dialog.model.candidates(0)[0])
    assert said(dialog).startswith("1 of 4 tensors")
    dialog.findChild(QPushButton, "weightsClose").click()


def test_a_foreign_file_chosen_as_a_checkpoint_comes_to_the_dialog(
    window: MainWindow, qtbot: QtBot, person: Person, theirs: Path
) -> None:
    person.path = theirs
    window.train_place.form.findChild(QPushButton, "chooseWeights").click()
    dialog = opened(window, qtbot)
    assert said(dialog).startswith("4 of 4")
    assert person.told == []
    dialog.reject()


@pytest.fixture
def hostile(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "hostile"
    folder.mkdir()
    return make_all(folder)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may call out")

    monkeypatch.setattr(socket, "socket", refuse)


def by_drop(window: MainWindow, person: Person, path: Path) -> None:
    drop(window, path)


def by_menu(window: MainWindow, person: Person, path: Path) -> None:
    person.path = path
    window.findChild(QAction, "importWeightsAction").trigger()
    window.findChild(WeightsImportDialog).findChild(QPushButton, "weightsChooseFile").click()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("door", [by_drop, by_menu])
def test_no_hostile_file_gets_in_by_the_dialog(
    window: MainWindow, qtbot: QtBot, person: Person, hostile: list[Path],
    door: Callable[[MainWindow, Person, Path], None],
) -> None:  # fmt: skip
    before = window.document.project
    for path in hostile:
        door(window, person, path)
        dialog = opened(window, qtbot)
        assert not dialog.findChild(QPushButton, "weightsTake").isEnabled(), path.name
        assert said(dialog).startswith(("Not taken. ", "Nothing in this file fits")), path.name
        assert dialog.model.matches == () or said(dialog).startswith("Nothing"), path.name
        dialog.reject()
        dialog.deleteLater()
        QApplication.sendPostedEvents(dialog, 0)
        qtbot.waitUntil(lambda: window.findChild(WeightsImportDialog) is None)
    assert window.document.project == before
    assert not (hostile[0].parent / MARKER).exists()


@pytest.mark.usefixtures("no_network")
def test_no_hostile_file_gets_in_as_a_project_or_as_starting_weights(
    window: MainWindow, qtbot: QtBot, person: Person, hostile: list[Path]
) -> None:
    before = window.document.project
    for path in hostile:
        window.preferences.add_recent_project(path)
        window.files.open_path(path)  # what the list of recent projects does
        assert person.told[-1].startswith("The project was not opened. "), path.name
        assert path not in window.preferences.recent_projects
    assert len(person.told) == len(hostile)
    assert window.document.project == before
    assert not (hostile[0].parent / MARKER).exists()


@pytest.mark.usefixtures("no_network")
def test_no_hostile_file_can_be_evaluated(hostile: list[Path], tmp_path: Path) -> None:
    from studio.ui.evaluation.refusals import refusal_of
    from studio.ui.evaluation.work import Bench, Wanted

    bench = Bench()
    for path in hostile:
        with pytest.raises(Exception) as caught:  # noqa: PT011  (which one, is looked at below)
            bench.evaluate(Wanted(path, "validation", {}), lambda *_: None, lambda *_: None)
        assert refusal_of(caught.value).heading != "Nothing was evaluated", path.name  # that would be a fault
    assert not (tmp_path / "hostile" / MARKER).exists()
