"""The folder through which a run in a process of its own and whoever watches it talk to each other.

job.json         what is trained; written before the process starts
process.json     number and start of the process, and the folder of the run once there is one
events-N.jsonl   what the run tells, see `places.log`
wishes.jsonl     what it is asked for, see `places.wishes`
output.txt       what it prints, as a crash in native code does
alive.lock       held by the process as long as it lives
watched.lock     held by the one who watches it

Only its owner may look into it. It stands among the program's own files, not in the run's folder, which is made only
when the run can begin; so all runs that go on are found in one place.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import stat
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from studio import storage
from studio.locks import is_locked
from studio.places import data_folder
from studio.project import ProjectFileError, project_from_json, project_to_json
from studio.training.errors import TrainingError
from studio.training.job import Job

SECONDS_TO_START = 30.0  # from the making of the folder until the process must hold its lock
_NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_[0-9a-f]{16}")
_FILES = re.compile(r"(job|process)\.json|(events-\d{1,9}|wishes)\.jsonl|output\.txt|(alive|watched)\.lock|\..*")


class MailboxError(TrainingError):
    """A folder is not one through which a run of this person talks."""


def mailboxes_folder() -> Path:
    """Where the runs in processes of their own are found."""
    return data_folder() / "processes"


class Mailbox:
    """The files in such a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job_file = folder / "job.json"
        self.process_file = folder / "process.json"
        self.wishes_file = folder / "wishes.jsonl"
        self.output_file = folder / "output.txt"
        self.alive_file = folder / "alive.lock"
        self.watched_file = folder / "watched.lock"

    @classmethod
    def create(cls, job: Job) -> Mailbox:
        """A new one with a job in it. Raises StorageError."""
        name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{secrets.token_hex(8)}"
        mailbox = cls(mailboxes_folder() / name)
        storage.make_private_folder(mailbox.folder)
        storage.write_json(mailbox.job_file, _job_to_json(job))
        return mailbox

    def check(self) -> None:
        """Refuse a folder that somebody else may have made or put something into.

        Raises:
            MailboxError: if it is not this person's alone, or holds anything but the plain files that belong in it.
        """
        try:
            _refuse_foreign(self.folder, stat.S_ISDIR)
            if os.name == "posix" and self.folder.stat().st_mode & 0o077:
                raise MailboxError(f"{self.folder} is open to other people on this machine, so it is not used.")
            for path in self.folder.iterdir():
                if not _FILES.fullmatch(path.name):
                    raise MailboxError(f"{path} does not belong into the folder of a run, so that is not used.")
                _refuse_foreign(path, stat.S_ISREG)
        except OSError as error:
            raise MailboxError(f"{self.folder} cannot be read: {error.strerror or error}.") from error

    @property
    def started(self) -> datetime:
        """When it was made, by its name."""
        try:
            return datetime.strptime(self.folder.name.rpartition("_")[0], "%Y-%m-%d_%H-%M-%S")
        except ValueError:
            return datetime.fromtimestamp(0)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, or has just been started."""
        if self.alive_file.exists():
            return is_locked(self.alive_file)
        return (datetime.now() - self.started).total_seconds() < SECONDS_TO_START

    @property
    def is_watched(self) -> bool:
        """Whether a window or a command watches it."""
        return is_locked(self.watched_file)

    @property
    def title(self) -> str:
        """What the project is called; empty if that cannot be read."""
        try:
            data = storage.read_json(self.job_file)
        except storage.StorageError:
            return ""
        match data:
            case {"project": {"title": str() as title}}:
                return title
        return ""

    def read_job(self) -> Job:
        """What is trained. Raises MailboxError, ProjectFileError, StorageError."""
        return _job_from_json(storage.read_json(self.job_file), str(self.job_file))

    def write_process(self, run: Path | None = None, pid: int | None = None) -> None:
        """Tell who works here, and for which run's folder. Raises StorageError.

        Args:
            pid: number of the process that holds the lock; None for this one.
        """
        pid = pid or os.getpid()
        about = {"pid": pid, "start": _start_of(pid), "run": str(run) if run else None}
        storage.write_json(self.process_file, about)

    @property
    def run_path(self) -> Path | None:
        """The folder of the run; None as long as there is none."""
        run = self._process().get("run")
        return Path(run) if isinstance(run, str) else None

    def kill(self) -> bool:
        """End the process at once; false if it does not run, or cannot be told from another one.

        The lock tells that it lives, and only the one who holds it wrote its number; where the system tells when a
        process started, that must be the same, too. So a number that was given to another process is never used.
        """
        self.check()
        about = self._process()
        pid, start = about.get("pid"), about.get("start")
        if not self.is_alive or type(pid) is not int or pid <= 1 or _start_of(pid) != start:
            return False
        try:
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        except OSError:  # it has just ended
            return False
        return True

    def wait_for_end(self, seconds: float) -> bool:
        """Wait until the process has ended; false if it still runs after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def remove(self) -> None:
        """Take it away, once the run is over and somebody knows how it ended."""
        storage.remove_folder(self.folder)

    def _process(self) -> dict[str, Any]:
        try:
            about = storage.read_json(self.process_file)
        except storage.StorageError:
            return {}
        return about if isinstance(about, dict) else {}


