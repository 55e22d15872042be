"""The network as Python beside the canvas: written away from the GUI thread, in step with edits and the selection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.graph.edits import Remove, Rename
from studio.ui.main_window import MainWindow
from studio.ui.panels.code_panel import CodePanel
from studio.ui.preferences import Preferences
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, Person())


@pytest.fixture
def panel(window: MainWindow, qtbot: QtBot) -> CodePanel:
    wait_until_loaded(qtbot, window)
    window.build_place.code_action.trigger()
    found = window.build_place.code
    assert found is not None
    qtbot.waitUntil(lambda: "class " in found.text.toPlainText(), timeout=LOADING_MS)
    return found


def marked(panel: CodePanel) -> list[str]:
    return [selection.cursor.block().text().strip() for selection in panel.text.extraSelections()]


def test_it_is_made_when_it_is_wanted_and_that_is_remembered(window: MainWindow, panel: CodePanel) -> None:
    assert panel.isVisible()
    assert panel.width() > 200
    assert Preferences().code
    window.build_place.code_action.trigger()
    assert panel.isHidden()
    assert not Preferences().code


def test_it_follows_edits_and_says_why_there_is_none(window: MainWindow, panel: CodePanel, qtbot: QtBot) -> None:
    window.document.do(Rename("n2", "first_layer"), "Rename")
    qtbot.waitUntil(lambda: "self.first_layer = nn.Linear" in panel.text.toPlainText())
    window.document.do(Remove(frozenset({"n2"})), "Delete")
    qtbot.waitUntil(lambda: "when the network is sound" in panel.text.toPlainText())
    assert not panel.copy_button.isEnabled()
    window.document.history.undo()
    qtbot.waitUntil(lambda: "self.first_layer = nn.Linear" in panel.text.toPlainText())


def test_the_lines_of_what_is_selected_are_marked(window: MainWindow, panel: CodePanel) -> None:
    scene = window.build_place.scene
    scene.select(["n2"])
    assert [line.split(" ")[0] for line in marked(panel)] == ["self.dense_1", "dense_1"]
    assert panel.text.textCursor().block().text().strip().startswith("self.dense_1")
    scene.clear_selection()
    assert marked(panel) == []


def test_all_of_it_can_be_copied(panel: CodePanel) -> None:
    panel.copy_button.click()
    text = QGuiApplication.clipboard().text()
    assert text == panel.text.toPlainText()
    compile(text, "net.py", "exec")


def test_hidden_it_costs_nothing(window: MainWindow, panel: CodePanel, qtbot: QtBot) -> None:
    window.build_place.code_action.trigger()
    writer = window.build_place.code_writer
    assert writer is not None
    with qtbot.assertNotEmitted(writer.written, wait=100):
        window.document.do(Rename("n2", "other"), "Rename")
        qtbot.waitUntil(lambda: window.analyzer.analysis is not None)
    window.build_place.code_action.trigger()
    qtbot.waitUntil(lambda: "self.other = " in panel.text.toPlainText())
