"""Runs that were interrupted are offered, and any run can go on from the window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QPushButton
from pytestqt.qtbot import QtBot

from studio import storage
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.runs import GroupFolder, RunFolder, runs_folder
from studio.runs.interrupted import interrupted_runs, leave
from studio.settings.parts import Repeats
from studio.training.control import Control
from studio.training.errors import MemoryShortageError
from studio.training.events import EpochEnded, Event
from studio.training.job import Job
from studio.training.runner import run
from studio.ui.main_window import MainWindow
from studio.ui.run_state import IDLE
from studio.ui.session import Session
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded


class Patient(Person):
    """Wants three more epochs."""

    more: int | None = 3

    def more_epochs(self, done: int) -> int | None:
        self.asked.append(f"more than {done}")
        return self.more


def small_project(**settings: object) -> Project:
    project = read_template("iris-mlp")
    training = replace_fields(project.training, **{"epochs": 4, "batch_size": 30, **settings})
    return replace(project, title="Interrupted irises", training=training)


def killed(project: Project, name: str = "killed") -> RunFolder:
    """A run as a kill in its third epoch leaves it: nobody could say that it ended."""
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            control.stop()

    folder = RunFolder(runs_folder() / name)
    run(Job(project, folder.path), control, stop)
    folder.write_record({**folder.read_record(), "status": "running"})
    return folder


@pytest.fixture
def person() -> Patient:
    return Patient()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunFolder:
    redirect_folders(monkeypatch, tmp_path)
    return killed(small_project())


@pytest.fixture
def window(qtbot: QtBot, person: Patient, folder: RunFolder) -> Iterator[MainWindow]:
    yield from opened_window(qtbot, person)


def press(window: MainWindow, name: str) -> None:
    button = window.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isVisibleTo(window)
    button.click()


def epochs(folder: RunFolder) -> list[int]:
    return [json.loads(line)["epoch"] for line in (folder.path / "metrics.jsonl").read_text().splitlines()]


def test_an_interrupted_run_is_offered_and_goes_on(window: MainWindow, folder: RunFolder, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    assert "“Interrupted irises” was interrupted at epoch 3, step 9 of 16" in window.resume_bar.text
    assert window.resume_bar.isVisible()
    press(window, "resumeContinue")
    assert window.document.project.title == "Interrupted irises"
    qtbot.waitUntil(lambda: folder.read_record()["status"] == "finished", timeout=LOADING_MS)
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert not window.resume_bar.isVisible()
    assert epochs(folder) == [1, 2, 3, 4]
    assert window.train_place.loss_plot.drawn_points["validation"] == 4  # also those before
    assert interrupted_runs() == []


def test_one_that_is_to_stay_as_it_is_is_not_offered_again(window: MainWindow, folder: RunFolder, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    press(window, "resumeKeep")
    assert not window.resume_bar.isVisible()
    assert interrupted_runs() == []
    assert folder.last.exists()


def test_a_run_that_another_process_trains_is_not_offered(folder: RunFolder) -> None:
    (found,) = interrupted_runs()
    assert found.path == folder.path
    lock = folder.lock()
    assert lock.acquire()
    assert interrupted_runs() == []
    lock.release()


def test_a_finished_run_gets_more_epochs(window: MainWindow, person: Patient, folder: RunFolder, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    press(window, "resumeContinue")
    qtbot.waitUntil(lambda: window.session.state == IDLE and folder.read_record()["status"] == "finished")
    press(window, "continueButton")
    qtbot.waitUntil(lambda: epochs(folder) == [1, 2, 3, 4, 5, 6, 7] and window.session.state == IDLE)
    assert person.asked == ["more than 4"]
    assert window.document.project.training.epochs == 7


def test_memory_that_runs_short_offers_half_the_batch(window: MainWindow, folder: RunFolder, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    project = small_project()
    window.files.begin_with(project)
    smaller = replace(
        project.training, batch_size=15, gradients=replace_fields(project.training.gradients, accumulate=2)
    )
    window.session.memory_short.emit(MemoryShortageError("There is not enough memory.", folder.path, smaller))
    assert window.train_place.result_bar.text == "There is not enough memory."
    window.show_place(2)
    press(window, "smallerButton")
    assert window.document.project.training == smaller
    qtbot.waitUntil(lambda: folder.read_record()["status"] == "finished" and window.session.state == IDLE)
    assert epochs(folder) == [1, 2, 3, 4]
    window.document.history.undo()
    assert window.document.project.training == project.training


def test_no_way_out_is_offered_where_there_is_none(window: MainWindow, folder: RunFolder) -> None:
    window.session.memory_short.emit(MemoryShortageError("Not enough.", folder.path, None))
    button = window.findChild(QPushButton, "smallerButton")
    assert button is not None
    assert button.isHidden()


@pytest.mark.parametrize("stopped", [False, True], ids=["closed", "stopped before"])
def test_a_run_that_ended_with_its_window_is_offered_again(folder: RunFolder, qtbot: QtBot, stopped: bool) -> None:
    storage.remove_folder(folder.path)
    session = Session()
    session.start(Job(small_project(epochs=100_000)))
    qtbot.waitUntil(lambda: session.has_learned, timeout=LOADING_MS)
    if stopped:
        session.stop()
    session.close()
    found = interrupted_runs()
    assert [run.path for run in found] == ([] if stopped else [session.run_folder])
    if found:
        assert "ended with the window at epoch" in found[0].words
        leave(found[0])
        assert interrupted_runs() == []
    session.deleteLater()


@pytest.fixture
def group(folder: RunFolder) -> GroupFolder:
    """Two runs, of which the second one was interrupted; in place of the single run."""
    storage.remove_folder(folder.path)
    control, path = Control(), runs_folder() / "group"

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded) and Path(path / "run-2").exists():
            control.stop()

    run(Job(small_project(repeats=Repeats(method="seeds", number=2)), path), control, stop)
    for part in (GroupFolder(path), RunFolder(path / "run-2")):
        part.write_record({**part.read_record(), "status": "running"})
    return GroupFolder(path)


def test_a_group_of_runs_is_offered_and_goes_on_as_one(group: GroupFolder, window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    assert "in run 2 of 2" in window.resume_bar.text
    press(window, "resumeContinue")
    qtbot.waitUntil(lambda: group.read_record()["status"] == "finished", timeout=LOADING_MS)
    qtbot.waitUntil(lambda: window.session.state == IDLE)
    assert window.document.project.training.repeats.number == 2
    assert "Run 1 of 2" in window.train_place.log.toPlainText()
    assert len(group.read_record()["runs"]) == 2
