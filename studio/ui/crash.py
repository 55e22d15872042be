"""What happens when the program itself is at fault: it says so in plain words and goes on."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

_ADVICE = (
    "The window stays open and your project is as it was before the last action. Save it, and if this happens "
    "again, restart the program. “Show Details…” has what a developer needs to find the fault."
)


class CrashReporter(QObject):
    """Shows unexpected errors from any thread, one dialog at a time and each fault once.

    A fault in a timer would otherwise open thirty dialogs a second.
    """

    _caught = Signal(str, str)  # what went wrong, in one line; the traceback

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._shown: set[str] = set()
        self._open: QMessageBox | None = None
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)  # it may come from another thread

    def install(self) -> None:
        """Take the place of what prints uncaught exceptions."""
        sys.excepthook = self.report
        threading.excepthook = lambda args: self.report(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Print an uncaught exception and show it."""
        sys.__excepthook__(kind, error, trace)
        if issubclass(kind, Exception):
            details = "".join(traceback.format_exception(kind, error, trace))
            self._caught.emit(f"{kind.__name__}: {error}", details)

    @Slot(str, str)
    def _show(self, summary: str, details: str) -> None:
        place = _place(details)
        if self._open is not None or place in self._shown:
            return
        self._shown.add(place)
        box = QMessageBox(
            QMessageBox.Icon.Critical, "Training Studio", "Something went wrong in the program.", parent=self._window
        )
        box.setObjectName("crashDialog")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(f"{summary[:300]}\n\n{_ADVICE}")
        box.setDetailedText(details)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._forget_open)
        self._open = box
        box.open()

    @Slot()
    def _forget_open(self) -> None:
        self._open = None


def _place(details: str) -> str:
    """Where in the code it happened: the same fault comes again with other numbers in its message."""
    return "\n".join(line for line in details.splitlines() if line.startswith("  File"))
