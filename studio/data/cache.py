"""What was decoded once and is kept: arrays in files that are mapped into memory, not read.

Each entry is one sealed file. Its name is a digest of what it was made from, so nothing in it ever grows old: other
files, or other settings, have another name. The least recently used entries go when there is too much.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import storage
from studio.data.base import Progress
from studio.data.locations import cache_folder
from studio.data.sealed import Seal, check_sealed, read_seal, sealing
from studio.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

MOST_BYTES = 20_000_000_000  # of all entries together
SHARE_OF_DISK = 0.5  # of what the entries and the free space are together, that the entries may take
SUFFIX = ".decoded"

# Name -> type and shape of each array of an entry.
Layout = Mapping[str, tuple[str, tuple[int, ...]]]


class CacheFullError(StorageError):
    """An entry is larger than all entries together may be."""


@dataclass(frozen=True, eq=False)
class Entry:
    """Arrays that are kept.

    Args:
        arrays: by their names; those of an entry on the disk are memory maps that must not be written to.
        digests: SHA-256 of the bytes of each, as hexadecimal digits.
        about: what the maker said of them, plain JSON values.
    """

    arrays: dict[str, np.ndarray]
    digests: dict[str, str]
    about: dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """An entry as a person sees it in a list."""

    path: Path
    title: str  # where the files are from which it was made
    size_bytes: int
    used: float  # when it was used last, in seconds since 1970


class Maker:
    """What `keep` gives to the one who makes an entry: writes rows, in order, and a few words about them."""

    def __init__(self, write: Callable[[str, memoryview], None], about: dict[str, Any]) -> None:
        self._write = write
        self.about = about

    def write(self, name: str, rows: np.ndarray) -> None:
        """Add the next rows (n, *dims) of an array, of its own type."""
        import numpy as np

        self._write(name, np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)


def folder() -> Path:
    """Where the entries are. It may not exist yet."""
    return cache_folder() / "decoded"


def key_of(parts: Iterator[str] | list[str]) -> str:
    """The name of an entry that is made from these texts, in order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()[:40]


def look_up(key: str) -> Entry | None:
    """An entry that is there and whole. A damaged one is removed, so that it is made again."""
    path = _path(key)
    try:
        seal = read_seal(path)
        _check_once(path, seal)
        arrays = {name: _mapped(path, seal, name, *layout) for name, layout in seal.about["layout"].items()}
    except storage.BadFileError:
        storage.remove(path)
        return None
    except (StorageError, OSError):
        return None
    storage.mark_used(path)
    _remember(path)
    return Entry(arrays, {name: part.sha256 for name, part in seal.parts.items()}, seal.about["more"])


def peek(key: str) -> dict[str, Any] | None:
    """What was said of an entry, if it is there; its arrays are not looked at."""
    try:
        more: dict[str, Any] = read_seal(_path(key)).about["more"]
    except StorageError:
        return None
    return more


def keep(
    key: str, title: str, layout: Layout, make: Callable[[Maker], None], progress: Progress | None = None
) -> Entry:
    """An entry, made now unless it is there. Of several threads that want the same one makes it and the others wait.

    Two processes that make the same at once both write the same bytes, and the last one's file stays.

    Args:
        key: of `key_of`.
        title: for people, such as the folder of the files.
        layout: type and shape of each array.
        make: writes all of them; called at most once. What it raises is raised.
        progress: called while another thread makes it; may raise to cancel.

    Raises:
        CacheFullError: if it is larger than the whole cache may be.
        StorageError: if it cannot be written.
    """
    with _alone(key, progress):
        entry = look_up(key)
        if entry is not None:
            return entry
        sizes = {name: _bytes(*of) for name, of in layout.items()}
        make_room(sum(sizes.values()))
        with sealing(_path(key), sizes) as file:
            file.about = {"title": title, "layout": {name: list(of) for name, of in layout.items()}, "more": {}}
            make(Maker(file.write, file.about["more"]))
        _remember(_path(key))
        entry = look_up(key)
    if entry is None:
        raise StorageError(f"{_path(key)} was written and is gone again: something else cleans this folder.")
    return entry


