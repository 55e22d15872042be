"""What each process of a team shows of itself while it trains, so that a person sees which one is slow, or lost.

Every process posts a few figures each second, in a thread of its own and beside the gradients: a process that hangs in
an exchange with the others is seen all the same. The one that leads reads what all posted, and tells it as an event.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from studio import storage
from studio.training.events import Event, Ranks, RankState

SECONDS_BETWEEN_POSTS = 1.0
WAITING_AFTER = 1.5  # seconds without a word of the leader
LOST_AFTER = 6.0  # seconds without a post
STARTING, TRAINING, WAITING, LOST, AGAIN, ENDED = "starting", "training", "waiting", "lost", "starting again", "ended"
_LONGEST_HOST = 80

logger = logging.getLogger(__name__)


class Board(Protocol):
    """Where posts hang."""

    def post(self, rank: int, text: str) -> None:
        """Put up what a process shows, in place of what it showed. Raises OSError, StorageError, RuntimeError."""

    def read(self, rank: int) -> str:
        """What a process showed last; empty if there is nothing. Raises the same."""


@dataclass
class FileBoard:
    """In files of a folder, for processes of one machine."""

    folder: Path

    def post(self, rank: int, text: str) -> None:
        """See Board."""
        storage.write_text(self._path(rank), text)

    def read(self, rank: int) -> str:
        """See Board."""
        path = self._path(rank)
        return storage.read_bytes(path, 10_000).decode() if path.exists() else ""

    def _path(self, rank: int) -> Path:
        return self.folder / f".shown-{rank}.json"


@dataclass
class StoreBoard:
    """In the store through which processes of several machines found each other."""

    store: Any

    def post(self, rank: int, text: str) -> None:
        """See Board."""
        self.store.set(f"shown-{rank}", text)

    def read(self, rank: int) -> str:
        """See Board."""
        key = f"shown-{rank}"
        return bytes(self.store.get(key)).decode() if self.store.check([key]) else ""


@dataclass
class Pulse:
    """What a process counts while it works. Counting costs less than a microsecond."""

    step: int = 0
    samples: int = 0  # its own, since it began
    listening_since: float | None = None  # on the clock of time.monotonic; None while it works
    is_paused: Callable[[], bool] = field(default=lambda: False)

    def note(self, step: int, samples: int) -> None:
        """A step begins."""
        self.step = step
        self.samples += samples

    @property
    def state(self) -> str:
        """STARTING, TRAINING or WAITING."""
        if not self.samples:
            return STARTING
        since = self.listening_since
        is_waiting = self.is_paused() or (since is not None and time.monotonic() - since > WAITING_AFTER)
        return WAITING if is_waiting else TRAINING


@contextlib.contextmanager
def showing(
    board: Board | None, pulse: Pulse, rank: int, size: int, tell: Callable[[Event], None] | None = None
) -> Iterator[None]:
    """Show what a process does as long as it does it.

    Args:
        rank, size: number of this process, and how many there are.
        tell: takes what all show, if this is the one that leads; called in a thread of its own.
    """
    if board is None:
        yield
        return
    restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    poster = _Poster(board, pulse, rank, restarts)
    reader = _Reader(board, size, restarts, tell) if tell is not None else None
    over = threading.Event()

    def work() -> None:
        with contextlib.suppress(OSError, RuntimeError, storage.StorageError):  # the others are gone, or the disk full
            while True:
                poster.post()
                if reader is not None:
                    reader.look()
                if over.wait(SECONDS_BETWEEN_POSTS):
                    return

    thread = threading.Thread(target=work, name="shows what it does", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SECONDS_BETWEEN_POSTS)  # a store whose machine is gone may not answer
    if not thread.is_alive():
        with contextlib.suppress(OSError, RuntimeError, storage.StorageError):
            poster.post(ENDED)
            if reader is not None:
                reader.end()


class _Poster:
    """Puts up what one process does."""

    def __init__(self, board: Board, pulse: Pulse, rank: int, restarts: int) -> None:
        self._board, self._pulse, self._rank, self._restarts = board, pulse, rank, restarts
        self._before = (time.monotonic(), 0)
        self._count = 0

    def post(self, state: str = "") -> None:
        """Put it up."""
        now, samples = time.monotonic(), self._pulse.samples
        then, counted = self._before
        self._before = now, samples
        self._count += 1
        shown = state or self._pulse.state
        self._board.post(
            self._rank,
            json.dumps({
                "host": socket.gethostname()[:_LONGEST_HOST], "pid": os.getpid(), "count": self._count,
                "state": AGAIN if shown == STARTING and self._restarts else shown, "step": self._pulse.step,
                "rate": (samples - counted) / max(now - then, 1e-3), "start": self._restarts,
            }),
        )  # fmt: skip


class _Reader:
    """Reads what all put up, and tells it if it is news."""

    def __init__(self, board: Board, size: int, restarts: int, tell: Callable[[Event], None]) -> None:
        self._board, self._restarts, self._tell = board, restarts, tell
        self._known: list[tuple[tuple[int, int], float]] = [((-1, -1), time.monotonic())] * size
        self._told: Ranks | None = None

    def look(self) -> None:
        """Read it all."""
        ranks = Ranks(tuple(self._read(rank) for rank in range(len(self._known))), self._restarts)
        if ranks != self._told:
            self._told = ranks
            self._tell(ranks)

    def end(self) -> None:
        """The run is over, and all go home."""
        if self._told is not None:
            gone = tuple(replace(rank, state=ENDED, samples_per_second=0.0, silent=0.0) for rank in self._told.ranks)
            self._tell(replace(self._told, ranks=gone))

    def _read(self, rank: int) -> RankState:
        now = time.monotonic()
        posted = _parsed(self._board.read(rank))
        if posted["start"] != self._restarts:  # of the process whose place it takes
            posted = {**posted, "state": AGAIN if self._restarts else STARTING, "step": 0, "rate": 0.0, "count": -1}
        sign, seen = self._known[rank]
        if (posted["pid"], posted["count"]) != sign:  # not its clock, which may be another one than ours
            self._known[rank] = (posted["pid"], posted["count"]), now
            seen = now
        state = posted["state"]
        if now - seen > LOST_AFTER and state != ENDED:
            return RankState(rank, posted["host"], posted["pid"], LOST, posted["step"], 0.0, float(int(now - seen)))
        return RankState(rank, posted["host"], posted["pid"], state, posted["step"], posted["rate"], 0.0)


def _parsed(text: str) -> dict[str, Any]:
    """A post; that of nobody if there is none yet, or it makes no sense."""
    try:
        data = json.loads(text)
        return {
            "host": str(data["host"])[:_LONGEST_HOST], "pid": int(data["pid"]), "count": int(data["count"]),
            "state": str(data["state"])[:20], "step": int(data["step"]), "rate": float(data["rate"]),
            "start": int(data["start"]),
        }  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return {"host": "", "pid": 0, "count": -1, "state": STARTING, "step": 0, "rate": 0.0, "start": -1}
