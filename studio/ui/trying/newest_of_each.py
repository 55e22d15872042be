"""A thread that does several kinds of work, of each kind only the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable

from studio.ui.newest import politeness

Work = Callable[[], None]


class NewestOfEach(threading.Thread):
    """Waits for work and does it in the order in which its kinds were asked for.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._changed = threading.Condition()
        self._waiting: dict[str, Work] = {}
        self._stopped = False

    def ask(self, kind: str, work: Work) -> None:
        """Do this, in place of what waits of the same kind.

        Args:
            work: called in the thread; it must not raise.
        """
        with self._changed:
            self._waiting[kind] = work
            self._changed.notify()

    def drop(self, *kinds: str) -> None:
        """Forget what waits of some kinds."""
        with self._changed:
            for kind in kinds:
                self._waiting.pop(kind, None)

    def waits(self, *kinds: str) -> bool:
        """Whether something of these kinds waits, or all is to end."""
        with self._changed:
            return self._stopped or any(kind in self._waiting for kind in kinds)

    def close(self) -> None:
        """Do nothing more, and wait for the work under way."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Work until closed."""
        while (work := self._next()) is not None:
            with politeness:
                work()

    def _next(self) -> Work | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            if self._stopped:
                return None
            return self._waiting.pop(next(iter(self._waiting)))
