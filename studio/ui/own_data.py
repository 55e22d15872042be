"""A person's own files become the project's data: recognized and looked into away from the GUI thread."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data import DataError, Source
from studio.graph import Graph
from studio.ui.data_trust import is_trusted
from studio.ui.document import Document
from studio.ui.newest import NewestOnly
from studio.ui.preferences import Preferences
from studio.ui.prompts import KEEP, MAKE, Prompts

if TYPE_CHECKING:
    from studio.compile.adopt import Adoption
    from studio.project import Project

logger = logging.getLogger(__name__)

_Wish = tuple["Project", Path | Source]


class OwnData(QObject):
    """Takes one file, folder or source at a time; a newer one takes the place of one that is still looked into."""

    message = Signal(str)  # for the status bar
    adopted = Signal()  # the project has other data
    trusted = Signal()  # code that gives data may run now
    unknown = Signal(object)  # Path of what is no data
    _recognized = Signal(object, object)  # Path, list of Sources of known datasets; from the worker thread
    _untrusted = Signal(object)  # Source; from the worker thread
    _looked = Signal(object)  # Adoption; from the worker thread
    _failed = Signal(str, str)  # what cannot be used, and why; from the worker thread
    _nothing = Signal(object)  # Path; from the worker thread

    def __init__(
        self, document: Document, preferences: Preferences, prompts: Prompts, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._prompts = prompts
        self._ready = False
        self._waiting: Path | Source | None = None
        self._made: Graph | None = None  # the last network that was made here
        self._worker: NewestOnly[_Wish] | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self._recognized.connect(self._ask_which, queued)
        self._untrusted.connect(self._ask_trust, queued)
        self._looked.connect(self._take, queued)
        self._failed.connect(self._tell, queued)
        self._nothing.connect(self.unknown, queued)

    @Slot()
    def start(self) -> None:
        """PyTorch is there: what was wished for before can be looked into."""
        self._ready = True
        if self._waiting is not None:
            wished, self._waiting = self._waiting, None
            self.use(wished)

    def close(self) -> None:
        """Stop, and wait for the look under way."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    @Slot(object)
    def use(self, wished: Path | Source) -> None:
        """Make a file or folder the project's data, as what it is recognized; or a source that was chosen for it."""
        name = wished.name if isinstance(wished, Path) else Path(wished.place).name or wished.title
        self.message.emit(f"Looking into {name}…")
        if not self._ready:
            self._waiting = wished
            return
        if self._worker is None:
            self._worker = NewestOnly("own data", self._work)
            self._worker.start()
        self._worker.ask((self._document.project, wished))

    def _work(self, wish: _Wish) -> None:
        """In the worker thread."""
        project, wished = wish
        name = wished.name if isinstance(wished, Path) else wished.title
        try:
            self._look_into(project, wished)
        except DataError as error:
            self._failed.emit(f"“{name}” cannot be used.", str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the data could not be looked into")
            self._failed.emit(f"“{name}” cannot be used.", f"There is a fault in the program: {error!r}.")

    def _look_into(self, project: Project, wished: Path | Source) -> None:
        from studio.compile.adopt import adopt
        from studio.data.recognize import recognize

        source = wished
        if isinstance(source, Path):
            found = recognize(source)
            if not found:
                self._nothing.emit(source)
                return
            if not found[0].needs_place:
                self._recognized.emit(source, found)
                return
            source = found[0]
        if source.code is not None:
            self._untrusted.emit(source)
            return
        self._looked.emit(adopt(project, source, source.look()))

    @Slot(object, object)
    def _ask_which(self, path: Path, sources: list[Source]) -> None:
        """The files of a known dataset: several have files of the same names, and none are the person's own."""
        folder = path if path.is_dir() else path.parent
        chosen = self._prompts.use_dataset(sources, folder)
        if chosen is not None:
            self._preferences.set_data_folder(chosen.kind, folder)
            self._document.choose_data(self._document.project.data.with_source(chosen))
            self.adopted.emit()

    @Slot(object)
    def _ask_trust(self, source: Source) -> None:
        """Its code has not run; it is looked into if the person says that it may."""
        if is_trusted(self._prompts, source):
            self.trusted.emit()
            self.use(source)
        else:
            self.message.emit(f"Nothing of {Path(source.place).name} has run.")

    @Slot(object)
    def _take(self, adoption: Adoption) -> None:
        project = self._choose(adoption)
        if project is None:
            return
        self._document.change(project, f"Use {adoption.source.title.lower()}")
        told = adoption.findings.summary or f"{adoption.findings.rows:,} samples"
        self.message.emit(adoption.reason if adoption.fits and adoption.reason else told)
        self.adopted.emit()

    def _choose(self, adoption: Adoption) -> Project | None:
        """The project to go on with; None if the person gave up."""
        if adoption.fits or adoption.proposed is None:
            return adoption.fitted
        if self._document.is_untouched or self._document.graph == self._made:
            self._made = adoption.proposed.graph
            return adoption.proposed
        answer = self._prompts.another_network(adoption.source, adoption.reason)
        mine = adoption.fitted
        made = replace(adoption.proposed, title=mine.title, notes=mine.notes)
        self._made = made.graph if answer == MAKE else None
        return {MAKE: made, KEEP: mine}.get(answer)

    @Slot(str, str)
    def _tell(self, text: str, details: str) -> None:
        self.message.emit("")
        self._prompts.tell(text, details)
