"""Training, as the window sees it: start, pause, resume, stop, leave, find again, and the events that come back."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.data.base import MissingDataError
from studio.runs.folder import RunFolder
from studio.settings import TrainingSettings
from studio.settings.training import with_changes
from studio.storage import StorageError
from studio.training.control import Control
from studio.training.desk import Desk
from studio.training.errors import ChangedDataError, MemoryShortageError, MissingWeightsError
from studio.training.events import EpochEnded, Event, Finished, Progress, Started
from studio.training.places import THREAD
from studio.training.places.control import DetachableControl
from studio.ui.run_state import IDLE, PAUSED, STARTING, STOPPING, TRAINING
from studio.ui.train_thread import RunJob, TrainThread, trainer_at

if TYPE_CHECKING:
    from studio.training.job import Job
    from studio.training.places.mailbox import Mailbox

_TICK_MS = 33  # the inbox is emptied 30 times a second


class Session(QObject):
    """Owns the thread of the run under way; there is at most one.

    Args:
        run_job: what trains a job instead of what belongs to `place`, in tests.
    """

    events_arrived = Signal(object)  # list[Event], in order, never empty
    state_changed = Signal(str)  # one of the five states above
    failed = Signal(str)  # why the run ended, in plain words
    weights_missing = Signal(object, object)  # Job that could not start, and the MissingWeightsError
    data_missing = Signal(object, str)  # Job that could not start, and why: its dataset's files are not there
    data_changed = Signal(object, str)  # Job that could not go on, and why: its data is not the same
    memory_short = Signal(object)  # the MemoryShortageError that ended the run

    def __init__(self, parent: QObject | None = None, run_job: RunJob | None = None) -> None:
        super().__init__(parent)
        self.place = THREAD  # where the next run is trained, see `studio.training.places`
        self._run_job = run_job
        self._job: Job | None = None
        self._changed: TrainingSettings | None = None  # what was asked for since the run began
        self._thread: TrainThread | None = None
        self._state = IDLE
        self._checkpoint: Path | None = None
        self._run_folder: Path | None = None
        self._has_learned = False
        self._is_closing = False
        self._finished_job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._empty_inbox)

    @property
    def state(self) -> str:
        """One of IDLE, STARTING, TRAINING, PAUSED, STOPPING."""
        return self._state

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint of the latest run that came to its end; None if there was none."""
        return self._checkpoint

    @property
    def run_folder(self) -> Path | None:
        """The folder of the latest run, also of one that broke off; None if there was none."""
        return self._run_folder

    @property
    def has_learned(self) -> bool:
        """Whether the run under way, if there is one, did steps that its end must keep."""
        return self._thread is not None and self._has_learned

    @property
    def can_go_on(self) -> bool:
        """Whether that run has a checkpoint from which it can go on."""
        return self._run_folder is not None and RunFolder(self._run_folder).last.exists()

    @property
    def data_folder(self) -> Path | None:
        """Where the data of that run was, if the person keeps it elsewhere than in the studio's cache."""
        return None if self._finished_job is None else self._finished_job.data_folder

    def start(self, job: Job) -> None:
        """Begin a run at `place`. Nothing happens if one is under way."""
        control = Control() if self.place == THREAD else DetachableControl()
        self._begin(self._run_job or trainer_at(self.place), job, control)

    def attach(self, mailbox: Mailbox, job: Job) -> None:
        """Watch a run that goes on in a process of its own, or that ended unseen, from its beginning.

        Nothing happens if a run is under way here.

        Args:
            job: what is trained there.
        """
        from studio.training.places.process import watch  # not needed by who never trains there

        self._begin(lambda job, control, tell: watch(mailbox, control, tell), job, DetachableControl())

    def _begin(self, run_job: RunJob, job: Job, control: Control) -> None:
        if self._state != IDLE:
            return
        self._job = job
        self._run_folder = None
        self._has_learned = False
        self._changed = None
        self._thread = TrainThread(run_job, job, control, self)
        self._thread.finished.connect(self._end)
        self._set_state(STARTING)
        self._timer.start()
        self._thread.start()

    def pause(self) -> None:
        """Hold after the step under way."""
        if self._thread is not None and self._state == TRAINING:
            self._thread.control.pause()
            self._set_state(PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        if self._thread is not None and self._state == PAUSED:
            self._thread.control.resume()
            self._set_state(TRAINING)

    def stop(self) -> None:
        """End after the step under way; what was learned is kept."""
        if self._thread is not None and self._state != STOPPING:
            self._thread.control.stop()
            self._set_state(STOPPING)

    @property
    def settings(self) -> TrainingSettings | None:
        """Those of the run under way, with the changes that were asked for; None if there is no such run."""
        if self._job is None or self._state not in (TRAINING, PAUSED):
            return None
        return self._changed or self._job.project.training

    def change(self, settings: TrainingSettings) -> None:
        """Let the run go on with other settings, as far as they can reach it. Nothing happens if there is none."""
        now = self.settings
        if self._thread is not None and now is not None:
            self._changed = with_changes(now, settings)
            self._thread.control.change(self._changed)

    @property
    def desk(self) -> Desk | None:
        """Where the weights of the run under way are to be had; None if there is no run, or it goes on elsewhere."""
        return None if self._thread is None or self.can_detach else self._thread.control.desk

    @property
    def can_detach(self) -> bool:
        """Whether a run is under way that can go on without the window."""
        return self._thread is not None and isinstance(self._thread.control, DetachableControl)

    def detach(self) -> None:
        """Leave the run; it goes on, and another window can find it."""
        thread = self._thread
        if thread is not None and isinstance(thread.control, DetachableControl):
            thread.control.detach()
            thread.wait()
            self._end()

    def close(self) -> None:
        """Stop and wait until the checkpoint is written. A thread that outlives the program would abort it."""
        if self._thread is not None:
            wanted = self._state == STOPPING  # by the person
            self._is_closing = True
            self.stop()
            self._thread.wait()
            self._end()
            if not wanted:
                self._offer_again()

    def _offer_again(self) -> None:
        from studio.runs.interrupted import note_closing  # not needed to show the window

        if self._run_folder is not None:
            with contextlib.suppress(StorageError):  # the run is kept all the same
                note_closing(self._run_folder)

    @Slot()
    def _empty_inbox(self) -> None:
        assert self._thread is not None
        inbox, events = self._thread.inbox, []
        while inbox:
            events.append(inbox.popleft())
        if events:
            self._note(events)
            self.events_arrived.emit(events)

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Started):
                self._run_folder = Path(event.run)
                if self._state == STARTING:
                    self._set_state(TRAINING)
            elif isinstance(event, Finished):
                self._checkpoint, self._finished_job = Path(event.checkpoint), self._job
            elif isinstance(event, Progress | EpochEnded):
                self._has_learned = True

    @Slot()
    def _end(self) -> None:
        # `close` or `detach` was faster than the signal; by now another run may be under way.
        if self._thread is None or not self._thread.isFinished():
            return
        self._timer.stop()
        self._empty_inbox()
        thread, self._thread = self._thread, None
        self._set_state(IDLE)
        if not self._is_closing:  # nobody wants to be asked for data any more
            self._explain(thread)
        thread.deleteLater()

    def _explain(self, thread: TrainThread) -> None:
        if isinstance(thread.failure, MissingDataError):
            self.data_missing.emit(self._job, thread.failure_message)
        elif isinstance(thread.failure, MissingWeightsError):
            self.weights_missing.emit(self._job, thread.failure)
        elif isinstance(thread.failure, ChangedDataError):
            self.data_changed.emit(self._job, thread.failure_message)
        elif isinstance(thread.failure, MemoryShortageError):
            self.memory_short.emit(thread.failure)
        elif thread.failure is not None:
            self.failed.emit(thread.failure_message)

    def _set_state(self, state: str) -> None:
        self._state = state
        self.state_changed.emit(state)
