"""Decodes many pictures once, in threads, and keeps them in the cache.

An entry of the cache is named by the paths, sizes and times of the files and by what the pictures are made to. Reading
all files for a digest of their contents would take as long as decoding small ones, each time the data is opened. A
file that is written anew has another time even if its size stays: that of its last change of any kind is among them,
which no program can set.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data import cache
from studio.data.base import DataError, Progress
from studio.data.images.decode import Form, Header, PictureError, decode, decoder_name, read_file
from studio.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

MOST_THREADS = 8
MOST_IN_MEMORY = 2**30  # bytes, if the cache cannot be written
_PER_TASK = 16  # pictures that a thread decodes before it tells
_REASONS = 1_000  # unreadable files whose reasons are kept
_BLANK = Header("", "", 0, 0)


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pictures in memory or in a memory map.

    Args:
        arrays: "images" (M, C, H, W) uint8, zeros where a file cannot be read; "contents" (M, 16) uint8, a digest of
            each file; "sizes" (M, 2) int32, height and width in the file, 0 where it cannot be read; and what else the
            maker adds.
        digests: SHA-256 of the bytes of each.
        about: "reasons" by number of the unreadable files, the first of them; "kinds", formats and modes with counts.
    """

    arrays: dict[str, np.ndarray]
    digests: dict[str, str]
    about: dict[str, Any]

    @property
    def unreadable(self) -> list[int]:
        """Numbers of the files that cannot be read."""
        import numpy as np

        return np.flatnonzero(self.arrays["sizes"][:, 0] == 0).tolist()


@dataclass(frozen=True)
class Job:
    """Pictures to decode.

    Args:
        root: the folder in which they are.
        names: M paths below it.
        form: what they are made to.
        more: type and shape of what else is kept of each, by name, without the first axis.
        settings: what else decides the result, as text.
    """

    root: Path
    names: Sequence[str]
    form: Form
    more: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    settings: str = ""

    @property
    def layout(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The arrays of the entry."""
        count, form = len(self.names), self.form
        return {
            "images": ("|u1", (count, form.channels, form.height, form.width)),
            "contents": ("|u1", (count, 16)),
            "sizes": ("<i4", (count, 2)),
            **{name: (dtype, (count, *dims)) for name, dtype, dims in self.more},
        }

    def key(self, extra: Sequence[str] = ()) -> str:
        """The name of the entry.

        Args:
            extra: further files below the folder that decide the result.
        """
        stamps = (stamp(self.root, name) for name in itertools.chain(self.names, extra))
        form = self.form
        settings = f"{form.height}x{form.width} {form.colour} {form.fit} {self.settings}"
        return cache.key_of(itertools.chain([str(self.root), settings, decoder_name()], stamps))


# What one picture gives: its rows of all arrays, by name, its header, and why it cannot be read, or "".
Row = tuple[dict[str, "np.ndarray"], Header, str]


def stamp(root: Path, name: str) -> str:
    """What changes when a file does; its content is not read."""
    try:
        known = os.stat(os.path.join(root, name))
    except (OSError, ValueError):
        return f"{name}|gone"
    return f"{name}|{known.st_size}|{known.st_mtime_ns}|{known.st_ctime_ns}"


def decoded(
    job: Job, row: Callable[[int], Row] | None = None, progress: Progress | None = None, extra: Sequence[str] = ()
) -> Decoded:
    """All pictures of a job, from the cache or decoded now.

    Args:
        row: reads one picture and what belongs to it; None for the picture alone.
        progress: told (pictures done, pictures in all); may raise to cancel.
        extra: as in `Job.key`.

    Raises:
        DataError: if they can be kept neither on the disk nor in memory.
    """
    key = job.key(extra)
    make = partial(_make, job, row or partial(read_row, job), progress)
    try:
        entry = cache.keep(key, str(job.root), job.layout, make, progress)
    except StorageError as error:
        entry = _without_file(job, make, error)
    return Decoded(entry.arrays, entry.digests, entry.about)


def peeked(job: Job, extra: Sequence[str] = ()) -> Decoded | None:
    """The pictures of a job if they were decoded before."""
    entry = cache.look_up(job.key(extra))
    return None if entry is None else Decoded(entry.arrays, entry.digests, entry.about)


def _without_file(job: Job, make: Callable[[cache.Maker], None], error: StorageError) -> cache.Entry:
    import math

    if math.prod(job.layout["images"][1]) > MOST_IN_MEMORY:
        raise DataError(f"The decoded pictures cannot be kept. {error}") from error
    return cache.in_memory(job.layout, make)


def read_row(job: Job, index: int) -> Row:
    """A picture alone; black, with the reason, if it cannot be read."""
    import numpy as np

    content = b""
    try:
        content = read_file(os.path.join(job.root, job.names[index]))
        image, header = decode(content, job.form)
        reason = ""
    except PictureError as error:
        image, header, reason = np.zeros(job.layout["images"][1][1:], np.uint8), _BLANK, str(error)
    digest = np.frombuffer(hashlib.blake2b(content, digest_size=16).digest(), np.uint8)
    return {"images": image, "contents": digest, "sizes": np.array([header.height, header.width])}, header, reason


def _make(job: Job, row: Callable[[int], Row], progress: Progress | None, maker: cache.Maker) -> None:
    """Decode all pictures in threads, and write them in order."""
    import numpy as np

    count, done = len(job.names), 0
    kinds, reasons = Counter[str](), dict[str, str]()

    def read(some: range) -> list[Row]:
        return [row(index) for index in some]

    tasks = [range(start, min(start + _PER_TASK, count)) for start in range(0, count, _PER_TASK)]
    with _in_order(read, tasks) as results:
        for some, rows in zip(tasks, results, strict=True):
            for index, (_, header, reason) in zip(some, rows, strict=True):
                kinds[f"{header.format} {header.mode}".strip()] += 1
                if reason and len(reasons) < _REASONS:
                    reasons[str(index)] = reason[:200]
            for name, (dtype, _) in job.layout.items():
                maker.write(name, np.stack([arrays[name] for arrays, _, _ in rows]).astype(dtype, copy=False))
            done += len(some)
            if progress is not None:
                progress(done, count)
    maker.about |= {"reasons": reasons, "kinds": dict(kinds.most_common(20))}


@contextmanager
def _in_order(read: Callable[[range], list[Row]], tasks: Sequence[range]) -> Iterator[Iterator[list[Row]]]:
    """What threads make of tasks, in order; only a few tasks ahead, so that the memory stays small."""
    threads = min(MOST_THREADS, max(1, os.cpu_count() or 1))
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pictures")

    def results() -> Iterator[list[Row]]:
        waiting: deque[Future[list[Row]]] = deque()
        for task in tasks:
            waiting.append(pool.submit(read, task))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    try:
        yield results()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
