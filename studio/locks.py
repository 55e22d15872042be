"""Locks on files that the system itself takes off when a process ends, however it ends.

So a lock tells for sure whether a process still runs: unlike its number, it is never given to another one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from studio.storage import StorageError

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """A lock that at most one process holds at a time, and within a process one object."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; false if somebody else holds it.

        Raises:
            StorageError: if the file cannot be made, or is no plain file.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise StorageError(f"Could not lock {self._path}: {error.strerror or error}.") from error
        if _is_taken_by(descriptor):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on a file; false if there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        return not _is_taken_by(descriptor)
    finally:
        os.close(descriptor)


def _is_taken_by(descriptor: int) -> bool:
    try:
        _take(descriptor)
    except OSError:
        return False
    return True
