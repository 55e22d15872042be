"""Files of datasets: asked for, whatever they are, or downloaded."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from studio.data import Source
from studio.data.base import Downloadable
from studio.ui.downloads import Downloads
from studio.ui.preferences import Preferences
from studio.ui.prompts import Prompts

_ANY = "your data"  # in the titles of dialogs


class DataFiles(QObject):
    """Nothing of the project changes here: who listens finds out what the files are."""

    found = Signal(object)  # Path of a file or a folder
    downloaded = Signal()
    failed = Signal(str)  # why nothing was downloaded, in plain words

    def __init__(self, preferences: Preferences, prompts: Prompts, downloads: Downloads, parent: QObject) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._prompts = prompts
        self._downloads = downloads
        self._wanted: Source | None = None
        downloads.ended.connect(self._end)

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

    @Slot(object)
    def download(self, source: Source) -> None:
        """Fetch the files of a dataset into the studio's own cache folder; the person agreed."""
        self._wanted = source
        self._downloads.fetch(source)

    @Slot(object, str)
    def _end(self, fetched: Downloadable, error: str) -> None:
        if fetched is not self._wanted:  # it was for a run
            return
        self._wanted = None
        if error:
            self.failed.emit(error)
            return
        assert isinstance(fetched, Source)
        self._preferences.set_data_folder(fetched.kind, None)
        self.downloaded.emit()