def in_memory(layout: Layout, make: Callable[[Maker], None]) -> Entry:
    """The same entry without a file, for where none can be written."""
    import numpy as np

    arrays = {name: np.empty(shape, dtype) for name, (dtype, shape) in layout.items()}
    digests = {name: hashlib.sha256() for name in layout}
    done, about = dict.fromkeys(layout, 0), dict[str, Any]()

    def write(name: str, piece: memoryview) -> None:
        flat = arrays[name].reshape(-1).view(np.uint8)
        flat[done[name] : done[name] + len(piece)] = piece
        digests[name].update(piece)
        done[name] += len(piece)

    make(Maker(write, about))
    return Entry(arrays, {name: digest.hexdigest() for name, digest in digests.items()}, about)


def entries() -> list[Kept]:
    """All entries, the most recently used first."""
    found = []
    for path in folder().glob(f"*{SUFFIX}"):
        try:
            known, about = path.stat(), read_seal(path).about
        except (StorageError, OSError):
            continue
        found.append(Kept(path, about["title"], known.st_size, known.st_mtime))
    return sorted(found, key=lambda kept: -kept.used)


def total_bytes() -> int:
    """What all entries take on the disk."""
    return sum(size for _, size, _ in _files())


def clear() -> int:
    """Remove all entries that nothing holds open; returns how many bytes are free again.

    On Linux and macOS an entry that a run uses is removed, too; the run goes on with it.
    """
    return sum(size for path, size, _ in _files() if storage.remove(path))


def limit_bytes() -> int:
    """What all entries together may take."""
    place = next(path for path in (folder(), *folder().parents) if path.exists())
    return min(MOST_BYTES, int(SHARE_OF_DISK * (shutil.disk_usage(place).free + total_bytes())))


def make_room(needed_bytes: int) -> None:
    """Remove entries, the least recently used first, until another one of this size may be added.

    Raises:
        CacheFullError: if it would be too large even alone; then nothing is removed.
    """
    storage.clean_leftovers(folder())
    limit = limit_bytes()
    if needed_bytes > limit:
        raise CacheFullError(
            f"What would be kept takes {needed_bytes / 1e9:.1f} GB, but the cache in {folder()} may have "
            f"{limit / 1e9:.1f} GB. Choose a smaller size, or free space on that disk."
        )
    files = sorted(_files(), key=lambda file: file[2])
    total = sum(size for _, size, _ in files)
    for path, size, _ in files:
        if total + needed_bytes <= limit:
            break
        total -= size if storage.remove(path) else 0


def _path(key: str) -> Path:
    return folder() / f"{key}{SUFFIX}"


def _files() -> list[tuple[Path, int, float]]:
    """Path, bytes and time of the last use of every entry, also of those that are damaged."""
    found = []
    for path in folder().glob(f"*{SUFFIX}"):
        try:
            known = path.stat()
        except OSError:  # another process removed it
            continue
        found.append((path, known.st_size, known.st_mtime))
    return found


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    import math

    import numpy as np

    return math.prod(shape) * np.dtype(dtype).itemsize


def _mapped(path: Path, seal: Seal, name: str, dtype: str, shape: list[int]) -> np.ndarray:
    import numpy as np

    if not _bytes(dtype, tuple(shape)):
        return np.empty(tuple(shape), dtype)
    # torch wants memory that may be written to, though nothing writes there. A private copy would do as well, but Linux
    # refuses one that is larger than the memory.
    return np.memmap(path, dtype, "r+", seal.parts[name].offset, tuple(shape))


_checked: dict[Path, tuple[int, int, int]] = {}  # entries that this process has read, and how they were then


def _identity(path: Path) -> tuple[int, int, int]:
    known = path.stat()
    return known.st_ino, known.st_size, known.st_mtime_ns


def _remember(path: Path) -> None:
    _checked[path] = _identity(path)


def _check_once(path: Path, seal: Seal) -> None:
    """Compare all bytes with their SHA-256, unless nothing touched the entry since then. Raises BadFileError."""
    if _checked.get(path) != _identity(path):
        check_sealed(path, seal)


_locks: dict[str, threading.Lock] = {}


@contextmanager
def _alone(key: str, progress: Progress | None) -> Iterator[None]:
    """Only one thread of this process makes an entry."""
    lock = _locks.setdefault(key, threading.Lock())
    while not lock.acquire(timeout=0.1):
        if progress is not None:
            progress(0, 0)
    try:
        yield
    finally:
        lock.release()


__all__ = [
    "CacheFullError", "Entry", "Kept", "Layout", "Maker", "clear", "entries", "folder", "in_memory",
    "keep", "key_of", "limit_bytes", "look_up", "make_room", "peek", "total_bytes",
]  # fmt: skip
