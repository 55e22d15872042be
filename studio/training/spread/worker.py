"""One of the processes that an agent starts on this machine: it leads, and talks through the mailbox, or follows."""

from __future__ import annotations

import faulthandler
import json
import os
import threading
import time
from pathlib import Path
from typing import NoReturn

from studio import trust
from studio.training.job import Job
from studio.training.places.mailbox import Mailbox
from studio.training.places.worker import Worker, leave
from studio.training.spread.agent import TRUSTED
from studio.training.spread.run import FINAL, enter, follow_shown, lead
from studio.training.spread.team import Team

SECONDS_BETWEEN_LOOKS = 0.5


def main(folder: Path) -> NoReturn:
    """Train or follow, and end the process."""
    faulthandler.enable()
    end_with_parent()
    mailbox = Mailbox(folder)
    mailbox.check()
    trust.take_over(json.loads(os.environ[TRUSTED]))
    job = mailbox.read_job()
    device, team = enter(job)
    if not team.leads:
        follow_shown(team, job.data_folder, device)
        leave()
    worker = _Leading(mailbox, team)
    worker.run()
    leave(1 if worker.has_failed else 0)


def end_with_parent() -> None:
    """End this process at once when the one is gone that started it: nobody would look after it."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=look, name="looks after the parent", daemon=True).start()


class _Leading(Worker):
    """The one that leads: it goes on with the log of the process whose place it takes."""

    def __init__(self, mailbox: Mailbox, team: Team) -> None:
        super().__init__(mailbox)
        self.has_failed = False  # with an error after which all begin again
        self._team = team
        self._process = os.getppid()
        self._log.go_on()

    def is_final(self, error: Exception) -> bool:
        """Whether to begin again would not help."""
        self.has_failed = not isinstance(error, FINAL)
        return not self.has_failed

    def train(self, job: Job) -> None:
        """Train, or go on."""
        lead(self._team, job, self._control, self.tell)