def mailboxes() -> list[Mailbox]:
    """Those of all runs that go on or ended unseen, the oldest first; what does not belong there is left out."""
    try:
        names = sorted(path.name for path in mailboxes_folder().iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return []
    found = []
    for name in names:
        mailbox = Mailbox(mailboxes_folder() / name)
        try:
            mailbox.check()
        except MailboxError:
            continue
        found.append(mailbox)
    return found


def find_mailbox(run: Path | None) -> Mailbox:
    """The one of a run.

    Args:
        run: the folder of the run; None for the only one that there is.

    Raises:
        MailboxError: if there is no such run, or it is not clear which one is meant.
    """
    found = mailboxes()
    if run is not None:
        wanted = run.absolute()
        found = [mailbox for mailbox in found if mailbox.run_path == wanted]
    if len(found) == 1:
        return found[0]
    if run is not None:
        raise MailboxError(f"No run with the folder {run} goes on in a process of its own.")
    if not found:
        raise MailboxError("No run goes on in a process of its own.")
    names = "\n".join(f"- {mailbox.run_path or mailbox.folder}" for mailbox in found)
    raise MailboxError(f"Several runs go on. Say which one:\n{names}")


def _refuse_foreign(path: Path, is_right: Callable[[int], bool]) -> None:
    about = path.lstat()
    if not is_right(about.st_mode) or (os.name == "posix" and about.st_uid != os.getuid()):
        raise MailboxError(f"{path} is a link, a pipe or somebody else’s, so it is not used.")


def _start_of(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; None where the system does not tell (only Linux does)."""
    try:
        text = storage.read_bytes(Path(f"/proc/{pid}/stat"), 10_000)
    except storage.StorageError:
        return None
    return int(text.rpartition(b")")[2].split()[19])


def _job_to_json(job: Job) -> dict[str, Any]:
    """A job as plain JSON values, with whole paths: who watches it later may stand in another folder."""
    return {
        "project": project_to_json(job.project),
        "run_folder": str(job.run_folder.absolute()) if job.run_folder else None,
        "data_folder": str(job.data_folder.absolute()) if job.data_folder else None,
        "surfaces": job.surfaces,
        "resume": job.resume,
        "anyway": job.anyway,
    }


def _job_from_json(data: object, where: str) -> Job:
    match data:
        case {
            "project": project,
            "run_folder": str() | None as run_folder,
            "data_folder": str() | None as data_folder,
            "surfaces": bool() as surfaces,
            "resume": bool() as resume,
            "anyway": bool() as anyway,
        }:
            run, files = _path(run_folder), _path(data_folder)
            return Job(project_from_json(project, where), run, files, surfaces, resume, anyway)
    raise ProjectFileError(f"{where} is not a job of the studio.")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
