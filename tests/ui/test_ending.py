"""The end of the program: by a signal, with dialogs open, and where something cannot be broken off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from studio.ui.ending import EndSignals
from studio.ui.main_window import MainWindow
from tests.ui.window_help import Person, opened_window, redirect_folders


@pytest.fixture
def own_handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.usefixtures("own_handlers")
def test_a_first_signal_is_told_and_a_second_one_ends_at_once(qtbot: QtBot) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    signals = EndSignals()
    signals.install()
    with qtbot.waitSignal(signals.came, timeout=5_000):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signals.close()


def test_what_cannot_be_broken_off_is_not_waited_for() -> None:
    code = "import threading; from studio.ui.ending import LastResort; LastResort(0.1).arm(); threading.Event().wait()"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


class Waiting(QDialog):
    """A dialog with a thread to wait for."""

    ended = False

    def done(self, result: int) -> None:
        self.ended = True
        super().done(result)


def test_at_the_end_nobody_is_asked_and_dialogs_are_closed(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    redirect_folders(monkeypatch, tmp_path)
    person = Person()
    for window in opened_window(qtbot, person):
        assert isinstance(window, MainWindow)
        window.document.describe(title="Changed")
        dialog = Waiting(window)
        dialog.open()
        window.end()
        assert dialog.ended
        assert not window.isVisible()
    assert person.asked == []
    assert len(list((tmp_path / "data" / "unsaved").iterdir())) == 1
