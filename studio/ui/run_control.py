"""From the press of Train to a run: makes the job and, if files of data or weights are missing, gets them first."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from studio.data import Source
from studio.data.base import Downloadable
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs.folder import RunFolder
from studio.training.places import HOSTS, THREAD, title_of
from studio.ui.data_places import placed
from studio.ui.data_trust import is_trusted, waits_for_trust
from studio.ui.document import Document
from studio.ui.downloads import Downloads
from studio.ui.preferences import Preferences
from studio.ui.prompts import CANCEL, DOWNLOAD, FOLDER, GO_ON, Prompts
from studio.ui.session import Session
from studio.ui.widgets.field_editor import commit_pending

if TYPE_CHECKING:
    from studio.training.errors import MemoryShortageError, MissingWeightsError
    from studio.training.job import Job


class RunControl(QObject):
    """Starts runs of the open project as it is now; the person may go on editing."""

    failed = Signal(str)  # why no run was started, in plain words
    place_chosen = Signal(str)  # where to train, see `studio.training.places`
    trusted = Signal()  # code that gives data may run now

    def __init__(
        self, document: Document, session: Session, preferences: Preferences, prompts: Prompts, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._session = session
        self._preferences = preferences
        self._prompts = prompts
        self.downloads = Downloads(parent)
        self._window = parent
        self._waiting: Job | None = None  # for the download under way
        self.downloads.ended.connect(self._end_download)
        session.data_missing.connect(self._get_data)
        session.weights_missing.connect(self._get_weights)
        session.data_changed.connect(self._ask_anyway)

    @Slot()
    def start(self) -> None:
        """Train the open project."""
        if self.downloads.busy:
            return
        from studio.training.job import Job  # not needed to show the window

        commit_pending()
        project = self._document.project
        self._choose_place()
        folder = self._preferences.data_folder(project.data.source.kind)
        self._session.start(Job(project, data_folder=folder, surfaces=True))

    @Slot()
    def ask_machines(self) -> None:
        """Let the person say which machines train the next run."""
        from studio.training.spread.launch import OFFERED_PORT  # not needed to show the window

        before = self._preferences.training_place
        known = before.partition(":")[2] if before.startswith(HOSTS) else f"2@{socket.gethostname()}:{OFFERED_PORT}"
        text = self._prompts.several_machines(known)
        if not text:
            return
        place = f"{HOSTS}:{text}"
        if not title_of(place):
            self.failed.emit(
                f"“{text[:60]}” does not say how many machines there are and where they meet. Write it as "
                f"2@HOST:{OFFERED_PORT}, with the name or the address of this machine."
            )
            return
        self.place_chosen.emit(place)

    def _choose_place(self) -> None:
        place = self._preferences.training_place
        self._session.place = place if title_of(place) else THREAD

    @Slot()
    def go_on(self) -> None:
        """Let the latest run go on with the settings that are chosen now; ask for more epochs if all are done."""
        commit_pending()
        folder = self._session.run_folder
        if self.downloads.busy or folder is None:
            return
        from studio.runs.interrupted import saved_project  # not needed to show the window

        project = saved_project(RunFolder(folder))
        if project is None:
            self.failed.emit(f"The run cannot go on: {folder} does not say what was trained.")
            return
        settings = project.training
        if self._document.graph == project.graph:  # else they are those of another network
            settings = self._document.project.training
        done = RunFolder(folder).completed_epochs
        if done >= settings.epochs:
            more = self._prompts.more_epochs(done)
            if more is None:
                return
            settings = replace_fields(settings, epochs=done + more)
            if self._document.graph == project.graph:
                self._document.set_training(settings, "Change epochs")
        self.resume(folder, replace(project, training=settings))

    def resume(self, folder: Path, project: Project) -> None:
        """Let a run go on from its last checkpoint, with the training settings of a project."""
        from studio.training.job import Job  # not needed to show the window

        self._choose_place()
        data_folder = self._preferences.data_folder(project.data.source.kind)
        self._session.start(Job(project, folder, data_folder, surfaces=True, resume=True))

    @Slot(object)
    def go_on_smaller(self, error: MemoryShortageError) -> None:
        """Take settings that need less memory, as one step that can be undone, and let the run go on."""
        from studio.runs.interrupted import saved_project  # not needed to show the window

        project = saved_project(RunFolder(error.run))
        if project is None or error.smaller is None:
            return
        if self._document.graph == project.graph:
            self._document.set_training(error.smaller, "Halve the batch")
        self.resume(error.run, replace(project, training=error.smaller))

    @Slot(object, str)
    def _ask_anyway(self, job: Job, reason: str) -> None:
        if self._prompts.go_on_anyway(reason):
            self._session.start(replace(job, anyway=True))
        else:
            self.failed.emit(reason)

    @Slot()
    def change(self) -> None:
        """Hand the settings as they are now to the run under way."""
        commit_pending()
        self._session.change(self._document.project.training)

    @Slot()
    def find_rate(self) -> None:
        """Look for a learning rate for the open project; taking it is one undo step."""
        from studio.ui.panels.rate_dialog import RateDialog  # brings pyqtgraph

        commit_pending()
        project = self._document.project
        dialog = RateDialog(project, self._preferences.data_folder(project.data.source.kind), self._window)
        dialog.chosen.connect(self._use_rate)
        dialog.open()

    @Slot(float)
    def _use_rate(self, rate: float) -> None:
        training = self._document.project.training
        optimizer = replace_fields(training.optimizer, learning_rate=rate)
        self._document.set_training(replace_fields(training, optimizer=optimizer), "Use the learning rate found")

    def may_leave(self) -> bool:
        """Whether the window may be closed: no run could go on without it, or the person said what becomes of it."""
        if not self._session.can_detach:
            return True
        answer = self._prompts.leave_run()
        if answer == GO_ON:
            self._session.detach()
        return answer != CANCEL

    def leave(self) -> None:
        """Let a run go on that can go on without the window."""
        if self._session.can_detach:
            self._session.detach()

    def close(self) -> None:
        """Give up a download and wait for its end."""
        self.downloads.close()

    @Slot(object, str)
    def _get_data(self, job: Job, reason: str) -> None:
        source = job.project.data.source
        if waits_for_trust(source):
            self._ask_trust(job, reason)
            return
        match self._prompts.missing_data(source, reason):
            case answer if answer == DOWNLOAD:
                self._start_download(job, source)
            case answer if source.needs_place:
                self._use_place(job, placed(self._prompts, source, answer), reason)
            case answer if answer == FOLDER:
                self._choose_folder(job)
            case _:
                self.failed.emit(reason)

    def _ask_trust(self, job: Job, reason: str) -> None:
        if is_trusted(self._prompts, job.project.data.source):
            self.trusted.emit()
            self._session.start(job)
        else:
            self.failed.emit(reason)

    def _choose_folder(self, job: Job) -> None:
        source = job.project.data.source
        folder = self._prompts.data_folder(source.title)
        if folder is None:
            self.failed.emit(f"No run was started: no folder with the files of {source.title} was chosen.")
            return
        self._preferences.set_data_folder(source.kind, folder)
        self._session.start(replace(job, data_folder=folder))

    def _use_place(self, job: Job, source: Source | None, reason: str) -> None:
        """Train on the person's own files, and remember them in the project."""
        if source is None:
            self.failed.emit(reason)
            return
        choice = job.project.data.with_source(source)
        if self._document.project.data == job.project.data:
            self._document.choose_data(choice)
        self._session.start(replace(job, project=replace(job.project, data=choice)))

    @Slot(object, object)
    def _get_weights(self, job: Job, error: MissingWeightsError) -> None:
        if self._prompts.missing_weights(error.file, str(error)):
            self._start_download(job, error.file)
        else:
            self.failed.emit(str(error))

    def _start_download(self, job: Job, wanted: Downloadable) -> None:
        self._waiting = job
        self.downloads.fetch(wanted)

    @Slot(object, str)
    def _end_download(self, fetched: Downloadable, error: str) -> None:
        job, self._waiting = self._waiting, None
        if job is None:  # it was for something else
            return
        if error:
            self.failed.emit(error)
            return
        if isinstance(fetched, Source):
            self._preferences.set_data_folder(fetched.kind, None)
            job = replace(job, data_folder=None)
        self._session.start(job)
