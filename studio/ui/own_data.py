"""Data becomes the project's, whatever was dropped or chosen: looked into away from the GUI thread."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.data import DataError, Findings, MissingDataError, Source
from studio.graph import Graph
from studio.ui.data_trust import is_trusted
from studio.ui.document import Document
from studio.ui.newest import NewestOnly
from studio.ui.preferences import Preferences
from studio.ui.prompts import KEEP, MAKE, Prompts
from studio.ui.wording import source_name

if TYPE_CHECKING:
    from studio.compile.adopt import Adoption
    from studio.data.recognize import Recognized
    from studio.project import Project

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_REPORTS = 0.05


@dataclass(frozen=True)
class _Wish:
    """What is to be looked into.

    Args:
        project: for which.
        wished: a file or a folder, or a source.
        folder: where the person has the files of a source that is a known dataset; None for the studio's own folder.
    """

    project: Project
    wished: Path | Source
    folder: Path | None = None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        if isinstance(self.wished, Path):
            return self.wished.name
        return Path(self.wished.place).name or self.wished.title


class _GivenUpError(Exception):
    """Something newer is wished for, or the person wants none of it."""


class OwnData(QObject):
    """Takes one file, folder or source at a time; a newer one takes the place of one that is still looked into."""

    message = Signal(str)  # for the status bar
    adopted = Signal()  # the project has other data
    trusted = Signal()  # code that gives data may run now
    unknown = Signal(object)  # Path of what is no data
    unpacking = Signal(str, float, float)  # name of an archive; bytes done, bytes in all
    ended = Signal()  # nothing is unpacked any more
    _recognized = Signal(object, object)  # _Wish, Recognized with several known datasets; from the worker thread
    _untrusted = Signal(object)  # Source; from the worker thread
    _looked = Signal(object, object)  # _Wish, Adoption; from the worker thread
    _failed = Signal(str, str)  # what cannot be used, and why; from the worker thread
    _nothing = Signal(object)  # Path; from the worker thread
    _progressed = Signal(str, float, float)  # as `unpacking`, from the worker thread
    _over = Signal()  # as `ended`, from the worker thread

    def __init__(
        self, document: Document, preferences: Preferences, prompts: Prompts, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._prompts = prompts
        self._ready = False
        self._waiting: Path | Source | None = None
        self._made: Graph | None = None  # the last network that came from here, and not from the person
        self._worker: NewestOnly[_Wish] | None = None
        self._given_up = threading.Event()
        self._next_report = 0.0
        queued = Qt.ConnectionType.QueuedConnection
        self._recognized.connect(self._ask_which, queued)
        self._untrusted.connect(self._ask_trust, queued)
        self._looked.connect(self._take, queued)
        self._failed.connect(self._tell, queued)
        self._nothing.connect(self._refuse, queued)
        self._progressed.connect(self.unpacking, queued)
        self._over.connect(self.ended, queued)

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
        known = isinstance(wished, Source) and not wished.needs_place
        folder = self._preferences.data_folder(wished.kind) if known and isinstance(wished, Source) else None
        self._begin(_Wish(self._document.project, wished, folder))

    @Slot()
    def give_up(self) -> None:
        """Do not unpack any further."""
        self._given_up.set()
        self.message.emit("Nothing was unpacked.")

    def _begin(self, wish: _Wish) -> None:
        self.message.emit(f"Looking into {wish.name}…")
        if not self._ready:
            self._waiting = wish.wished
            return
        if self._worker is None:
            self._worker = NewestOnly("own data", self._work)
            self._worker.start()
        self._given_up.clear()
        self._worker.ask(wish)

    def _work(self, wish: _Wish) -> None:
        """In the worker thread."""
        try:
            self._look_into(wish)
        except _GivenUpError:
            pass  # the person knows: `give_up` says it, or something newer is looked into
        except DataError as error:
            self._failed.emit(f"“{wish.name}” cannot be used.", str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the data could not be looked into")
            self._failed.emit(f"“{wish.name}” cannot be used.", f"There is a fault in the program: {error!r}.")
        finally:
            self._over.emit()

    def _look_into(self, wish: _Wish) -> None:
        from studio.compile.adopt import adopt
        from studio.data.recognize import recognize_at

        if isinstance(wish.wished, Path):
            found = recognize_at(wish.wished, lambda done, total: self._report(wish.name, done, total))
            if not found.sources:
                self._nothing.emit(wish.wished)
                return
            if len(found.sources) > 1:
                self._recognized.emit(wish, found)
                return
            wish = replace(wish, wished=found.sources[0], folder=found.folder)
        source = self._in_archive(wish)
        if source.code is not None:
            self._untrusted.emit(source)
            return
        self._looked.emit(wish, adopt(wish.project, source, _findings(source, wish.folder)))

    def _in_archive(self, wish: _Wish) -> Source:
        """The source that was chosen; if an archive was chosen for it, at the place in there."""
        from studio.data.recognize import recognize_at
        from studio.data.unpacked import is_archive

        source = wish.wished
        assert isinstance(source, Source)
        place = Path(source.place)
        if not source.place or not is_archive(place):
            return source
        found = recognize_at(place, lambda done, total: self._report(wish.name, done, total))
        return next((other for other in found.sources if other.kind == source.kind), source)

    def _report(self, name: str, done: int, total: int) -> None:
        """In the worker thread, while an archive is unpacked."""
        assert self._worker is not None
        if self._given_up.is_set() or self._worker.has_newer:
            raise _GivenUpError
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _SECONDS_BETWEEN_REPORTS
            self._progressed.emit(name, float(done), float(total))

    @Slot(object, object)
    def _ask_which(self, wish: _Wish, found: Recognized) -> None:
        """Several known datasets have files of the same names."""
        chosen = self._prompts.use_dataset(found.sources, found.folder)
        if chosen is not None:
            self._begin(_Wish(self._document.project, chosen, found.folder))
        else:
            self.message.emit("")

    @Slot(object)
    def _ask_trust(self, source: Source) -> None:
        """Its code has not run; it is looked into if the person says that it may."""
        if is_trusted(self._prompts, source):
            self.trusted.emit()
            self.use(source)
        else:
            self.message.emit(f"Nothing of {Path(source.place).name} has run.")

    @Slot(object, object)
    def _take(self, wish: _Wish, adoption: Adoption) -> None:
        if self._document.project != wish.project:  # it was changed meanwhile, and that must not be lost
            self._begin(replace(wish, project=self._document.project))
            return
        project = self._choose(adoption)
        if project is None:
            self.message.emit("")
            return
        source = adoption.source
        if wish.folder is not None and not source.needs_place:
            self._preferences.set_data_folder(source.kind, wish.folder)
        self._document.change(project, f"Use {source_name(source)}")
        rows = adoption.findings.rows
        told = adoption.findings.summary or (f"{rows:,} samples" if rows else f"The data is {source.title} now.")
        self.message.emit(adoption.reason if adoption.fits and adoption.reason else told)
        self.adopted.emit()

    def _choose(self, adoption: Adoption) -> Project | None:
        """The project to go on with; None if the person gave up."""
        mine = not (self._document.is_untouched or self._document.graph == self._made)
        if adoption.fits or adoption.proposed is None:
            project = adoption.fitted
        elif not mine:
            project = adoption.proposed
        else:
            answer = self._prompts.another_network(adoption.source, adoption.reason)
            fitted = adoption.fitted
            made = replace(adoption.proposed, title=fitted.title, notes=fitted.notes)
            mine = answer != MAKE
            chosen = {MAKE: made, KEEP: fitted}.get(answer)
            if chosen is None:
                return None
            project = chosen
        self._made = None if mine else project.graph
        return project

    @Slot(object)
    def _refuse(self, path: Path) -> None:
        self.message.emit("")
        self.unknown.emit(path)

    @Slot(str, str)
    def _tell(self, text: str, details: str) -> None:
        self.message.emit("")
        self._prompts.tell(text, details)


def _findings(source: Source, folder: Path | None) -> Findings:
    """What is known of a known dataset, and else what a look tells. A known one may still have to be downloaded."""
    from studio.data.looking import look

    if not source.needs_place and source.spec.target.size:
        return Findings(source.spec)
    try:
        return look(source, folder)
    except MissingDataError:
        if source.needs_place:
            raise
        return Findings(source.spec)
