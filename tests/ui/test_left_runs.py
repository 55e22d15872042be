"""Runs in processes of their own, as the window sees them: chosen, left at closing, found again, stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.data.base import MissingDataError
from studio.fields import replace as replace_fields
from studio.locks import FileLock
from studio.project import read_template
from studio.training.control import Control
from studio.training.events import STOPPED, EpochEnded, Event, Finished, Started
from studio.training.job import Job
from studio.training.places import PROCESS, THREAD, offered_places
from studio.training.places.control import DetachableControl, DetachedError
from studio.training.places.failures import failure_to_json
from studio.training.places.log import LogWriter
from studio.training.places.mailbox import Mailbox, mailboxes
from studio.training.places.wishes import Listener
from studio.ui.main_window import MainWindow
from studio.ui.preferences import Preferences
from studio.ui.prompts import CANCEL, GO_ON
from studio.ui.run_state import IDLE, STOPPING, TRAINING
from studio.ui.session import Session
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded

STARTED = Started("run", 10, 3, 5, {"train": 20}, "cpu", 1, "accuracy")
FINISHED = Finished(STOPPED, "run", "run/checkpoints/best.pt", 10, 1.0, 2)
FIGURES = {"loss": 0.5, "accuracy": 0.5}
JOB = Job(replace(read_template("digits-mlp"), title="Left alone"))


class Worker:
    """Stands for the process of a run: holds its lock and tells what the test wants."""

    def __init__(self) -> None:
        self.mailbox = Mailbox.create(JOB)
        self.control = Control()
        self._listener = Listener(self.mailbox, self.control)
        self._log = LogWriter(self.mailbox.folder)
        self._lock = FileLock(self.mailbox.alive_file)
        assert self._lock.acquire()
        self._log.event(STARTED)
        for epoch in (1, 2):
            self._log.event(EpochEnded(epoch, 5 * epoch, FIGURES, FIGURES, 0.1, True))
        self._log.flush()

    def is_asked_to_stop(self) -> bool:
        self._listener.obey()
        return self.control.stopping

    def end(self, error: Exception | None = None) -> None:
        if error is None:
            self._log.event(FINISHED)
        self._log.add({"end": True} if error is None else {"failure": failure_to_json(error)})
        self._log.flush()
        self._lock.release()


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    redirect_folders(monkeypatch, tmp_path)


@pytest.fixture
def worker(folders: None) -> Iterator[Worker]:
    made = Worker()
    yield made
    made._lock.release()


@pytest.fixture
def window(qtbot: QtBot, person: Person, folders: None) -> Iterator[MainWindow]:
    yield from opened_window(qtbot, person)


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    made = Session()
    yield made
    made.close()
    made.deleteLater()


def until_left(job: Any, control: Control, on_event: Callable[[Event], None]) -> Finished:
    """A run that goes until it is left or stopped."""
    on_event(STARTED)
    while not control.stopping:
        if isinstance(control, DetachableControl) and control.detached:
            raise DetachedError
        threading.Event().wait(0.001)
    return FINISHED


def test_only_a_run_in_a_process_can_be_left(session: Session, qtbot: QtBot) -> None:
    session._run_job = until_left
    failures: list[str] = []
    session.failed.connect(failures.append)
    for place in (THREAD, PROCESS):
        session.place = place
        session.start(JOB)
        qtbot.waitUntil(lambda: session.state == TRAINING)
        assert session.can_detach == (place == PROCESS)
        (session.detach if session.can_detach else session.close)()
        assert (session.state, failures, session.can_detach) == (IDLE, [], False)


def test_an_error_of_a_run_that_is_watched_is_a_case_of_its_own(session: Session, worker: Worker, qtbot: QtBot) -> None:
    worker.end(MissingDataError("The files are not there."))
    with qtbot.assertNotEmitted(session.failed), qtbot.waitSignal(session.data_missing) as missing:
        session.attach(worker.mailbox, JOB)
    assert missing.args == [JOB, "The files are not there."]


def test_a_run_that_was_left_is_watched_and_stopped(worker: Worker, window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    bar = window.left_runs
    assert bar.isVisible()
    assert "“Left alone” is still being trained" in bar.text
    bar.watch_button.click()
    qtbot.waitUntil(lambda: window.train_place.figures.text("epoch") == "2 of 3")
    assert (window.session.state, bar.isVisible()) == (TRAINING, False)
    assert window.document.project == JOB.project
    assert window.train_place.isVisible()
    window.run_bar.stop_action.trigger()
    qtbot.waitUntil(worker.is_asked_to_stop)
    worker.end()
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert "Stopped after 2 epochs" in window.train_place.result_bar.text
    assert window.session.checkpoint == Path(FINISHED.checkpoint)
    assert (mailboxes(), bar.isVisible()) == ([], False)


def test_a_run_can_be_stopped_or_put_off_without_watching(worker: Worker, window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    assert window.left_runs.end_button.text() == "Stop"
    project = window.document.project
    window.left_runs.end_button.click()
    assert window.session.state == STOPPING
    qtbot.waitUntil(worker.is_asked_to_stop)
    worker.end()
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert window.document.project == project
    Worker().end()
    window.left_runs.refresh()
    assert "has ended" in window.left_runs.text
    window.left_runs.later_button.click()
    assert (len(mailboxes()), window.left_runs.isVisible()) == (1, False)
    Worker().end()
    window.left_runs.refresh()
    assert window.left_runs.end_button.text() == "Dismiss"
    window.left_runs.end_button.click()
    assert (len(mailboxes()), window.left_runs.isVisible()) == (1, False)


def test_a_run_that_ends_while_it_is_offered(worker: Worker, window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    assert "is still being trained" in window.left_runs.text
    worker.end()
    qtbot.waitUntil(lambda: "has ended" in window.left_runs.text)
    assert window.left_runs.watch_button.text() == "Show"
    window.left_runs.watch_button.click()
    qtbot.waitUntil(lambda: "Stopped after 2 epochs" in window.train_place.result_bar.text)


def test_what_somebody_else_watches_is_not_offered(worker: Worker, window: MainWindow) -> None:
    watching = FileLock(worker.mailbox.watched_file)
    assert watching.acquire()
    window.left_runs.refresh()
    assert not window.left_runs.isVisible()
    watching.release()
    window.left_runs.refresh()
    assert window.left_runs.isVisible()


def test_closing_asks_what_becomes_of_the_run(window: MainWindow, person: Person, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    window.session._run_job = until_left
    window.session.place = PROCESS
    window.session.start(JOB)
    qtbot.waitUntil(lambda: window.session.state == TRAINING)
    control = window.session._thread.control
    person.on_leave = CANCEL
    window.close()
    assert (window.isVisible(), window.session.state, person.asked) == (True, TRAINING, ["leave run"])
    person.on_leave = GO_ON
    window.close()
    assert (window.isVisible(), control.detached, control.stopping) == (False, True, False)


def test_a_run_is_trained_where_the_person_chose(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    menu = window.run_bar.place_menu
    menu.aboutToShow.emit()
    actions = {action.data(): action for action in menu.actions()}
    assert actions.keys() == offered_places().keys()
    assert [place for place, action in actions.items() if action.isChecked()] == [THREAD]
    actions[PROCESS].trigger()
    assert Preferences().training_place == PROCESS
    assert window.run_bar.train_action.toolTip() == "Train the network (F5) in a process of its own"
    settings = replace_fields(window.document.project.training, epochs=3)
    window.document.set_training(settings, "Change epochs")
    window.run_bar.train_action.trigger()
    assert window.session.can_detach
    qtbot.waitUntil(lambda: "test accuracy" in window.train_place.result_bar.text, timeout=60_000)
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert window.session.checkpoint is not None
    assert window.session.checkpoint.is_file()
    assert mailboxes() == []
