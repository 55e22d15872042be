"""New, open, save: what happens between the open project and its file."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal, Slot

from studio import storage
from studio.places import data_folder
from studio.project import Project, read_template
from studio.project.file import SUFFIX
from studio.storage import StorageError
from studio.ui.document import Document
from studio.ui.preferences import Preferences
from studio.ui.prompts import CANCEL, SAVE, Prompts

logger = logging.getLogger(__name__)


class ProjectFiles(QObject):
    """Asks before work is lost, and explains what cannot be opened or saved."""

    saved = Signal(object)  # Path of the file that was written
    opened = Signal()  # another project is open now

    def __init__(
        self, document: Document, preferences: Preferences, prompts: Prompts, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._prompts = prompts

    @property
    def title(self) -> str:
        """What to call the open project."""
        path = self._document.path
        return path.name.removesuffix(SUFFIX) if path else self._document.project.title

    @Slot()
    def new(self) -> None:
        """Begin with an empty canvas."""
        self._replace(Project())

    def new_from_template(self, name: str) -> None:
        """Begin with a template."""
        self._replace(read_template(name))

    def begin_with(self, project: Project) -> bool:
        """Begin with a project that has no file yet; False if the person gave up."""
        return self._replace(project)

    def _replace(self, project: Project) -> bool:
        if not self.may_discard():
            return False
        self._document.reset(project)
        self.opened.emit()
        return True

    @Slot()
    def open(self) -> None:
        """Ask for a file and open it."""
        path = self._prompts.open_project(self._folder())
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> bool:
        """Open a project file; False if the person gave up or it cannot be opened."""
        if not self.may_discard():
            return False
        try:
            self._document.open(path)
        except StorageError as error:
            self._preferences.forget_recent_project(path)
            self._prompts.tell("The project was not opened.", str(error))
            return False
        self._preferences.add_recent_project(path)
        self.opened.emit()
        return True

    @Slot()
    def save(self) -> bool:
        """Save where the project is kept; ask for a place if it has none."""
        _commit_pending()
        return self._write(self._document.path) if self._document.path else self.save_as()

    @Slot()
    def save_as(self) -> bool:
        """Ask for a place and save there; False if the person gave up or it failed."""
        _commit_pending()
        suggestion = self._document.path or self.suggest_export().with_name(f"{_file_name(self.title)}{SUFFIX}")
        path = self._prompts.save_project(suggestion)
        return path is not None and self._write(path)

    def _write(self, path: Path) -> bool:
        try:
            self._document.save(path)
        except StorageError as error:
            self._prompts.tell("The project was not saved.", str(error))
            return False
        self._preferences.add_recent_project(path)
        self.saved.emit(path)
        return True

    def may_discard(self) -> bool:
        """Whether the open project may go: nothing is unsaved, or the person saved it or let it go."""
        _commit_pending()
        if self._document.history.clean:
            return True
        answer = self._prompts.save_changes(self.title)
        return self.save() if answer == SAVE else answer != CANCEL

    def keep_unsaved(self) -> None:
        """Put unsaved changes in a file among the studio's own, which the list of recent projects shows.

        The file that was open stays as it is: nobody was asked.
        """
        _commit_pending()
        if self._document.history.clean:
            return
        folder = data_folder() / "unsaved"
        path = folder / f"{_file_name(self.title)} {datetime.now():%Y-%m-%d %H-%M-%S}{SUFFIX}"
        try:
            storage.make_folder(folder)
            self._document.save(path)
        except StorageError:
            logger.exception("the unsaved changes could not be kept")
            return
        self._preferences.add_recent_project(path)

    def suggest_export(self) -> Path:
        """Folder and name, without a suffix, for what is exported from the open project."""
        return self._folder() / _file_name(self.title)

    def _folder(self) -> Path:
        """Where the person probably keeps projects."""
        known = [self._document.path, *self._preferences.recent_projects]
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return next((path.parent for path in known if path is not None), Path(documents))


def _file_name(title: str) -> str:
    """A title without what file systems do not allow."""
    plain = "".join("-" if character in '/\\:*?"<>|' else character for character in title)
    return plain[:100].strip(" .") or "project"


def _commit_pending() -> None:
    from studio.ui.widgets.field_editor import commit_pending  # not needed to show the window

    commit_pending()
