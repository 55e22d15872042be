"""Processes of their own, to make and to try exported files in: watched, limited in time, and easy to give up.

A file that is written is tried where nothing of the studio is loaded. What makes it may change settings of all of
torch, which a run in another thread would feel, and cannot be stopped half-way: so it has a process, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from studio import storage
from studio.export.formats import ExportError
from studio.trust import trusted_for_now

Tick = Callable[[str], None]  # called often with what is being done; may raise to give up

SECONDS_BETWEEN_LOOKS = 0.05
SAYS = "studio-says: "  # begins a line by which a process tells what it does
LONGEST_REASON = 500  # characters

# The same modules from the same places, and nothing from the folder that happens to be the current one.
_WITH_STUDIO = "import sys; sys.path[:] = {path!r}; from {module} import main; main(sys.argv[1:], sys.stdin.read())"


class ProcessError(ExportError):
    """A process failed; the message is its last line."""


class LateError(ProcessError):
    """A process took longer than it may."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Args:
        code: 0 if all is well.
        complaints: what it wrote as errors.
    """

    code: int
    complaints: str

    @property
    def last_words(self) -> str:
        """The last line of its complaints, or what is known without any."""
        if self.code < 0:
            return f"it was ended by signal {-self.code}; the memory may not have been enough."
        lines = self.complaints.strip().splitlines() or ["it ended without a message"]
        return lines[-1].strip()[:LONGEST_REASON].rstrip(".") + "."


def run_alone(code: str, arguments: Sequence[str], seconds: float, tick: Tick | None = None) -> None:
    """Run code in a clean process: without the studio, whatever the environment says.

    Raises:
        ProcessError: if it fails, with its last line, or takes too long.
        What `tick` raises; the process is ended then.
    """
    _check(run([sys.executable, "-I", "-c", code, *arguments], seconds, tick))


def run_studio(module: str, arguments: Sequence[str], seconds: float, tick: Tick | None = None) -> None:
    """Run `main(arguments, given)` of a module of the studio in a process that trusts the same code as this one.

    Args:
        module: its `main` also gets what stands on standard input, for `trusted_in`.
    """
    code = _WITH_STUDIO.format(path=sys.path, module=module)
    # Which code may run goes over standard input: never in a file that somebody else could write.
    _check(run([sys.executable, "-c", code, *arguments], seconds, tick, json.dumps({"trusted": trusted_for_now()})))


def _check(ended: Ended) -> None:
    if ended.code:
        raise ProcessError(ended.last_words)


def trusted_in(given: str) -> list[str]:
    """Digests of the code that a process may run, from its standard input."""
    digests: list[str] = json.loads(given)["trusted"]
    return digests


def say(words: str) -> None:
    """In such a process: tell what it does now."""
    print(f"{SAYS}{words}", flush=True)


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder for what is being made, which nobody else may look into; it goes with all that is in it.

    Raises:
        ExportError: if there is no room for it.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="studio-export-")
    except OSError as error:
        raise ExportError(f"There is no place to work in: {error.strerror or error}. Nothing was written.") from error
    with folder as name:
        yield Path(name)


def run(command: Sequence[str], seconds: float, tick: Tick | None = None, given: str = "") -> Ended:
    """Run a program to its end.

    Args:
        given: for its standard input.

    Raises:
        LateError: if it takes longer.
        What `tick` raises; the process is ended then.
    """
    with working_folder() as folder:
        said, complaints = folder / "said", folder / "complaints"
        with storage.open_log(said) as out, storage.open_log(complaints) as errors:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=errors)
        try:
            assert process.stdin is not None
            with suppress(OSError), process.stdin as pipe:  # it may have ended already; then that is told
                pipe.write(given.encode())
            _watch(process, said, seconds, tick)
        finally:
            process.kill()  # also when the person gave up
            process.wait()
        return Ended(process.returncode, complaints.read_text(encoding="utf-8", errors="replace"))


def _watch(process: subprocess.Popen[bytes], said: Path, seconds: float, tick: Tick | None) -> None:
    """Wait for the end; tell what the process says meanwhile."""
    end = time.monotonic() + seconds
    words = ""
    with open(said, encoding="utf-8", errors="replace") as listening:
        while True:
            for line in listening:
                words = line[len(SAYS) :].strip() if line.startswith(SAYS) else words
            if tick is not None:
                tick(words)
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_BETWEEN_LOOKS)
                return
            if time.monotonic() > end:
                raise LateError(f"it took longer than {seconds / 60:g} minutes.")
