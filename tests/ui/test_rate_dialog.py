"""The learning-rate finder in the window: a real sweep in a thread, one undo step, and a way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.fields import replace
from studio.project import read_template
from studio.settings import optimizers
from studio.ui.main_window import MainWindow
from studio.ui.panels.rate_dialog import RateDialog
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded

LONG_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, Person())


def open_dialog(window: MainWindow, qtbot: QtBot) -> RateDialog:
    assert not window.train_place.form.find_rate.isEnabled()
    wait_until_loaded(qtbot, window)
    qtbot.waitUntil(lambda: window.train_place.form.find_rate.isEnabled(), timeout=LONG_MS)
    window.show_place(2)
    window.train_place.form.find_rate.click()
    dialog = window.findChild(RateDialog)
    assert dialog is not None
    return dialog


def test_what_was_found_is_used_at_a_click(window: MainWindow, qtbot: QtBot) -> None:
    before = window.document.project.training.optimizer.learning_rate
    dialog = open_dialog(window, qtbot)
    assert not dialog.use.isEnabled()
    qtbot.waitUntil(dialog.use.isEnabled, timeout=LONG_MS)
    suggestion = dialog.suggestion
    assert suggestion is not None
    assert suggestion.rate is not None
    assert dialog.use.text() == f"Use {suggestion.rate:g}"
    assert dialog.text.text() == suggestion.reason
    assert len(dialog._points) > 20
    dialog.use.click()
    assert window.document.project.training.optimizer.learning_rate == suggestion.rate
    window.document.history.undo()
    assert window.document.project.training.optimizer.learning_rate == before


def test_it_can_be_given_up(window: MainWindow, qtbot: QtBot) -> None:
    dialog = open_dialog(window, qtbot)
    task = dialog._task
    assert task is not None
    dialog.reject()
    assert task.isFinished()
    assert task.cancelled
    assert not window.document.history.can_undo


def test_why_nothing_can_be_found_is_told(qtbot: QtBot) -> None:
    pytest.importorskip("pyqtgraph")
    project = read_template("iris-mlp")
    from dataclasses import replace as replace_project

    training = replace(project.training, optimizer=optimizers.get("lbfgs")())
    dialog = RateDialog(replace_project(project, training=training), None)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog._task is None, timeout=LONG_MS)
    assert "looks for the length of its steps itself" in dialog.text.text()
    assert not dialog.use.isEnabled()
