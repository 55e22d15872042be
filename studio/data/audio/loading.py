"""Turns the sounds of a folder into numbers, once: they are kept in the cache for the next one who wants the same.

Axis letters: M sounds, T samples of a wave, B mel bands, S frames.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from studio.data import cache
from studio.data.audio.features import SoundRules
from studio.data.audio.files import Sounds
from studio.data.base import DataError, Progress, Samples
from studio.data.images.store import stamp
from studio.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

MOST_IN_MEMORY = 2**30  # bytes, if the cache cannot be written
READERS = 4  # threads; reading waits for the disk, and the decoder lets others work
_REASONS = 100  # unreadable files whose reasons are kept

A = TypeVar("A")
B = TypeVar("B")


def load_sounds(
    found: Sounds, rules: SoundRules, *, leave_out: bool, grouped: bool, progress: Progress | None = None
) -> Samples:
    """All sounds of a folder as numbers.

    Args:
        leave_out: whether no split gets what cannot be read, which else is refused.
        grouped: whether to tell what belongs together.
        progress: told (sounds done, sounds in all); may raise to cancel.

    Raises:
        DataError: if a file cannot be read, or all of them together can be kept nowhere.
    """
    import numpy as np

    entry = _kept(found, rules, progress)
    broken = np.flatnonzero(entry.arrays["readable"] == 0)
    if len(broken) and not leave_out:
        raise DataError(_refusal(found, entry.about["reasons"], len(broken)))
    numbers = {name: number for number, name in enumerate(found.names)}
    targets = np.array([numbers[label] for label in found.labels], np.int64)
    return Samples(
        (entry.arrays["values"],), targets, found.test_start, found.validation_start, found.names,
        groups=groups_of(found) if grouped else None, digests=(entry.digests["values"],),
        left_out=tuple(broken.tolist()),
    )  # fmt: skip


def groups_of(found: Sounds) -> np.ndarray | None:
    """What belongs together, by its number (M,) int64; None if nothing is known."""
    import numpy as np

    return np.unique(np.array(found.groups), return_inverse=True)[1].astype(np.int64) if found.groups else None


def unreadable(found: Sounds, rules: SoundRules) -> tuple[int, ...]:
    """Numbers of the sounds that cannot be read, if all were read before; else none."""
    import numpy as np

    entry = cache.look_up(_key(found, rules))
    return () if entry is None else tuple(np.flatnonzero(entry.arrays["readable"] == 0).tolist())


def _refusal(found: Sounds, reasons: dict[str, str], count: int) -> str:
    more = f" {count - 1:,} more cannot be read, either." if count > 1 else ""
    return f"{next(iter(reasons.values()))}{more} Mend or remove them, or set “Unreadable” to “leave out”."


def _kept(found: Sounds, rules: SoundRules, progress: Progress | None) -> cache.Entry:
    """The numbers of all sounds, from the cache or read now. Raises DataError."""
    layout = {"values": ("<f4", (len(found.files), *rules.dims)), "readable": ("|u1", (len(found.files),))}
    make = partial(_make, found.files, rules, progress)
    try:
        return cache.keep(_key(found, rules), str(found.root), layout, make, progress)
    except StorageError as error:
        if 4 * math.prod(layout["values"][1]) > MOST_IN_MEMORY:
            raise DataError(f"The sounds cannot be kept as numbers. {error}") from error
        return cache.in_memory(layout, make)


def _key(found: Sounds, rules: SoundRules) -> str:
    """The name of what is kept of these sounds."""
    import soundfile

    decoder = f"{soundfile.__version__} {soundfile.__libsndfile_version__}"
    stamps = [stamp(found.root, found.title(number)) for number in range(len(found.files))]
    return cache.key_of([str(found.root), repr(rules), decoder, *stamps])


def _make(files: Sequence[Path], rules: SoundRules, progress: Progress | None, maker: cache.Maker) -> None:
    """Read all sounds; silence stands for what cannot be read."""
    import numpy as np

    reasons: dict[str, str] = {}
    for number, found in enumerate(in_threads(partial(_read, rules), files)):
        broken = isinstance(found, str)
        if broken and len(reasons) < _REASONS:
            reasons[str(number)] = str(found)[:500]
        maker.write("values", np.zeros(rules.dims, np.float32) if isinstance(found, str) else found)
        maker.write("readable", np.array([not broken], np.uint8))
        if progress is not None:
            progress(number + 1, len(files))
    maker.about["reasons"] = reasons


def _read(rules: SoundRules, path: Path) -> np.ndarray | str:
    try:
        return rules.apply(path)
    except DataError as error:
        return str(error)


def in_threads(work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """What `work` makes of each, in order; several at a time, and only a few ahead, so that the memory stays small."""
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="sounds")
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(readers.submit(work, item))
            if len(waiting) > 8 * READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        readers.shutdown(wait=True, cancel_futures=True)
