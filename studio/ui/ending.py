"""The end of the program: when the system asks for it (logout, `kill`, Ctrl+C in its terminal), and within seconds."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow

PATIENCE = 2.0  # seconds for what cannot be broken off, once the window is gone
_NAMES = ("SIGTERM", "SIGINT", "SIGHUP")  # the last one is unknown to Windows

logger = logging.getLogger(__name__)


def put_away(window: MainWindow) -> None:
    """Hide the window, end its run or leave it, give up all else that it does, and wait for the threads."""
    window.preferences.set_layout("window", window.saveGeometry())
    window.preferences.write()
    window.hide()  # what follows may take seconds
    resort = window.last_resort
    if resort is not None and not window.session.has_learned:
        resort.arm()
    window.session.close()
    if resort is not None:
        resort.arm()
    _close_parts(window)


def _close_parts(window: MainWindow) -> None:
    for dialog in window.findChildren(QDialog):
        dialog.done(QDialog.DialogCode.Rejected)  # each waits for its own thread
    window.build_place.close_code()
    for part in (
        window.run_control, window.weights_choice, window.train_place, window.fitter, window.samples,
        window.data_reader, window.data_browser, window.problem_search, window.preflight, window.transform_trials,
        window.evaluate_place, window.own_data, window.analyzer, window.loader,
    ):  # fmt: skip
        part.close()


class EndSignals(QObject):
    """Turns the first such signal into a Qt signal; the second one ends the program at once.

    Python's own handlers wait for the interpreter, which Qt's event loop may not enter for hours: so the signal's
    number is written to a socket to which the event loop listens.
    """

    came = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._take)
        self._numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]

    def install(self) -> None:
        """Listen from now on. Called in the main thread; signals that are ignored (nohup) stay ignored."""
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._numbers = [number for number in self._numbers if signal.getsignal(number) != signal.SIG_IGN]
        for number in self._numbers:
            signal.signal(number, lambda *_: None)  # Python writes to the socket for those it handles only

    def close(self) -> None:
        """Listen no more: the next signal ends the program at once."""
        signal.set_wakeup_fd(-1)
        self._let_go()
        self._notifier.setEnabled(False)
        for end in (self._reading, self._writing):
            end.close()

    def _let_go(self) -> None:
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)

    @Slot()
    def _take(self) -> None:
        try:
            numbers = self._reading.recv(64)
        except BlockingIOError:
            return
        if any(number in self._numbers for number in numbers):
            self._let_go()
            self.came.emit()


class LastResort:
    """Ends the program when what it waits for takes too long: an import, a compiler, a long computation.

    It is armed once nothing is at stake any more: files are only ever written whole, and what a run learned is kept.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._seconds = seconds
        self._is_armed = False

    def arm(self) -> None:
        """Give the rest this long. Nothing happens if that was said before."""
        if not self._is_armed:
            self._is_armed = True
            threading.Thread(target=self._end, name="last resort", daemon=True).start()

    def _end(self) -> None:
        time.sleep(self._seconds)
        logger.info("The program ends without waiting any longer")
        logging.shutdown()
        os._exit(0)
