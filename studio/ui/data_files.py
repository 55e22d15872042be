"""Files of datasets: asked for, whatever they are, or downloaded."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from studio.data import Source
from studio.ui.download import Download
from studio.ui.preferences import Preferences
from studio.ui.prompts import Prompts

_ANY = "your data"  # in the titles of dialogs


class DataFiles(QObject):
    """Nothing of the project changes here: who listens finds out what the files are."""

    found = Signal(object)  # Path of a file or a folder
    downloaded = Signal()
    failed = Signal(str)  # why nothing was downloaded, in plain words

    def __init__(self, preferences: Preferences, prompts: Prompts, window: QWidget) -> None:
        super().__init__(window)
        self._preferences = preferences
        self._prompts = prompts
        self._window = window
        self._download: Download | None = None

    @Slot()
    def find_file(self) -> None:
        """Ask for a file with data of any kind."""
        self._tell(self._prompts.data_file(_ANY))

    @Slot()
    def find_folder(self) -> None:
        """Ask for a folder with data of any kind."""
        self._tell(self._prompts.data_folder(_ANY))

    def _tell(self, path: object) -> None:
        if path is not None:
            self.found.emit(path)

    def download(self, source: Source) -> None:
        """Fetch the files of a dataset into the studio's own cache folder; the person agreed."""
        if self._download is None:
            self._download = Download(source, self._window)
            self._download.done.connect(partial(self._end, source))
            self._download.start()

    def _end(self, source: Source, error: str) -> None:
        self._download = None
        if error:
            self.failed.emit(error)
            return
        self._preferences.set_data_folder(source.kind, None)
        self.downloaded.emit()

    def close(self) -> None:
        """Give up a download and wait for its end."""
        if self._download is not None:
            self._download.close()
            self._download = None
