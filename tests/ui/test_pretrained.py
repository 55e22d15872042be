"""Learned weights of a backbone in the window: offered, asked for, fetched from a server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QProgressDialog, QPushButton
from pytestqt.qtbot import QtBot

from studio.data import download
from studio.fields import replace as replace_fields
from studio.graph.edits import SetBlock
from studio.training.pretrained import WeightsFile
from studio.ui.main_window import MainWindow
from studio.ui.run_state import IDLE
from tests.data.test_download import Server, server  # noqa: F401  (a fixture)
from tests.training.pretrained_files import content_of, digits_project, learned, offer
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> WeightsFile:  # noqa: F811
    """What is to be had from the server."""
    redirect_folders(monkeypatch, tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = content_of(learned())
    offered = offer(monkeypatch, content, server.url)
    server.files[offered.path.name] = content
    return offered


@pytest.fixture
def window(qtbot: QtBot, person: Person, file: WeightsFile) -> Iterator[MainWindow]:
    for made in opened_window(qtbot, person, "digits-mlp"):
        made.document.reset(digits_project())
        wait_until_loaded(qtbot, made)
        yield made


def button(window: MainWindow) -> QPushButton:
    found = window.findChild(QPushButton, "downloadWeights")
    assert isinstance(found, QPushButton)
    return found


def fetched(window: MainWindow, file: WeightsFile) -> bool:
    return file.is_there() and not window.run_control.downloads.busy


def test_one_click_fetches_them(window: MainWindow, file: WeightsFile, server: Server, qtbot: QtBot) -> None:  # noqa: F811
    scene = window.build_place.scene
    scene.select(["n3"])
    assert not button(window).isVisible()
    scene.select(["n4"])
    assert button(window).isVisible()
    assert button(window).text() == "Download 10.3 MB"
    assert server.asked == []
    button(window).click()
    qtbot.waitUntil(lambda: fetched(window, file))
    assert server.asked == [file.path.name]
    assert not button(window).isVisible()
    assert window.statusBar().currentMessage() == "Downloaded: Weights of mobilenet_v3_small."


def test_fresh_weights_offer_nothing(window: MainWindow) -> None:
    window.build_place.scene.select(["n4"])
    item = window.document.graph.node("n4").block
    window.document.do(SetBlock("n4", replace_fields(item, weights="random")), "Change weights")
    assert not button(window).isVisible()


def test_a_run_asks_and_begins_after_the_download(
    window: MainWindow,
    person: Person,
    file: WeightsFile,
    server: Server,  # noqa: F811
    qtbot: QtBot,
) -> None:
    run = window.run_control
    failures: list[str] = []
    run.failed.connect(failures.append)
    window.run_bar.train_action.trigger()
    qtbot.waitUntil(lambda: bool(failures), timeout=LOADING_MS)
    assert person.asked == ["Weights of mobilenet_v3_small"]
    assert "are not on this machine" in failures[0]
    assert server.asked == []
    person.on_missing_weights = True
    window.run_bar.train_action.trigger()
    qtbot.waitUntil(lambda: window.session.checkpoint is not None and window.session.state == IDLE, timeout=LOADING_MS)
    assert file.is_there()
    assert len(failures) == 1


def test_it_can_be_cancelled(
    window: MainWindow, file: WeightsFile, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on, blocks = threading.Event(), download._blocks

    def held(*request: Any) -> Iterator[bytes]:
        for block in blocks(*request):
            yield block
            may_go_on.wait()

    monkeypatch.setattr(download, "_blocks", held)
    window.build_place.scene.select(["n4"])
    button(window).click()
    dialog = window.findChild(QProgressDialog)
    assert dialog is not None
    dialog.findChild(QPushButton).click()
    may_go_on.set()
    qtbot.waitUntil(lambda: not window.run_control.downloads.busy)
    assert window.statusBar().currentMessage() == "The download of Weights of mobilenet_v3_small was cancelled."
    assert not file.is_there()
    assert button(window).isVisible()


def test_a_failure_is_told_and_can_be_tried_again(
    window: MainWindow,
    file: WeightsFile,
    server: Server,  # noqa: F811
    qtbot: QtBot,
) -> None:
    content = server.files.pop(file.path.name)
    window.build_place.scene.select(["n4"])
    button(window).click()
    qtbot.waitUntil(lambda: not window.run_control.downloads.busy)
    assert "Could not download" in window.statusBar().currentMessage()
    server.files[file.path.name] = content
    button(window).click()
    qtbot.waitUntil(lambda: fetched(window, file))
