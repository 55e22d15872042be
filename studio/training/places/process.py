"""Training in a process of its own, as it looks to whoever asks for it: the same as in a thread.

The process outlives the one who started it. Its mailbox tells where it is, so that another window can go on watching.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio import storage
from studio.locks import FileLock
from studio.runs import RunFolder, RunFolderError, fresh_path
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.event_json import event_from_json
from studio.training.events import Event, Finished
from studio.training.job import Job
from studio.training.places.control import DetachableControl, DetachedError
from studio.training.places.failures import failure_from_json
from studio.training.places.log import LogReader
from studio.training.places.mailbox import Mailbox, MailboxError
from studio.training.places.wishes import RESUME, Forwarder, send
from studio.training.spread.invitation import write_invitation
from studio.training.spread.launch import Launch

SECONDS_BETWEEN_LOOKS = 0.03
SECONDS_TO_END = 10.0  # after its last word, for the libraries to put themselves away
LAST_LINES = 30  # of what the process printed, kept when it broke off

# The same modules from the same places, and nothing from the folder that happens to be the current one.
_WORKER = (
    "import sys; sys.path[:] = {path!r}; from pathlib import Path; "
    "from studio.training.places.worker import main; main(Path(sys.argv[1]), sys.stdin.read())"
)

_AGENT = (
    "import sys, json; sys.path[:] = {path!r}; from pathlib import Path; "
    "from studio.training.spread.agent import main; from studio.training.spread.launch import Launch; "
    "main(Path(sys.argv[1]), sys.stdin.read(), Launch.from_json(json.loads(sys.argv[2])))"
)

OnEvent = Callable[[Event], None]
logger = logging.getLogger(__name__)
_left: list[subprocess.Popen[bytes]] = []  # processes that go on alone; forgetting one would warn that it still runs


def run(job: Job, control: Control, on_event: OnEvent, launch: Launch | None = None) -> Finished:
    """Train a project in a process of its own, or in several; see `runner.run`.

    Args:
        launch: the several; None for one.
        control: a DetachableControl may leave the run; it goes on.

    Raises:
        DetachedError: if the run was left.
        TrainingError: also if the process was ended from outside or crashed.
        Everything that `runner.run` raises, with the same messages.
    """
    if launch is not None and job.run_folder is None:  # all that begin again must know it
        job = replace(job, run_folder=fresh_path(job.project.title))
    if launch is not None and launch.hosts > 1:
        on_event(write_invitation(launch, job))
    mailbox = Mailbox.create(job)
    lock = _watch_lock(mailbox)
    process = _start(mailbox, lock, launch)
    watching = _Watch(mailbox, control, on_event, process)
    try:
        return watching.until_end()
    except DetachedError:
        _left.append(process)
        lock.release()
        raise
    except BaseException:
        if not watching.is_over:  # such as a second Ctrl+C
            process.kill()
        raise
    finally:
        if process not in _left:
            _wait_for_end(process)
            _put_away(mailbox, lock)


def watch(mailbox: Mailbox, control: Control, on_event: OnEvent) -> Finished:
    """Watch a run that goes on, or that ended unseen, from its beginning. One that is paused goes on.

    Raises:
        MailboxError: if somebody else watches it, or its folder is not to be trusted.
        What `run` raises.
    """
    mailbox.check()
    lock = _watch_lock(mailbox)
    watching = _Watch(mailbox, control, on_event)
    try:
        send(mailbox, RESUME)
        return watching.until_end()
    finally:
        if watching.is_over:
            mailbox.wait_for_end(SECONDS_TO_END)
            _put_away(mailbox, lock)
        lock.release()


def _watch_lock(mailbox: Mailbox) -> FileLock:
    lock = FileLock(mailbox.watched_file)
    if not lock.acquire():
        raise MailboxError("Another window or command watches this run already.")
    return lock


def _start(mailbox: Mailbox, lock: FileLock, launch: Launch | None) -> subprocess.Popen[bytes]:
    """Start the process. It belongs to no terminal, so that it outlives the one in which it was started."""
    try:
        return _spawn(mailbox, launch)
    except (OSError, storage.StorageError) as error:
        _put_away(mailbox, lock)
        reason = error.strerror if isinstance(error, OSError) else error
        raise TrainingError(
            f"No process could be started for the run: {reason}. Close other programs, or train in this one."
        ) from error


def _spawn(mailbox: Mailbox, launch: Launch | None) -> subprocess.Popen[bytes]:
    from studio.training.places.worker import greeting

    code, more = (_WORKER, []) if launch is None else (_AGENT, [json.dumps(launch.to_json())])
    command = [sys.executable, "-c", code.format(path=sys.path), str(mailbox.folder), *more]
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    with storage.open_log(mailbox.output_file) as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True, creationflags=flags
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:  # it ended at once; why is told by its end
        process.stdin.write(greeting().encode())
    return process


def _wait_for_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process that told its last word, or was killed, is gone. One that hangs is ended."""
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _put_away(mailbox: Mailbox, lock: FileLock) -> None:
    """Take the mailbox of a process away that is gone."""
    _mark_failed(mailbox)
    lock.release()  # first: Windows removes no file that is open
    mailbox.remove()


