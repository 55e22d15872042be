"""What the window trains is what the person sees and what the command line would train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from studio.fields import replace as replace_fields
from studio.graph.edits import SetBlock
from studio.project import read_project
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.runner import Job, run
from studio.ui import run_state
from studio.ui.main_window import MainWindow
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, person, "digits-cnn")


def test_weights_equal_those_of_the_command_line_though_the_graph_is_edited_meanwhile(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    wait_until_loaded(qtbot, window)
    document = window.document
    document.set_training(replace_fields(document.project.training, epochs=3), "Change epochs")
    project = document.project
    window.run_control.start()
    # New shapes are inferred while it trains: that must not draw from the run's random numbers.
    node = next(node for node in document.graph.nodes if node.name == "dense_1")
    for units in range(100, 120):
        document.do(SetBlock(node.id, replace_fields(node.block, units=units)), "Change units")
        qtbot.waitUntil(lambda units=units: _inferred(window, node.id) == units)
    qtbot.waitUntil(lambda: window.session.state == run_state.IDLE, timeout=60_000)
    assert window.session.checkpoint is not None
    shown = read_checkpoint(window.session.checkpoint).model
    finished = run(Job(project, tmp_path / "headless"), Control(), lambda event: None)
    headless = read_checkpoint(Path(finished.checkpoint)).model
    assert all(torch.equal(tensor, headless[name]) for name, tensor in shown.items())


def _inferred(window: MainWindow, node_id: str) -> int:
    analysis = window.analyzer.analysis
    assert analysis is not None
    return analysis.nodes[node_id].outputs[0].dims[0]


def test_a_number_still_being_typed_counts_when_saving(
    window: MainWindow, person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    window.show_place(window.PLACES.index("Train"))
    epochs = _type_epochs(window, qtbot, "7")
    assert window.document.project.training.epochs != 7
    person.path = tmp_path / "p.studio.json"
    assert window.files.save()
    assert read_project(person.path).training.epochs == 7
    assert epochs.value() == 7


def test_a_number_still_being_typed_counts_when_training(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    window.show_place(window.PLACES.index("Train"))
    _type_epochs(window, qtbot, "2")
    button = window.findChild(QAbstractButton, "trainButton")
    assert button is not None
    button.click()
    qtbot.waitUntil(lambda: "2 epochs" in window.train_place.result_bar.text, timeout=60_000)


def _type_epochs(window: MainWindow, qtbot: QtBot, text: str) -> QSpinBox:
    """Type into the field of epochs without leaving it."""
    window.activateWindow()
    box = next(b for b in window.train_place.findChildren(QSpinBox) if b.value() == 30)
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    line = box.findChild(QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, text)
    return box
