"""Where the person's own files are: asked for, and put into the project's data."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from studio.data import Source
from studio.fields import FieldError
from studio.ui.document import Document
from studio.ui.prompts import FILE, FOLDER, Prompts

_WHAT = (
    "Choose a file with a table (CSV, tab-separated or JSON lines) that has a text and a class in each row, or a "
    "folder with a folder of .txt files for each class."
)


class DataPlaces(QObject):
    """Asks for a file or a folder when a dataset that needs one is chosen."""

    chosen = Signal(object)  # Source at the place that the person named

    def __init__(self, document: Document, prompts: Prompts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._prompts = prompts

    @Slot(object)
    def choose(self, source: Source) -> None:
        """Ask where the files of a dataset are that is to be the project's."""
        self._use(placed(self._prompts, source, self._prompts.missing_data(source, _WHAT)))

    @Slot()
    def choose_file(self) -> None:
        """Take another file for the project's data."""
        self._use(placed(self._prompts, self._document.project.data.source, FILE))

    @Slot()
    def choose_folder(self) -> None:
        """Take another folder for the project's data."""
        self._use(placed(self._prompts, self._document.project.data.source, FOLDER))

    def _use(self, source: Source | None) -> None:
        if source is not None:
            self.chosen.emit(source)


def placed(prompts: Prompts, source: Source, answer: str) -> Source | None:
    """The source at a place that the person chooses; None if they gave up.

    Args:
        answer: FILE or FOLDER, or what else `missing_data` answers, which gives None.
    """
    ask = {FILE: prompts.data_file, FOLDER: prompts.data_folder}.get(answer)
    place = ask(source.title) if ask is not None else None
    if place is None:
        return None
    try:
        return source.at(place)
    except FieldError as error:
        prompts.tell("That place cannot be used.", str(error))
        return None
