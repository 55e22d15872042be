"""The process of a run: it trains the job in its mailbox, tells what happens and does what is wished."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from studio import storage, trust
from studio.locks import FileLock
from studio.training.control import Control
from studio.training.events import Event, Started
from studio.training.job import Job
from studio.training.places.failures import failure_to_json
from studio.training.places.log import LogWriter
from studio.training.places.mailbox import Mailbox
from studio.training.places.wishes import Listener

SECONDS_BETWEEN_LOOKS = 0.05  # at wishes; a pause answers within twice that and a step
LOOKS_BETWEEN_WRITES = 2
MOST_OUTPUT_BYTES = 1_000_000
SECONDS_TO_LOCK = 5.0
NICENESS = 5  # the window and all else come first when the processor is short
KILLED_FIRST = "500"  # when memory is short, Linux ends this process before the window; from -1000 to 1000

logger = logging.getLogger(__name__)


def main(folder: Path, given: str) -> NoReturn:
    """Train, tell how it ended or why not, and end the process.

    Args:
        folder: of the mailbox.
        given: what the one who started it says on standard input, see `greeting`.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as where the window loads torch
    faulthandler.enable()
    step_back()
    mailbox = Mailbox(folder)
    mailbox.check()
    trust.take_over(json.loads(given)["trusted"])
    lock = FileLock(mailbox.alive_file)
    if not acquire(lock):
        sys.exit("Another process trains this job already.")
    mailbox.write_process()
    Worker(mailbox).run()
    leave()


def leave(code: int = 0) -> NoReturn:
    """End at once, as processes of multiprocessing do: to take PyTorch apart in order would take a second."""
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def greeting() -> str:
    """What a new process is told on standard input: never in a file that somebody else could write."""
    return json.dumps({"trusted": trust.trusted_for_now()})


def acquire(lock: FileLock) -> bool:
    """Take the lock; who asks whether it is taken holds it for a moment."""
    deadline = time.monotonic() + SECONDS_TO_LOCK
    while not lock.acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return True


def step_back() -> None:
    """Let everything else go first; on Windows the one who starts the process says so."""
    if os.name == "posix":
        os.nice(NICENESS)
    with contextlib.suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text(KILLED_FIRST)


class Worker:
    """One run, and a thread that writes what it tells and listens to wishes."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._control = Control()
        self._process = os.getpid()  # that holds the lock
        self._log = LogWriter(mailbox.folder)
        self._over = threading.Event()
        self._broken: storage.StorageError | None = None  # why nothing can be told any more

    def run(self) -> None:
        """Do it, and tell all of it."""
        clerk = threading.Thread(target=self._serve, name="wishes and events", daemon=True)
        clerk.start()
        try:
            self.train(self._mailbox.read_job())
            self._log.add({"end": True})
        except Exception as error:
            logger.exception("The run ended with an error")
            if self.is_final(error):
                self._log.add({"failure": failure_to_json(error)})
        finally:
            self._over.set()
            clerk.join()
        self._log.flush()

    def is_final(self, error: Exception) -> bool:
        """Whether an error ends the run; otherwise somebody begins it again, and nothing is told of it."""
        return True

    def train(self, job: Job) -> None:
        """Train the job."""
        from studio.training.runner import run  # loads torch

        run(job, self._control, self.tell)

    def tell(self, event: Event) -> None:
        """Take in an event of the run."""
        if self._broken is not None:
            raise self._broken
        self._log.event(event)
        if isinstance(event, Started):
            self._mailbox.write_process(Path(event.run), self._process)

    def _serve(self) -> None:
        listener = Listener(self._mailbox, self._control)
        looks = 0
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            try:
                listener.obey()
                looks += 1
                if looks % LOOKS_BETWEEN_WRITES == 0:
                    self._log.flush()
                    _shorten_output()
            except storage.StorageError as error:  # such as a full disk: the run ends at its next event
                self._broken = error


def _shorten_output() -> None:
    """Forget what was printed, if it is a great deal: code of the person's own may print at every step."""
    with contextlib.suppress(OSError):  # it is not a file
        if os.fstat(1).st_size > MOST_OUTPUT_BYTES:
            os.ftruncate(1, 0)
