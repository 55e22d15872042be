from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from studio.ui.crash import CrashReporter


class Crashes:
    """A window whose faults are reported."""

    def __init__(self) -> None:
        self.window = QWidget()
        self.reporter = CrashReporter(self.window)

    @property
    def dialogs(self) -> list[QMessageBox]:
        return self.window.findChildren(QMessageBox)

    def crash(self, message: str) -> None:
        """A fault that always happens at the same place."""
        try:
            raise ZeroDivisionError(message)
        except ZeroDivisionError as error:
            self.reporter.report(type(error), error, error.__traceback__)

    def crash_elsewhere(self) -> None:
        try:
            raise KeyError("other")
        except KeyError as error:
            self.reporter.report(type(error), error, error.__traceback__)


@pytest.fixture
def crashes(qtbot: QtBot) -> Iterator[Crashes]:
    made = Crashes()
    yield made
    made.window.deleteLater()


def test_a_fault_is_told_in_plain_words(crashes: Crashes, qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    crashes.crash("division by zero")
    qtbot.waitUntil(lambda: len(crashes.dialogs) == 1)
    box = crashes.dialogs[0]
    assert "Something went wrong" in box.text()
    assert "ZeroDivisionError: division by zero" in box.informativeText()
    assert "Traceback" in box.detailedText()
    assert "Traceback" in capsys.readouterr().err


def test_there_is_no_storm_of_dialogs(crashes: Crashes, qtbot: QtBot) -> None:
    for i in range(30):
        crashes.crash(f"number {i}")
    crashes.crash_elsewhere()
    qtbot.waitUntil(lambda: len(crashes.dialogs) > 0)
    assert len(crashes.dialogs) == 1


def test_the_same_fault_is_not_told_again(crashes: Crashes, qtbot: QtBot) -> None:
    crashes.crash("first")
    qtbot.waitUntil(lambda: len(crashes.dialogs) == 1)
    crashes.dialogs[0].done(0)
    qtbot.waitUntil(lambda: crashes.dialogs == [])
    crashes.crash("second")
    crashes.crash_elsewhere()
    qtbot.waitUntil(lambda: len(crashes.dialogs) == 1)
    assert "KeyError" in crashes.dialogs[0].informativeText()


def test_faults_of_other_threads_are_told(crashes: Crashes, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back after the test
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    crashes.reporter.install()
    thread = threading.Thread(target=crashes_in_thread)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(crashes.dialogs) == 1)
    assert "in a thread" in crashes.dialogs[0].informativeText()


def crashes_in_thread() -> None:
    raise RuntimeError("in a thread")


def test_the_end_by_the_keyboard_is_no_fault(crashes: Crashes, qtbot: QtBot) -> None:
    crashes.reporter.report(KeyboardInterrupt, KeyboardInterrupt(), None)
    crashes.crash("after it")
    qtbot.waitUntil(lambda: len(crashes.dialogs) == 1)
    assert "after it" in crashes.dialogs[0].informativeText()
