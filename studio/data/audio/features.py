"""What a network is given of a sound: its wave, or how much of each pitch there is over time.

Axis letters: T samples of a wave, F frequencies, B mel bands, S frames.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LOG_MEL, LOG_MEL_CHANNELS, WAVE = FEATURES = ("log-mel", "log-mel channels", "waveform")
WINDOW_SECONDS = 0.025
HOP_SECONDS = 0.01
_FLOOR = 1e-6  # power below which all is silence: its logarithm would be anything


@dataclass(frozen=True)
class SoundRules:
    """What is made of each sound.

    Args:
        features: one of FEATURES.
        rate: samples in a second.
        seconds: how long each is; the rest is cut off, or is silence.
        bands: mel bands of a log-mel picture.
    """

    features: str
    rate: int
    seconds: float
    bands: int

    @property
    def length(self) -> int:
        """T, samples of each wave."""
        return max(1, round(self.seconds * self.rate))

    @property
    def dims(self) -> tuple[int, ...]:
        """Of one sample: (1, B, S) of a log-mel picture, (B, S) of one with bands as channels, (1, T) of a wave."""
        if self.features == WAVE:
            return (1, self.length)
        picture = (self.bands, frames(self.length, self.rate))
        return (1, *picture) if self.features == LOG_MEL else picture

    def apply(self, path: Path, content: bytes | None = None) -> np.ndarray:
        """What a network is given of a file, (*dims) float32. Raises DataError.

        Args:
            content: as in `audio_reading.read_info`.
        """
        from studio.data.audio.reading import read_wave

        wave = read_wave(path, self.rate, self.length, content)
        return (wave if self.features == WAVE else log_mel(wave, self.rate, self.bands)).reshape(self.dims)


def mel(hertz: float) -> float:
    """Pitch as it is heard: m = 2595 log10(1 + f / 700).

    Source: O’Shaughnessy, “Speech Communication”, 1987; as in Young et al., “The HTK Book”, 2006, section 5.4.
    """
    import math

    return 2595.0 * math.log10(1.0 + hertz / 700.0)


def hertz(mels: float) -> float:
    """The frequency of a pitch: the inverse of `mel`."""
    return float(700.0 * (10.0 ** (mels / 2595.0) - 1.0))


def hop(rate: int) -> int:
    """Samples from one frame to the next."""
    return max(1, round(HOP_SECONDS * rate))


def frames(length: int, rate: int) -> int:
    """How many frames a wave of `length` samples has: one at its beginning, and one after each hop."""
    return 1 + length // hop(rate)


def fft_size(rate: int, bands: int) -> int:
    """Samples of a Fourier transform: a window at least, and so many that no band falls between two frequencies.

    The lowest band is the narrowest: its half is as wide as the pitch of the first centre.
    """
    narrowest = hertz(mel(rate / 2) / (bands + 1))
    size = 2
    while size < WINDOW_SECONDS * rate or rate / size > narrowest:
        size *= 2
    return size


@functools.lru_cache(maxsize=4)
def filters(rate: int, bands: int) -> np.ndarray:
    """Triangles of height 1 over the frequencies of a spectrum, evenly spread on the mel scale up to half the rate.

    Source: Davis and Mermelstein, “Comparison of parametric representations for monosyllabic word recognition”, 1980;
    with the edges of “The HTK Book”: a triangle ends where its neighbours have their tips.

    Returns:
        (B, F) float64, F = fft_size / 2 + 1.
    """
    import numpy as np

    size = fft_size(rate, bands)
    top = mel(rate / 2)
    edges = np.array([hertz(top * number / (bands + 1)) for number in range(bands + 2)])
    frequencies = np.arange(size // 2 + 1) * (rate / size)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    return triangles


def log_mel(wave: np.ndarray, rate: int, bands: int) -> np.ndarray:
    """The logarithm of the power in each band of pitch, frame by frame.

    A frame is 25 ms under a Hann window, 10 ms after the one before; the first and the last are half silence.

    Args:
        wave: (T,) from -1 to 1.
        rate: samples in a second.
        bands: B.

    Returns:
        (B, S) float32, low pitches first; S = `frames(T, rate)`.
    """
    import numpy as np

    width, step = round(WINDOW_SECONDS * rate), hop(rate)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(width) / width)
    count = frames(len(wave), rate)
    padded = np.pad(wave.astype(np.float64), (width // 2, width))
    cut = np.lib.stride_tricks.sliding_window_view(padded, width)[::step][:count]
    power = np.abs(np.fft.rfft(cut * window, fft_size(rate, bands), axis=1)) ** 2
    logarithm: np.ndarray = np.log(np.maximum(filters(rate, bands) @ power.T, _FLOOR))
    return logarithm.astype(np.float32)
