"""Fetches a dataset in a thread, with a progress dialog that can cancel."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QProgressDialog, QWidget

from studio.data import Source
from studio.ui.background import BackgroundTask


class Download(QObject):
    """One download; it deletes itself when it is done."""

    done = Signal(str)  # why it failed; empty if all is there

    def __init__(self, source: Source, window: QWidget) -> None:
        super().__init__(window)
        self._source = source
        self._task = BackgroundTask(source.download, self)
        self._task.progressed.connect(self._show_progress)
        self._task.finished.connect(self._finish)
        self._dialog = QProgressDialog(f"Downloading {source.title}…", "Cancel", 0, 1000, window)
        self._dialog.setObjectName("downloadDialog")
        self._dialog.setWindowTitle("Training Studio")
        self._dialog.setAutoClose(False)
        self._dialog.setAutoReset(False)
        self._dialog.canceled.connect(self._task.cancel)

    def start(self) -> None:
        """Begin."""
        self._task.start()
        self._dialog.open()

    def close(self) -> None:
        """Give up, and wait for the end; nothing is announced."""
        self._task.finished.disconnect(self._finish)
        self._task.cancel()
        self._task.wait()

    @Slot(float, float)
    def _show_progress(self, done: float, total: float) -> None:
        if total:
            self._dialog.setValue(int(1000 * done / total))
            self._dialog.setLabelText(f"Downloading {self._source.title}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")

    @Slot()
    def _finish(self) -> None:
        self._dialog.deleteLater()
        self.deleteLater()
        error = str(self._task.error or "")
        self.done.emit(f"The download of {self._source.title} was cancelled." if self._task.cancelled else error)
