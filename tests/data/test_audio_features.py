"""What a network is given of a sound, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studio.data.audio.features import SoundRules, fft_size, filters, frames, hertz, log_mel, mel
from studio.data.audio.reading import resample


def test_pitch_is_that_of_the_published_formula() -> None:
    assert mel(1_000.0) == pytest.approx(999.9855, abs=1e-3)  # 2595 log10(1700 / 700)
    assert mel(0.0) == 0.0
    assert hertz(mel(440.0)) == pytest.approx(440.0)


def test_three_bands_at_eight_kilohertz() -> None:
    # 4,000 Hz are 2146.06 mel; a quarter, a half and three quarters of it are 426.80, 1113.84 and 2219.77 Hz.
    triangles, size = filters(8_000, 3), fft_size(8_000, 3)
    tips = triangles.argmax(axis=1) * 8_000 / size
    assert size == 256
    assert tips == pytest.approx([426.80, 1113.84, 2219.77], abs=8_000 / size / 2)
    at = round(750 / (8_000 / size)) * 8_000 / size  # 750 Hz: the first falls from 426.80, the second rises there
    assert triangles[0, round(at * size / 8_000)] == pytest.approx((1113.84 - at) / (1113.84 - 426.80), abs=1e-4)
    assert triangles[1, round(at * size / 8_000)] == pytest.approx((at - 426.80) / (1113.84 - 426.80), abs=1e-4)
    assert triangles[2, round(at * size / 8_000)] == 0.0


@pytest.mark.parametrize("rate", [1_000, 8_000, 44_100, 192_000])
@pytest.mark.parametrize("bands", [4, 40, 256])
def test_no_band_is_empty(rate: int, bands: int) -> None:
    assert (filters(rate, bands).max(axis=1) > 0).all()
    assert filters(rate, bands).max() <= 1.0


def test_the_power_of_a_tone_is_in_its_band_and_frame() -> None:
    rate, bands = 8_000, 20
    time = np.arange(rate) / rate
    wave = (0.5 * np.sin(2 * np.pi * 1_000 * time) * (time >= 0.5)).astype(np.float32)
    picture = log_mel(wave, rate, bands)
    assert picture.shape == (bands, frames(rate, rate)) == (20, 101)
    band = int(filters(rate, bands)[:, round(1_000 * fft_size(rate, bands) / rate)].argmax())
    assert picture[:, 75].argmax() == band
    assert picture[:, 20].max() == pytest.approx(math.log(1e-6))  # silence
    # Under a Hann window of 200 samples a tone of height 0.5 has a Fourier peak of 0.5 / 2 * 100.
    peak = filters(rate, bands)[band] @ np.abs(np.fft.rfft(wave[6_000:6_200] * np.hanning(201)[:200], 256)) ** 2
    assert math.log(25.0**2) - 1 < picture[band, 75] < math.log(25.0**2) + 2
    assert picture[band, 76] == pytest.approx(math.log(peak), abs=0.02)


def test_shapes_are_known_before_anything_is_read() -> None:
    assert SoundRules("log-mel", 16_000, 1.0, 40).dims == (1, 40, 101)
    assert SoundRules("log-mel channels", 16_000, 1.0, 40).dims == (40, 101)
    assert SoundRules("waveform", 8_000, 0.5, 40).dims == (1, 4_000)


def test_a_tone_keeps_its_pitch_at_another_rate_and_higher_ones_do_not_fold_back() -> None:
    time = np.arange(44_100) / 44_100
    low = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    high = np.sin(2 * np.pi * 15_000 * time).astype(np.float32)
    again = resample(low, 44_100, 8_000)
    assert len(again) == 8_000
    assert np.abs(np.fft.rfft(again)).argmax() == 440
    assert np.abs(resample(high, 44_100, 8_000)[200:-200]).max() < 0.01
    assert resample(low, 44_100, 44_100) is low
