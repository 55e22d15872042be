"""Importing in the window: names, code that is read before it runs, and what a run then starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.project import Project, StartingWeights, read_template
from studio.ui.document import Document
from studio.ui.panels.import_dialog import ImportDialog
from studio.ui.panels.settings_form import SettingsForm
from studio.ui.weights_choice import WeightsChoice
from tests.ui.window_help import Person

NETWORK = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 10))
"""
LOADING_MS = 60_000


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def dialog(qtbot: QtBot, person: Person, tmp_path: Path) -> Iterator[ImportDialog]:
    made = ImportDialog(tmp_path / "imports", person)
    made.open()
    qtbot.waitUntil(lambda: find(made, QPushButton, "importStart").isEnabled(), timeout=LOADING_MS)
    yield made
    if Shiboken.isValid(made):
        made.done(0)


def find(dialog: ImportDialog, kind: type[Any], name: str) -> Any:
    found = dialog.findChild(kind, name)
    assert found is not None
    return found


def start(dialog: ImportDialog, qtbot: QtBot) -> str:
    """Press Import; what the dialog says when it has ended without a network."""
    find(dialog, QPushButton, "importStart").click()
    qtbot.waitUntil(lambda: find(dialog, QPushButton, "importStart").isEnabled(), timeout=LOADING_MS)
    return find(dialog, QLabel, "importResult").text()


def imported(dialog: ImportDialog, qtbot: QtBot) -> Project:
    """Press Import and take the network."""
    with qtbot.waitSignal(dialog.imported, timeout=LOADING_MS) as caught:
        find(dialog, QPushButton, "importStart").click()
    return caught.args[0]


def test_a_network_of_torchvision_becomes_a_project(dialog: ImportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    names = find(dialog, QComboBox, "importName")
    assert names.count() > 70
    assert names.currentText() == "resnet18"
    names.setCurrentText("squeezenet1_1")
    find(dialog, QLineEdit, "importSize").setText("3, 32, 32")
    project = imported(dialog, qtbot)
    assert project.title == "squeezenet1_1"
    assert project.weights is not None
    assert project.weights.path == tmp_path / "imports" / "squeezenet1_1-1.pt"
    assert project.graph.inputs[0].block.shape == (3, 32, 32)


def test_what_would_be_fetched_is_said_before(dialog: ImportDialog) -> None:
    box, about = find(dialog, QCheckBox, "importPretrained"), find(dialog, QLabel, "importAbout")
    assert "nothing is fetched" in about.text()
    box.setChecked(True)
    assert about.text().startswith("46.8 MB are fetched")


def test_a_python_file_is_shown_and_runs_only_when_trusted(
    dialog: ImportDialog, qtbot: QtBot, person: Person, tmp_path: Path
) -> None:
    person.path = tmp_path / "net.py"
    person.path.write_text(NETWORK)
    find(dialog, QComboBox, "importOrigin").setCurrentIndex(1)
    find(dialog, QLineEdit, "importSize").setText("64")
    assert start(dialog, qtbot) == "Choose a Python file."
    find(dialog, QPushButton, "importChooseFile").click()
    assert find(dialog, QPlainTextEdit, "importCode").toPlainText() == NETWORK
    assert "Read it, and say that you trust it" in start(dialog, qtbot)
    find(dialog, QCheckBox, "importTrust").setChecked(True)
    person.path.write_text(NETWORK + "raise SystemError")
    assert "changed since it was read" in start(dialog, qtbot)
    find(dialog, QPushButton, "importChooseFile").click()
    assert not find(dialog, QCheckBox, "importTrust").isChecked(), "trust is for one content"
    find(dialog, QCheckBox, "importTrust").setChecked(True)
    assert "does not run: SystemError" in start(dialog, qtbot)
    person.path.write_text(NETWORK)
    find(dialog, QPushButton, "importChooseFile").click()
    find(dialog, QCheckBox, "importTrust").setChecked(True)
    assert [node.name for node in imported(dialog, qtbot).graph.nodes][1:] == ["flatten_0", "dense_1", "output"]


@pytest.mark.parametrize(
    ("size", "message"),
    [("3, x", "whole numbers with commas"), ("0", "at least 1"), ("3, 4, 4", "does not take"), ("", "whole numbers")],
)
def test_a_size_that_does_not_fit_is_explained(dialog: ImportDialog, qtbot: QtBot, size: str, message: str) -> None:
    find(dialog, QLineEdit, "importSize").setText(size)
    find(dialog, QComboBox, "importName").setCurrentText("alexnet")
    assert message in start(dialog, qtbot)


def test_weights_to_start_from_are_chosen_and_given_up(qtbot: QtBot, person: Person, tmp_path: Path) -> None:
    document = Document(read_template("iris-mlp"))
    form = SettingsForm(document)
    qtbot.addWidget(form)
    choice = WeightsChoice(document, person, form)
    form.weights.choose_requested.connect(choice.ask)
    label, fresh = form.findChild(QLabel, "startingWeights"), form.findChild(QPushButton, "freshWeights")
    assert label.text().startswith("Fresh")
    assert not fresh.isEnabled()

    person.path = tmp_path / "broken.pt"
    person.path.write_bytes(b"nothing")
    form.findChild(QPushButton, "chooseWeights").click()
    qtbot.waitUntil(lambda: bool(person.told), timeout=LOADING_MS)
    assert "cannot be read as a checkpoint" in person.told[0]

    weights = StartingWeights(tmp_path / "good.pt", "0" * 64)
    document.set_weights(weights)
    assert label.text() == "Those of good.pt"
    fresh.click()
    assert document.project.weights is None
    document.history.undo()
    assert document.project.weights == weights
    choice.close()
