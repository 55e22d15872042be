"""Turns the sounds of a folder into numbers, once: they are kept for the next one who wants the same.

Axis letters: M sounds, T samples of a wave, B mel bands, S frames.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from studio.data.audio_features import SoundRules
from studio.data.audio_files import Sounds, find_sounds
from studio.data.base import DataError, Samples

if TYPE_CHECKING:
    import numpy as np

MAX_BYTES = 2**32  # of the numbers of all sounds together
READERS = 4  # threads; reading waits for the disk, and the decoder lets others work

_one_at_a_time = threading.Lock()  # or two threads that want the same sounds would both read them

A = TypeVar("A")
B = TypeVar("B")


def load_sounds(root: Path, label_part: int, group_part: int, rules: SoundRules) -> Samples:
    """All sounds of a folder as numbers; silence for those that cannot be read, which `broken` names.

    Raises:
        MissingDataError, DataError: as `find_sounds`, and if there are too many for the memory.
    """
    found = find_sounds(root, label_part, group_part)
    with _one_at_a_time:
        values, broken = _values(found.files, stamp(found.files), rules)
    return _samples(found, values, broken)


def _samples(found: Sounds, values: np.ndarray, broken: tuple[tuple[int, str], ...]) -> Samples:
    import numpy as np

    numbers = {name: number for number, name in enumerate(found.names)}
    groups = None
    if found.groups:
        groups = np.unique(np.array(found.groups), return_inverse=True)[1].astype(np.int64)
    return Samples(
        (values,),
        np.array([numbers[label] for label in found.labels], np.int64),
        found.test_start,
        found.validation_start,
        found.names,
        groups=groups,
        broken=broken,
    )


@functools.lru_cache(maxsize=1)
def _values(
    files: tuple[Path, ...], stamp: object, rules: SoundRules
) -> tuple[np.ndarray, tuple[tuple[int, str], ...]]:
    """The numbers (M, *dims), and which files cannot be read, with the reason. The stamp tells of changed files."""
    import numpy as np

    shape = (len(files), *rules.dims)
    size = 4 * int(np.prod(shape, dtype=np.int64))
    if size > MAX_BYTES:
        raise DataError(
            f"{len(files):,} sounds of {rules.seconds:g} s make {size / 1e9:.1f} GB of numbers; up to "
            f"{MAX_BYTES / 1e9:.1f} GB are kept. Choose log-mel, fewer seconds or a lower rate."
        )
    values = np.zeros(shape, np.float32)
    broken: list[tuple[int, str]] = []
    for index, found in enumerate(in_threads(functools.partial(_read, rules), files)):
        if isinstance(found, str):
            broken.append((index, found))
        else:
            values[index] = found
    return values, tuple(broken)


def _read(rules: SoundRules, path: Path) -> np.ndarray | str:
    try:
        return rules.apply(path)
    except DataError as error:
        return str(error)


def in_threads(work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """What `work` makes of each, in order; several at a time."""
    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(work, items)


def stamp(files: Iterable[Path]) -> int:
    """What changes when a file is written anew; none is read."""
    known = []
    for path in files:
        try:
            found = os.stat(path)
            known.append((found.st_size, found.st_mtime_ns))
        except OSError:
            known.append((0, 0))
    return hash(tuple(known))