class _Watch:
    """Passes on what a run tells and what it is asked for, until it ends."""

    def __init__(
        self, mailbox: Mailbox, control: Control, on_event: OnEvent, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._mailbox = mailbox
        self._control = control
        self._on_event = on_event
        self._process = process
        self._log = LogReader(mailbox.folder)
        self._wishes = Forwarder(mailbox, control)
        self._finished: Finished | None = None
        self.is_over = False  # the process told its end, or is gone

    def until_end(self) -> Finished:
        while True:
            is_alive = self._is_alive()  # looked for first: then all that it ever told is there to be read
            for line in self._log.read():
                if self._take(line):
                    assert self._finished is not None
                    return self._finished
            if not is_alive:
                self.is_over = True
                raise self._death()
            self._wishes.forward()
            if isinstance(self._control, DetachableControl) and self._control.detached:
                raise DetachedError
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _is_alive(self) -> bool:
        return self._mailbox.is_alive if self._process is None else self._process.poll() is None

    def _take(self, line: dict[str, Any]) -> bool:
        """Pass a line of the log on; whether it was the last one. Raises what the run raised."""
        if "failure" in line:
            self.is_over = True
            raise failure_from_json(line["failure"])
        if "end" in line and self._finished is not None:
            self.is_over = True
            return True
        event = event_from_json(line.get("event"))
        if isinstance(event, Finished):
            self._finished = event
        self._on_event(event)
        return False

    def _death(self) -> TrainingError:
        """Why a process that told no end is gone, as far as that is known."""
        with contextlib.suppress(storage.StorageError):
            said = storage.read_appended(self._mailbox.output_file, 0, 2**24).decode("utf-8", "replace")
            if said.strip():
                logger.error(
                    "The process of the run said:\n%s",
                    "\n".join(line[:200] for line in said.splitlines()[-LAST_LINES:]),
                )
        code = None if self._process is None else self._process.returncode
        return TrainingError(f"{_cause(code)} {_what_is_kept(self._mailbox.run_path)}")


def _mark_failed(mailbox: Mailbox) -> None:
    """Say in the record of a run that it is not under way any more, if its process could not."""
    if mailbox.run_path is None:
        return
    folder = RunFolder(mailbox.run_path)
    record = folder.read_record()
    if record.get("status") == "running" and not folder.is_under_way:  # it may go on elsewhere by now
        with contextlib.suppress(storage.StorageError):  # it cannot be written; the message tells enough
            folder.write_record({**record, "status": "failed"})


def _cause(code: int | None) -> str:
    """In words, from the exit code of a process; None if it is not known."""
    if code is None:
        return "The process of the run ended without a word: it crashed, was killed, or the machine was switched off."
    name = _signal_name(code)
    if name == "SIGKILL":
        return (
            "The process of the run was killed (SIGKILL), most probably because memory ran short. Use a smaller batch "
            "or smaller layers."
        )
    if name in ("SIGTERM", "SIGINT", "SIGHUP"):
        return f"The process of the run was ended from outside ({name})."
    if name:
        return f"The process of the run crashed in native code ({name})."
    return f"The process of the run ended without a word (exit code {code})."


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:  # it ended by itself
        return ""


def _what_is_kept(run: Path | None) -> str:
    if run is None:
        return "Nothing was written yet."
    try:
        return f"The last checkpoint is kept: {RunFolder(run).checkpoint()}. The run can go on."
    except RunFolderError:
        return f"No checkpoint was written yet; the folder of the run is {run}."
