from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PySide6.QtWidgets import QProgressDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.data import DataChoice, DataError, MissingDataError, Progress, Source
from studio.project import Project
from studio.training.control import Control
from studio.training.events import FINISHED, Event, Finished
from studio.training.runner import Job
from studio.ui.document import Document
from studio.ui.preferences import Preferences
from studio.ui.prompts import CANCEL, DOWNLOAD, FOLDER
from studio.ui.run_control import RunControl
from studio.ui.run_state import IDLE
from studio.ui.session import Session
from tests.ui.window_help import Person, redirect_folders


class Shelf:
    """Where the files of the dataset are, and how a download goes."""

    def __init__(self) -> None:
        self.folders: set[Path | None] = set()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error = ""


SHELF = Shelf()


class FarAway(Source):
    kind: ClassVar[str] = "far_away"
    title: ClassVar[str] = "Far away"
    group: ClassVar[str] = "Test"
    about: ClassVar[str] = "Not here."
    download_bytes: ClassVar[int] = 3_000_000_000  # more than fits into 31 bits

    def download(self, progress: Progress | None = None) -> None:
        assert progress is not None
        SHELF.may_go_on.wait()
        progress(self.download_bytes // 2, self.download_bytes)
        if SHELF.error:
            raise DataError(SHELF.error)
        SHELF.folders.add(None)


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    fresh = Shelf()
    monkeypatch.setitem(globals(), "SHELF", fresh)
    return fresh


class Desk:
    """A RunControl and all it works with."""

    def __init__(self) -> None:
        self.window = QWidget()
        self.person = Person()
        self.preferences = Preferences()
        self.document = Document(Project(data=DataChoice(FarAway())), parent=self.window)
        self.session = Session(self.window, run_job=self._run)
        self.control = RunControl(self.document, self.session, self.preferences, self.person, self.window)
        self.started: list[Job] = []
        self.failures: list[str] = []
        self.control.failed.connect(self.failures.append)

    def _run(self, job: Any, control: Control, on_event: Callable[[Event], None]) -> Finished:
        if job.data_folder not in SHELF.folders:
            raise MissingDataError("The files are not there.")
        self.started.append(job)
        return Finished(FINISHED, "run", "best.pt", 1, 1.0, 1)


@pytest.fixture
def desk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desk]:
    redirect_folders(monkeypatch, tmp_path)
    made = Desk()
    yield made
    made.control.close()
    made.session.close()
    made.window.deleteLater()


def test_the_project_as_it_is_now_is_trained(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.folders.add(None)
    desk.control.start()
    qtbot.waitUntil(lambda: bool(desk.started) and desk.session.state == IDLE)
    assert desk.started == [Job(desk.document.project, surfaces=True)]
    assert desk.person.asked == []


def test_a_chosen_folder_is_used_and_remembered(desk: Desk, shelf: Shelf, qtbot: QtBot, tmp_path: Path) -> None:
    shelf.folders.add(tmp_path)
    desk.person.on_missing_data, desk.person.path = FOLDER, tmp_path
    for runs in (1, 2):
        desk.control.start()
        qtbot.waitUntil(lambda runs=runs: len(desk.started) == runs and desk.session.state == IDLE)
    assert [job.data_folder for job in desk.started] == [tmp_path, tmp_path]
    assert desk.person.asked == ["data Far away"]  # the second time it was known


def test_giving_up_says_what_is_missing(desk: Desk, qtbot: QtBot) -> None:
    desk.person.on_missing_data = CANCEL
    desk.control.start()
    qtbot.waitUntil(lambda: desk.failures == ["The files are not there."])
    assert desk.session.state == IDLE


def test_a_download_ends_in_a_run(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.preferences.set_data_folder("far_away", tmp_path)  # a folder that turned out to be empty
    desk.person.on_missing_data = DOWNLOAD
    desk.control.start()
    qtbot.waitUntil(lambda: bool(desk.started) and desk.session.state == IDLE)
    assert desk.started[0].data_folder is None
    assert desk.preferences.data_folder("far_away") is None


def test_a_download_shows_progress_and_can_be_cancelled(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.may_go_on.clear()
    desk.person.on_missing_data = DOWNLOAD
    desk.control.start()
    qtbot.waitUntil(lambda: desk.window.findChild(QProgressDialog) is not None)
    dialog = desk.window.findChild(QProgressDialog)
    assert dialog is not None
    button = dialog.findChild(QPushButton)
    assert button is not None
    button.click()
    shelf.may_go_on.set()
    qtbot.waitUntil(lambda: desk.failures == ["The download of Far away was cancelled."])
    assert desk.started == []


def test_a_failed_download_says_why(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.error = "No connection to the internet."
    desk.person.on_missing_data = DOWNLOAD
    desk.control.start()
    qtbot.waitUntil(lambda: desk.failures == ["No connection to the internet."])


def test_no_second_run_starts_during_a_download(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.may_go_on.clear()
    desk.person.on_missing_data = DOWNLOAD
    desk.control.start()
    qtbot.waitUntil(lambda: desk.window.findChild(QProgressDialog) is not None)
    desk.control.start()
    assert desk.session.state == IDLE
    shelf.may_go_on.set()


def test_closing_during_a_download_waits_for_its_end(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.may_go_on.clear()
    desk.person.on_missing_data = DOWNLOAD
    desk.control.start()
    qtbot.waitUntil(lambda: desk.window.findChild(QProgressDialog) is not None)
    shelf.may_go_on.set()
    desk.control.close()
    assert desk.started == []


def test_the_run_keeps_the_project_of_its_start(desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.folders.add(None)
    before = desk.document.project
    desk.control.start()
    desk.document.set_training(replace(before.training, epochs=99), "Change epochs")
    qtbot.waitUntil(lambda: bool(desk.started) and desk.session.state == IDLE)
    assert desk.started[0].project == before
