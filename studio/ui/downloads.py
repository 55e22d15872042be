"""Downloads to which the person agreed: one at a time, in a thread, with a progress dialog that can cancel."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QProgressDialog, QWidget

from studio.data.base import Downloadable
from studio.ui.background import BackgroundTask


class Downloads(QObject):
    """Fetches things; a second one is not begun before the first has ended."""

    ended = Signal(object, str)  # the Downloadable, and why it failed; empty if it is there

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._download: _Download | None = None

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._download is not None

    @Slot(object)
    def fetch(self, wanted: Downloadable) -> None:
        """Begin to fetch something. Nothing happens if a download is under way."""
        if self.busy:
            return
        self._download = _Download(wanted, self._window)
        self._download.done.connect(lambda error: self._end(wanted, error))
        self._download.start()

    def close(self) -> None:
        """Give up and wait for the end."""
        if self._download is not None:
            self._download.close()
            self._download = None

    def _end(self, wanted: Downloadable, error: str) -> None:
        self._download = None
        self.ended.emit(wanted, error)


class _Download(QObject):
    """One download and its dialog."""

    done = Signal(str)  # why it failed; empty if all is there

    def __init__(self, wanted: Downloadable, window: QWidget) -> None:
        super().__init__(window)
        self._title = wanted.title
        self._task = BackgroundTask(wanted.download, self)
        self._task.progressed.connect(self._show_progress)
        self._task.finished.connect(self._finish)
        self._dialog = QProgressDialog(f"Downloading {self._title}…", "Cancel", 0, 1000, window)
        self._dialog.setObjectName("downloadDialog")
        self._dialog.setWindowTitle("Training Studio")
        self._dialog.setAutoClose(False)
        self._dialog.setAutoReset(False)
        self._dialog.canceled.connect(self._task.cancel)

    def start(self) -> None:
        self._task.start()
        self._dialog.open()

    def close(self) -> None:
        self._task.finished.disconnect(self._finish)
        self._task.cancel()
        self._task.wait()

    @Slot(float, float)
    def _show_progress(self, done: float, total: float) -> None:
        if total:
            self._dialog.setValue(int(1000 * done / total))
            self._dialog.setLabelText(f"Downloading {self._title}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")

    @Slot()
    def _finish(self) -> None:
        self._dialog.deleteLater()
        self.deleteLater()
        error = str(self._task.error or "")
        self.done.emit(f"The download of {self._title} was cancelled." if self._task.cancelled else error)
