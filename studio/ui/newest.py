"""Threads that always work on the newest of what they were asked for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_SWITCH_SECONDS = 0.0005

T = TypeVar("T")


class NewestOnly(threading.Thread, Generic[T]):
    """Waits for requests and works on the newest; what came in between is skipped.

    Args:
        name: of the thread.
        work: called in the thread with a request; it must not raise.
    """

    def __init__(self, name: str, work: Callable[[T], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._changed = threading.Condition()
        self._waiting: list[T] = []  # at most one
        self._stopped = False
        self._busy = False

    def ask(self, request: T) -> None:
        """Work on this next, in place of what is waiting."""
        with self._changed:
            self._waiting = [request]
            self._changed.notify()

    @property
    def has_newer(self) -> bool:
        """Whether what is being worked on is out of date."""
        with self._changed:
            return self._stopped or bool(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether something is being worked on, or waits."""
        with self._changed:
            return self._busy or bool(self._waiting)

    def rest(self, seconds: float) -> bool:
        """Let the window work for a moment; False if what is being worked on is out of date by then, or earlier."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._stopped or self._waiting, seconds)

    def retire(self) -> None:
        """Do nothing more after the work under way."""
        with self._changed:
            self._stopped = True
            self._waiting = []
            self._changed.notify()

    def close(self) -> None:
        """Do nothing more, and wait for the work under way."""
        self.retire()
        self.join()

    def run(self) -> None:
        """Work until closed."""
        while asked := self._next():
            with politeness:
                self._work(asked[0])

    def _next(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            asked, self._waiting = self._waiting, []
            self._busy = bool(asked) and not self._stopped
            return [] if self._stopped else asked


class Overtaking(Generic[T]):
    """Begins with the newest request at once, while one that cannot be broken off still reads to its end.

    Args:
        name: of the threads.
        work: called in a thread with a request; it must not raise. What an overtaken request gave is to be dropped.
    """

    MOST = 4  # threads at a time; a further request waits for the newest of them

    def __init__(self, name: str, work: Callable[[T], None]) -> None:
        self._name = name
        self._work = work
        self._worker: NewestOnly[T] | None = None
        self._overtaken: list[NewestOnly[T]] = []

    def ask(self, request: T) -> None:
        """Work on this now. Called in one thread only."""
        self._overtaken = [worker for worker in self._overtaken if worker.is_alive()]
        if self._worker is not None and self._worker.busy and len(self._overtaken) < self.MOST - 1:
            self._worker.retire()
            self._overtaken.append(self._worker)
            self._worker = None
        if self._worker is None:
            self._worker = NewestOnly(self._name, self._work)
            self._worker.start()
        self._worker.ask(request)

    def close(self) -> None:
        """Do nothing more, and wait for what is under way."""
        workers = [*self._overtaken, *([self._worker] if self._worker is not None else [])]
        for worker in workers:
            worker.retire()
        for worker in workers:
            worker.join()
        self._worker, self._overtaken = None, []


class _Politeness:
    """Hands the interpreter over ten times as often as usual, so that the window hardly waits for such threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._polite = 0  # threads at work
        self._usual = sys.getswitchinterval()

    def __enter__(self) -> None:
        with self._lock:
            if self._polite == 0:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(self._usual, _SWITCH_SECONDS))
            self._polite += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._polite -= 1
            if self._polite == 0:
                sys.setswitchinterval(self._usual)


politeness = _Politeness()
