"""What becomes of files that are dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QTimer

from studio.data import registry as datasets
from studio.ui.document import Document
from studio.ui.preferences import Preferences
from studio.ui.project_files import ProjectFiles
from studio.ui.prompts import Prompts


class FileDrops(QObject):
    """A project file is opened; the files of a known dataset, or texts, become the project's data, after a question."""

    def __init__(
        self, document: Document, files: ProjectFiles, preferences: Preferences, prompts: Prompts, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._files = files
        self._preferences = preferences
        self._prompts = prompts

    def can_take(self, data: QMimeData) -> bool:
        """Whether files of this machine are dragged. What they are is looked at when they are dropped."""
        return bool(_paths(data))

    def take(self, data: QMimeData) -> None:
        """Use what was dropped, or say what could be."""
        paths = _paths(data)
        QTimer.singleShot(0, self, lambda: self._use(paths))  # a question must not hold up the sender

    def _use(self, paths: list[Path]) -> None:
        if len(paths) == 1 and paths[0].suffix == ".json" and not paths[0].is_dir():
            self._files.open_path(paths[0])
            return
        folders = {path if path.is_dir() else path.parent for path in paths}
        if len(folders) != 1 or not self._offer_dataset(paths[0]):
            self._refuse(paths)

    def _offer_dataset(self, path: Path) -> bool:
        """Whether files of a dataset were dropped."""
        from studio.data.recognize import recognize  # not needed to show the window

        sources = recognize(path)
        if not sources:
            return False
        folder = path if path.is_dir() else path.parent
        own = any(source.needs_place for source in sources)  # then the file itself is meant
        chosen = self._prompts.use_dataset(sources, path if own else folder)
        if chosen is not None:
            if not chosen.needs_place:
                self._preferences.set_data_folder(chosen.kind, folder)
            self._document.choose_data(self._document.project.data.with_source(chosen))
        return True

    def _refuse(self, paths: list[Path]) -> None:
        titles = [source.title for source in datasets if source.download_bytes]
        known = f"{', '.join(titles[:-1])} or {titles[-1]}"
        what = f"“{paths[0].name}” is" if len(paths) == 1 else f"These {len(paths)} files are"
        self._prompts.tell(
            f"{what} nothing that can be used here.",
            "Drop a project file (.studio.json) to open it, or a folder with the original files of "
            f"{known}, a table of texts with their classes (CSV, tab-separated or JSON lines), or a folder with a "
            "folder of .txt files for each class, to choose it as the dataset.",
        )


def _paths(data: QMimeData) -> list[Path]:
    """The files that are dragged; none if something else is dragged along."""
    urls = data.urls()
    return [Path(url.toLocalFile()) for url in urls] if all(url.isLocalFile() for url in urls) else []
