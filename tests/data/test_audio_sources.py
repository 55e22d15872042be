"""Sounds of a person's own: where they are found, what is their class, and what broken ones do."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from studio.data import DataChoice, DataError, MissingDataError
from studio.data import registry as sources
from studio.data.audio import reading as audio_reading
from studio.data.audio.names import find_group, find_label
from studio.data.audio.reading import read_wave
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.fields import FieldError
from studio.fields import replace as replace_fields

Audio: Any = sources.get("audio-folders")


def tone(seconds: float = 0.2, rate: int = 8_000, pitch: float = 440.0, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def write(path: Path, wave: np.ndarray | None = None, rate: int = 8_000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(rate=rate) if wave is None else wave, rate, subtype)
    return path


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    for label in ("no", "yes"):
        for number in range(6):
            write(tmp_path / "words" / label / f"{number}.wav", tone(0.1 + 0.02 * number))
    return tmp_path / "words"


def test_a_folder_for_each_class(two_classes: Path) -> None:
    (source,) = recognize(two_classes.parent)
    assert isinstance(source, Audio)
    assert (source.rate, source.seconds) == (8_000, 0.2)
    findings = source.look()
    assert findings.spec.target.names == ("no", "yes")
    assert findings.counts == (6, 6)
    samples = source.load()
    assert samples.inputs[0].shape == (12, *source.spec.inputs[0].dims) == (12, 40, 21)
    assert samples.targets.tolist() == [0] * 6 + [1] * 6
    assert samples.groups is None


def test_sets_of_their_own(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("val", 2), ("test", 3)):
        for label in ("b", "a"):
            for number in range(count):
                write(tmp_path / part / label / f"{part}{number}.flac")
    samples = Audio(path=str(tmp_path)).load()
    assert (samples.validation_start, samples.test_start) == (8, 12)
    assert samples.targets.tolist() == [0] * 4 + [1] * 4 + [0] * 2 + [1] * 2 + [0] * 3 + [1] * 3


NAMES = [f"{digit}_{who}_{take}.wav" for digit in range(10) for who in ("ann", "bob", "cy") for take in range(4)]
CLIPS = [f"{i % 5}-{1000 + i}-A-{i % 7}.wav" for i in range(70)]  # fold, clip, take, class

MOODS = [f"{who}_{word}_{mood}.wav" for who in ("oaf", "yaf") for word in "ab" for mood in ("sad", "glad", "calm")]


@pytest.mark.parametrize(
    ("names", "label", "group"),
    [
        (NAMES, 1, 2),
        (CLIPS, 4, 1),
        ([f"{word}_{number}.wav" for word in ("up", "down") for number in range(9)], 1, 0),
        (MOODS, 3, 0),
        ([f"{number}.wav" for number in range(20)], 0, 0),
        (["a_1.wav", "b_1.wav"], 0, 0),
        ([f"clip {number} of many words that differ {'x_' * number}.wav" for number in range(20)], 0, 0),
    ],
)  # fmt: skip
def test_the_class_is_found_in_the_names(names: list[str], label: int, group: int) -> None:
    found = find_label(names)
    assert (found[0] if found else 0) == label
    if label:
        labels = [name.removesuffix(".wav").replace("-", "_").split("_")[label - 1] for name in names]
        assert find_group(names, labels) == group


def test_a_flat_folder_and_the_part_that_is_chosen(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        write(tmp_path / name, tone(0.05, pitch=200 + number))
    (source,) = recognize(tmp_path)
    samples = source.load()
    assert samples.names == tuple("0123456789")
    assert samples.groups is None
    remedies = [remedy for problem in source.look().problems for remedy in problem.remedies]
    (apart,) = [remedy for remedy in remedies if remedy.method == "grouped"]
    assert apart.source == replace_fields(source, group_part=2)
    assert np.bincount(apart.source.load().groups).tolist() == [40, 40, 40]
    offered = [remedy.source for remedy in remedies]
    assert replace_fields(source, label_part=2) in offered
    assert replace_fields(source, label_part=2).load().names == ("ann", "bob", "cy")
    with pytest.raises(DataError, match="0 classes"):
        replace_fields(source, label_part=9).load()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_format_says_the_same(tmp_path: Path, subtype: str) -> None:
    path = write(tmp_path / "a.wav", tone(), subtype=subtype)
    assert read_wave(path, 8_000, 1_600) == pytest.approx(
        tone()[:, 0], abs=0.03 if subtype in ("PCM_U8", "ULAW") else 1e-3
    )


def test_channels_rates_and_lengths(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.stack([np.full(4_410, 0.5), np.full(4_410, -0.1)], axis=1), rate=44_100)
    wave = read_wave(path, 8_000, 1_000)
    assert wave.dtype == np.float32
    assert wave[100:700] == pytest.approx(0.2, abs=1e-2)
    assert not wave[801:].any()
    many = write(tmp_path / "b.wav", tone(channels=200))
    assert read_wave(many, 8_000, 800) == pytest.approx(tone()[:800, 0], abs=1e-3)


def claims(frames: int, rate: int, channels: int = 1, content: bytes = b"\1\0" * 50) -> bytes:
    """A WAV whose header claims what is not so."""
    size = min(frames * channels * 2, 2**32 - 100)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 % 2**32, channels * 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", min(size + 36, 2**32 - 1))
        + b"WAVE"
        + head
        + b"data"
        + struct.pack("<I", size)
        + content
    )


HOSTILE = {
    "zero bytes": b"",
    "text": b"this is no sound at all\n" * 9,
    "half a header": claims(10, 8_000)[:30],
    "no sound": claims(0, 8_000, content=b""),
    "rate 4 billion": claims(50, 2**31 - 1),
    "rate zero": claims(50, 0),
    "not a number": b"",
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_broken_file_is_told_and_can_be_left_out(two_classes: Path, kind: str) -> None:
    broken = two_classes / "yes" / "0.wav"
    broken.write_bytes(HOSTILE[kind])
    if kind == "not a number":
        write(broken, np.full(800, np.nan), subtype="FLOAT")
    source = Audio(path=str(two_classes))
    (problem,) = [problem for problem in source.look().problems if problem.severity == "error"]
    assert problem.samples == (6,)
    assert "0.wav" in problem.message
    assert source.listing().show(6).problem
    assert source.listing().show(5).wave is not None
    choice = DataChoice(source=source)
    with pytest.raises(DataError, match=r"0\.wav.*leave out"):
        prepare(choice)
    dataset = prepare(choice.remedied(problem.remedies[0]))
    assert sorted(row for rows in dataset.splits.values() for row in rows.tolist()) == [*range(6), *range(7, 12)]
    assert dataset.inputs[0].isfinite().all()


def test_a_header_that_claims_hours_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(claims(2**31, 8_000, content=b"\0\x40" * 800))
    started = time.perf_counter()
    wave = read_wave(path, 8_000, 8_000)
    assert time.perf_counter() - started < 2
    assert wave[:800] == pytest.approx(0.5)
    assert not wave[800:].any()


def test_a_truncated_flac_gives_what_it_has_or_is_told(two_classes: Path) -> None:
    path = write(two_classes / "yes" / "0.flac", np.random.default_rng(0).uniform(-1, 1, 80_000))
    path.write_bytes(path.read_bytes()[:60_000])
    source = Audio(path=str(two_classes), seconds=10.0, unreadable="leave out")
    shown = source.listing().show(6)
    assert shown.problem or (shown.wave is not None and shown.wave.shape[1] < 80_000)
    assert len(source.load().targets) == 13


def test_silent_and_clipped_sounds_are_found(two_classes: Path) -> None:
    write(two_classes / "yes" / "0.wav", np.zeros(900))
    write(two_classes / "yes" / "1.wav", np.clip(5 * tone(), -1, 1))
    messages = {problem.samples: problem for problem in Audio(path=str(two_classes)).look().problems}
    assert messages[(6,)].remedies[0].exclude == (6,)
    assert "1 sound stays silent" in messages[(6,)].message
    assert "too loud" in messages[(7,)].message


def test_long_sounds_can_be_taken_whole(two_classes: Path) -> None:
    source = Audio(path=str(two_classes), seconds=0.1)
    (remedy,) = [remedy for problem in source.look().problems for remedy in problem.remedies]
    assert remedy.source == replace_fields(source, seconds=0.2)
    assert remedy.source.load().inputs[0].shape[-1] == 21


def test_links_out_of_the_folder_are_left_out(two_classes: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere" / "secret.wav")
    os.symlink(secret, two_classes / "yes" / "link.wav")
    os.symlink(two_classes / "yes" / "1.wav", two_classes / "yes" / "again.wav")
    os.symlink(secret.parent, two_classes / "more")
    source = Audio(path=str(two_classes))
    assert len(source.load().targets) == 13
    assert "2 files are left out" in " ".join(problem.message for problem in source.look().problems)


def test_names_that_are_hostile_are_only_text(two_classes: Path) -> None:
    write(two_classes / "yes" / "=cmd<b>\n.wav")
    source = Audio(path=str(two_classes))
    titles = {source.listing().show(row).title for row in range(13)}
    assert "yes/=cmd<b>\n.wav" in titles


def test_sounds_are_read_again_only_when_they_changed(two_classes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, read = Audio(path=str(two_classes)), []
    real = audio_reading.read_wave
    monkeypatch.setattr(audio_reading, "read_wave", lambda *args: read.append(args[0].name) or real(*args))
    first = source.load().inputs[0].copy()
    assert np.array_equal(source.load().inputs[0], first)
    assert len(read) == 12
    write(two_classes / "yes" / "5.wav", tone(0.3))
    assert not np.array_equal(source.load().inputs[0], first)


def test_progress_is_told_and_may_cancel(two_classes: Path) -> None:
    told: list[tuple[int, int]] = []
    Audio(path=str(two_classes)).unpack(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12)

    def cancel(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Audio(path=str(two_classes), mels=20).unpack(progress=cancel)


def test_without_a_cache_they_are_kept_in_memory_or_refused(
    two_classes: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    cache.parent.write_text("a file where the cache should be")
    assert len(Audio(path=str(two_classes)).load().targets) == 12
    monkeypatch.setattr("studio.data.audio.loading.MOST_IN_MEMORY", 1_000)
    with pytest.raises(DataError, match="cannot be kept as numbers"):
        Audio(path=str(two_classes)).load()


def test_what_is_missing_or_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="No sounds were chosen yet"):
        Audio().load()
    with pytest.raises(MissingDataError, match="There is no folder"):
        Audio(path=str(tmp_path / "gone")).look()
    with pytest.raises(MissingDataError, match="holds no sounds"):
        Audio(path=str(tmp_path)).listing()
    with pytest.raises(FieldError, match="must not be on a network"):
        Audio(path="//server/sounds")
    for number in range(5):
        write(tmp_path / f"{number}.wav")
    with pytest.raises(DataError, match="do not tell classes"):
        Audio(path=str(tmp_path)).load()
    assert recognize(tmp_path) == []


def test_the_spoken_digits(shared: Callable[[str], Path], tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(shared("spoken-digits/fsdd-train-240.tar.gz")) as tar:
        tar.extractall(tmp_path, filter="data")
    (source,) = recognize(tmp_path)
    findings = source.look()
    assert (source.kind, source.rate, source.seconds) == ("audio-folders", 8_000, 0.7)
    assert findings.rows == 240
    assert findings.spec.target.names == tuple("0123456789")
    assert findings.counts == (24,) * 10
    assert [(column.type, column.distinct) for column in findings.columns] == [
        ("audio", 0), ("categorical", 10), ("categorical", 6),
    ]  # fmt: skip
    assert not [problem for problem in findings.problems if problem.severity != "note"]
    assert len(set(replace_fields(source, group_part=2).load().groups.tolist())) == 6
