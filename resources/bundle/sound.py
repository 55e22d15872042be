"""Reads sounds as those of the training were read.

Axis letters: T samples of a wave, B mel bands, S frames, F frequencies.
"""

from __future__ import annotations

import io
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

WINDOW_SECONDS, HOP_SECONDS, EDGE_SECONDS = 0.025, 0.01, 0.05
FLOOR = 1e-6  # power below which all is silence


class Reader:
    """Makes a wave, or a log-mel picture, of the beginning of a sound."""

    def __init__(self, about: dict[str, Any], folder: Path) -> None:
        self.features, self.rate, self.bands = about["features"], about["rate"], about["bands"]
        self.length, self.dims = about["length"], tuple(about["dims"])

    def read(self, given: Any) -> tuple[list[np.ndarray], int]:
        """What the network is given, (*dims) float32.

        Args:
            given: a file's name, or its content as bytes.
        """
        wave = self._wave(given)
        heard = wave if self.features == "waveform" else log_mel(wave, self.rate, self.bands)
        return [heard.reshape(self.dims)], 0

    def _wave(self, given: Any) -> np.ndarray:
        """(T,), in one channel, at the rate of the training; silence fills what is too short."""
        content = bytes(given) if isinstance(given, (bytes, bytearray)) else Path(given).read_bytes()
        try:
            with soundfile.SoundFile(io.BytesIO(content)) as file:
                edge = EDGE_SECONDS if file.samplerate != self.rate else 0.0
                wanted = max(1, round((self.length / self.rate + edge) * file.samplerate))
                block, rate = file.read(wanted, dtype="float32", always_2d=True), file.samplerate
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            raise ValueError(f"This is no sound that can be read: {error}") from error
        if not len(block) or not np.isfinite(block).all():
            raise ValueError("There is no sound in it.")
        wave = _resampled(block.mean(axis=1), rate, self.rate)[: self.length]
        return np.pad(wave, (0, self.length - len(wave)))


def _resampled(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    if rate == wanted:
        return wave
    from scipy.signal import resample_poly

    ratio = Fraction(wanted, rate).limit_denominator(2_000)
    return np.asarray(resample_poly(wave, ratio.numerator, ratio.denominator), dtype=np.float32)


def _mel(hertz: float) -> float:
    return 2595.0 * math.log10(1.0 + hertz / 700.0)


def _hertz(mels: float) -> float:
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


def _fft_size(rate: int, bands: int) -> int:
    narrowest = _hertz(_mel(rate / 2) / (bands + 1))
    size = 2
    while size < WINDOW_SECONDS * rate or rate / size > narrowest:
        size *= 2
    return size


def _filters(rate: int, bands: int) -> np.ndarray:
    """Triangles evenly spread on the mel scale, (B, F)."""
    size = _fft_size(rate, bands)
    top = _mel(rate / 2)
    edges = np.array([_hertz(top * number / (bands + 1)) for number in range(bands + 2)])
    frequencies = np.arange(size // 2 + 1) * (rate / size)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


def log_mel(wave: np.ndarray, rate: int, bands: int) -> np.ndarray:
    """The logarithm of the power in each band of pitch, frame by frame, (B, S) float32."""
    width, step = round(WINDOW_SECONDS * rate), max(1, round(HOP_SECONDS * rate))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(width) / width)
    count = 1 + len(wave) // step
    padded = np.pad(wave.astype(np.float64), (width // 2, width))
    cut = np.lib.stride_tricks.sliding_window_view(padded, width)[::step][:count]
    power = np.abs(np.fft.rfft(cut * window, _fft_size(rate, bands), axis=1)) ** 2
    return np.log(np.maximum(_filters(rate, bands) @ power.T, FLOOR)).astype(np.float32)
