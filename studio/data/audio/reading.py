"""Reads sounds: any rate, any number of channels, as much of them as is wanted and never more.

Axis letters: T samples of a wave, C channels.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.own_files import printable

if TYPE_CHECKING:
    import numpy as np

SLOWEST, FASTEST = 1_000, 768_000  # samples in a second that a file may say
_BLOCK = 2**20  # numbers that are read at once; a header may claim any length
_EDGE_SECONDS = 0.05  # read beyond the end, for the resampler’s filter
_FINEST = 2_000  # steps of a ratio of rates: what is finer than that nobody hears


@dataclass(frozen=True)
class SoundInfo:
    """What the header of a file says: samples in a second, channels, samples of each channel."""

    rate: int
    channels: int
    length: int

    @property
    def seconds(self) -> float:
        """How long it is said to be."""
        return self.length / self.rate


def read_info(path: Path, content: bytes | None = None) -> SoundInfo:
    """What the header says; nothing else is read. Raises DataError.

    Args:
        path: of the file.
        content: the file's, where it is in another file; `path` then only names it. So in the functions below.
    """
    with _opened(path, content) as file:
        return _info(file, path)


def read_channels(path: Path, seconds: float, content: bytes | None = None) -> tuple[np.ndarray, SoundInfo]:
    """The beginning of a sound as it is in its file.

    Args:
        seconds: how much of it at most.

    Returns:
        (C, T) float32, and what the header says.

    Raises:
        DataError: if it cannot be read, has no sound or numbers that are none.
    """
    import numpy as np

    with _opened(path, content) as file:
        info = _info(file, path)
        blocks = list(_blocks(file, path, round(seconds * info.rate)))
        if not blocks:
            raise DataError(f"{_shown(path)} has no sound in it.")
        return np.ascontiguousarray(np.concatenate(blocks).T), info


def read_wave(path: Path, rate: int, length: int, content: bytes | None = None) -> np.ndarray:
    """The beginning of a sound in one channel, the mean of all, at another rate; silence fills what is too short.

    Args:
        rate: samples in a second that are wanted.
        length: T, how many of them.

    Returns:
        (T,) float32.

    Raises:
        DataError: as `read_channels`.
    """
    import numpy as np

    with _opened(path, content) as file:
        info = _info(file, path)
        wanted = round((length / rate + (_EDGE_SECONDS if info.rate != rate else 0.0)) * info.rate)
        blocks = [block.mean(axis=1) for block in _blocks(file, path, max(wanted, 1))]
    if not blocks:
        raise DataError(f"{_shown(path)} has no sound in it.")
    wave = resample(np.concatenate(blocks), info.rate, rate)[:length]
    return np.pad(wave, (0, length - len(wave)))


def resample(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """A wave (T,) at another rate, without the pitches that do not fit in there: a polyphase filter."""
    import numpy as np

    if rate == wanted:
        return wave
    from fractions import Fraction

    from scipy.signal import resample_poly

    ratio = Fraction(wanted, rate).limit_denominator(_FINEST)
    return np.asarray(resample_poly(wave, ratio.numerator, ratio.denominator), dtype=np.float32)


@contextlib.contextmanager
def _opened(path: Path, content: bytes | None) -> Iterator[Any]:
    """A file of soundfile. Raises DataError for whatever it does not like."""
    import soundfile

    try:
        # As a file object, whose size is the only one that counts; a name would be taken for a pipe if it is “-”.
        with open(path, "rb") if content is None else io.BytesIO(content) as raw, soundfile.SoundFile(raw) as file:
            yield file
    except OSError as error:
        raise DataError(f"{_shown(path)} cannot be read: {error.strerror or error}.") from error
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"{_shown(path)} is no sound that can be read: it is damaged, or of another kind.") from error


def _info(file: Any, path: Path) -> SoundInfo:
    info = SoundInfo(int(file.samplerate), int(file.channels), int(file.frames))
    if not SLOWEST <= info.rate <= FASTEST:
        raise DataError(
            f"{_shown(path)} says that it has {info.rate:,} samples in a second; it must be {SLOWEST:,} to {FASTEST:,}."
        )
    return info


def _shown(path: Path) -> str:
    return printable(str(path), 300)


def _blocks(file: Any, path: Path, wanted: int) -> Iterator[np.ndarray]:
    """At most `wanted` samples of each channel, (T, C) float32, a few at a time."""
    import numpy as np

    at_once = max(1, _BLOCK // file.channels)
    while wanted > 0:
        block = file.read(min(at_once, wanted), dtype="float32", always_2d=True)
        if not len(block):
            return
        if not np.isfinite(block).all():
            raise DataError(f"{_shown(path)} has numbers that are no sound: infinite ones, or none at all.")
        wanted -= len(block)
        yield block
