"""The thread that trains: it drains a run into an inbox and touches no widget."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread

from studio.data.base import DataError
from studio.runs import RunFolderError
from studio.storage import StorageError
from studio.training.control import Control
from studio.training.errors import CheckpointError, TrainingError
from studio.training.events import Event, Finished
from studio.training.places import THREAD, launch_of
from studio.training.places.control import DetachedError

if TYPE_CHECKING:
    from studio.training.job import Job

logger = logging.getLogger(__name__)

RunJob = Callable[["Job", Control, Callable[[Event], None]], Finished]

# Their messages are made for people; any other exception is a fault of the program.
EXPLAINED = (TrainingError, DataError, StorageError, RunFolderError, CheckpointError)


class TrainThread(QThread):
    """One run in a thread of its own, or the watching of one that goes on elsewhere.

    `inbox` fills while it goes; `failure` is read after it has finished.
    """

    def __init__(self, run_job: RunJob, job: Job, control: Control, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.control = control
        self.inbox: deque[Event] = deque()  # appending and popping need no lock
        self.failure: Exception | None = None
        self._run_job = run_job
        self._job = job

    def run(self) -> None:
        try:
            self._run_job(self._job, self.control, self.inbox.append)
        except DetachedError:
            logger.info("The run was left and goes on")
        except Exception as error:  # handed to the window, which tells the person
            if not isinstance(error, EXPLAINED):
                logger.exception("The run ended with an unexpected error")
            self.failure = error.with_traceback(None)  # it would keep all that the run took

    @property
    def failure_message(self) -> str:
        """What went wrong, in words for people; empty if nothing did."""
        if self.failure is None or isinstance(self.failure, EXPLAINED):
            return str(self.failure or "")
        return (
            f"The run ended with an unexpected error: {type(self.failure).__name__}: {self.failure}. "
            "What was written so far is kept in the run’s folder."
        )


def train(job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished:
    """`studio.training.runner.run`, imported in the thread that calls it because that loads torch."""
    from studio.training.runner import run

    return run(job, control, on_event)


def trainer_at(place: str) -> RunJob:
    """What trains a job at a place. Raises ValueError if it is none."""
    if place == THREAD:
        return train
    launch = launch_of(place)

    def train_apart(job: Job, control: Control, on_event: Callable[[Event], None]) -> Finished:
        from studio.training.places.process import run  # not needed by who never trains there

        return run(job, control, on_event, launch)

    return train_apart
