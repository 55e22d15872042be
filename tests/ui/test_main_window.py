from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from studio.fields import replace as replace_fields
from studio.project import read_template, write_project
from studio.ui import run_state, theme
from studio.ui.main_window import MainWindow
from studio.ui.panels.plots import TRAIN, VALIDATION
from studio.ui.preferences import Preferences
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded

FIXED_NAMES = (
    "palette", "canvas", "inspector", "problems", "datasetPicker", "devicePicker", "trainButton", "pauseButton",
    "stopButton", "lossPlot", "metricPlot", "runProgress", "placeRail",
)  # fmt: skip


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, person)


def press(window: MainWindow, name: str) -> None:
    button = window.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isEnabled(), f"{name} is disabled"
    button.click()


def set_epochs(window: MainWindow, epochs: int) -> None:
    window.document.set_training(replace_fields(window.document.project.training, epochs=epochs), "Change epochs")


@pytest.mark.parametrize("name", FIXED_NAMES)
def test_fixed_names_exist_from_the_start(window: MainWindow, name: str) -> None:
    assert len(window.findChildren(QWidget, name)) == 1


def test_every_control_has_a_name_for_code_and_for_screen_readers(window: MainWindow) -> None:
    own = [
        control
        for kind in (QAbstractButton, QComboBox, QProgressBar, QPlainTextEdit)
        for control in window.findChildren(kind)
        if not control.objectName().startswith("qt_") and not isinstance(control.parent(), QLineEdit)
    ]
    assert len(own) > 10
    nameless = [f"{type(c).__name__} {c.objectName()!r} in {c.parent().objectName()!r}" for c in own
                if not c.objectName() or not (c.accessibleName() or getattr(c, "text", str)())]  # fmt: skip
    assert nameless == []


def test_train_pause_resume_stop(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    set_epochs(window, 1_000_000)
    plot = window.train_place.loss_plot
    press(window, "trainButton")
    assert window.train_place.isVisible()
    qtbot.waitUntil(lambda: plot.drawn_points.get(VALIDATION, 0) > 5, timeout=30_000)
    assert plot.drawn_points[TRAIN] > 0
    assert window.train_place.metric_plot.drawn_points[VALIDATION] > 0

    press(window, "pauseButton")
    assert window.session.state == run_state.PAUSED
    step = _step_once_it_stands_still(window, qtbot)
    press(window, "pauseButton")
    qtbot.waitUntil(lambda: window.train_place.figures.text("steps") != step, timeout=30_000)

    press(window, "stopButton")
    qtbot.waitUntil(lambda: window.session.state == run_state.IDLE, timeout=30_000)
    assert window.session.checkpoint is not None
    assert window.session.checkpoint.is_file()
    assert "Stopped after" in window.train_place.result_bar.text
    assert window.export_action.isEnabled()


def _step_once_it_stands_still(window: MainWindow, qtbot: QtBot) -> str:
    """The step while paused. The last events are on their way for two ticks; then nothing may move for ten."""
    ticks: list[str] = []
    window.session._timer.timeout.connect(lambda: ticks.append(window.train_place.figures.text("steps")))
    qtbot.waitUntil(lambda: len(ticks) > 12)
    assert len(set(ticks[2:])) == 1
    return ticks[-1]


def test_a_finished_run_tells_its_result(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    set_epochs(window, 3)
    press(window, "trainButton")
    qtbot.waitUntil(lambda: "test accuracy" in window.train_place.result_bar.text, timeout=30_000)
    log = window.train_place.log.toPlainText()
    assert "Started" in log
    assert "Finished" in log
    assert window.run_bar.progress.value() == window.run_bar.progress.maximum()


def test_a_network_that_cannot_be_trained_says_why(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    window.document.reset(replace(window.document.project, graph=read_template("digits-cnn").graph))
    press(window, "trainButton")
    qtbot.waitUntil(lambda: "cannot be trained" in window.train_place.result_bar.text, timeout=30_000)
    assert "cannot be trained" in window.train_place.log.toPlainText()
    assert window.session.state == run_state.IDLE


def test_editing_while_training_does_not_touch_the_run(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    set_epochs(window, 1_000_000)
    press(window, "trainButton")
    qtbot.waitUntil(lambda: window.session.state == run_state.TRAINING, timeout=30_000)
    set_epochs(window, 5)
    window.document.reset(read_template("digits-mlp"))
    steps = window.train_place.figures.text("steps")
    qtbot.waitUntil(lambda: window.train_place.figures.text("steps") != steps, timeout=30_000)
    assert window.train_place.figures.text("epoch").endswith("of 1,000,000")


def test_devices_this_machine_lacks_cannot_be_chosen(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    picker = window.run_bar.device_picker
    available = {info.kind: info.available for info in window.loader.devices}
    enabled = {
        picker.itemData(i): bool(picker.model().flags(picker.model().index(i, 0)) & Qt.ItemFlag.ItemIsEnabled)
        for i in range(picker.count())
    }
    assert enabled == {"auto": True, **available}


def test_title_shows_the_project_and_whether_it_is_saved(window: MainWindow) -> None:
    assert window.windowTitle() == f"{window.document.project.title}[*] – Training Studio"
    assert not window.isWindowModified()
    set_epochs(window, 77)
    assert window.isWindowModified()
    window.document.history.undo()
    assert not window.isWindowModified()


def test_closing_asks_about_changes(window: MainWindow, person: Person) -> None:
    set_epochs(window, 77)
    person.on_unsaved = "cancel"
    assert not window.close()
    assert window.isVisible()
    assert person.asked == [f"save {window.document.project.title}"]


def test_closing_saves_on_request(window: MainWindow, person: Person, tmp_path: Path) -> None:
    set_epochs(window, 77)
    person.on_unsaved, person.path = "save", tmp_path / "kept.studio.json"
    assert window.close()
    assert person.path.is_file()


def test_a_dropped_project_opens(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "dropped.studio.json"
    write_project(path, read_template("digits-mlp"))
    mime = _mime(path)
    assert _dragged_in(window, mime)
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, drop)
    qtbot.waitUntil(lambda: window.document.path == path)
    assert window.document.graph == read_template("digits-mlp").graph
    assert Preferences().recent_projects == [path]


def test_what_is_no_file_is_not_taken(window: MainWindow) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/a.studio.json")])
    assert not _dragged_in(window, mime)


def _mime(path: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def _dragged_in(window: MainWindow, mime: QMimeData) -> bool:
    """Whether the window takes what is dragged over it. An event does not own its data: the caller keeps it."""
    event = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def test_appearance_is_applied_and_remembered(window: MainWindow, qtbot: QtBot) -> None:
    chosen = {
        action.text(): action for action in window.findChildren(type(window.export_action)) if action.isCheckable()
    }
    chosen["Dark"].trigger()
    assert theme.current().dark
    qtbot.waitUntil(lambda: window.palette().color(QPalette.ColorRole.Window).lightness() < 128)
    assert Preferences().appearance == "dark"
    chosen["Light"].trigger()
    assert not theme.current().dark


def test_the_window_comes_back_as_large_as_it_was(window: MainWindow) -> None:
    window.resize(790, 666)
    window.close()
    assert not Preferences().layout("window").isEmpty()
    window.resize(780, 777)
    window.restoreGeometry(Preferences().layout("window"))
    assert (window.width(), window.height()) == (790, 666)
