"""A tiny trained network for every kind of data."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from studio.data import DataChoice
from studio.data import registry as datasets
from studio.data.recognize import recognize
from studio.evaluation.trained import Trained, open_trained
from studio.fields import FieldValue
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.project.propose import propose_project
from tests.evaluation.runs import trained_run
from tests.helpers import block, chain

KINDS = (
    "picture", "pixels", "vit", "text", "next-token", "translation", "numbers", "columns", "embedded", "series",
    "sound", "mask", "autoencoder",
)  # fmt: skip
WORDS = ["a", "film", "plot", "actor", "scene", "music", "story"]


def train_on(kind: str, folder: Path) -> Trained:
    """A network that was trained for a moment on data of one of KINDS."""
    return open_trained(trained_run(folder / "run", _PROJECTS[kind](folder), epochs=1)[0])


def _picture(_folder: Path) -> Project:
    blocks = block("conv2d", filters=3, kernel_size=3), block("relu"), block("flatten"), block("dense", units=10)
    return _with("digits", block("input", shape=(1, 8, 8)), *blocks)


def _patches(_folder: Path) -> Project:
    """Patches of 2 × 2 pixels that look at each other in two layers."""
    blocks = (
        block("conv2d", filters=8, kernel_size=2, stride=2), block("reshape", shape=(8, 16)), block("transpose"),
        block("self_attention", heads=2), block("self_attention", heads=4), block("flatten"), block("dense", units=10),
    )  # fmt: skip
    return _with("digits", block("input", shape=(1, 8, 8)), *blocks)


def _with(dataset: str, *blocks: object) -> Project:
    source = datasets.get(dataset)()
    return replace(Project(chain(*blocks, block("output"))), data=replace(DataChoice(), source=source))


def _text(folder: Path) -> Project:
    generator, lines = np.random.default_rng(0), []
    for number in range(60):
        some = list(generator.choice(WORDS, generator.integers(3, 7)))
        some[0] = "awful" if number % 2 else "lovely"
        lines.append(f"{' '.join(some)},{'bad' if number % 2 else 'good'}")
    return _own(folder, "films.csv", "text,verdict\n" + "\n".join(lines) + "\n", max_length=8)


def _own(folder: Path, name: str, content: str, **fields: FieldValue) -> Project:
    (folder / name).write_text(content)
    source = recognize(folder / name)[0]
    source = replace_fields(source, **fields)
    return propose_project(source, source.look())


def _next_token(folder: Path) -> Project:
    words = np.random.default_rng(0).choice(WORDS, 600)
    (folder / "story.txt").write_text(" ".join(words))
    source = datasets.get("plain-text")(
        path=(folder / "story.txt").as_posix(), length=8, tokens="characters", vocabulary=24
    )
    return propose_project(source, source.look())


def _translation(folder: Path) -> Project:
    generator = np.random.default_rng(0)
    rows = [list(generator.choice(WORDS, generator.integers(2, 6))) for _ in range(60)]
    text = "\n".join(f"{' '.join(row)}\t{' '.join(word.upper() for word in row)}" for row in rows)
    (folder / "pairs.tsv").write_text(text + "\n")
    source = datasets.get("parallel")(
        path=(folder / "pairs.tsv").as_posix(), tokens="words", max_length=8, vocabulary=20
    )
    return propose_project(source, source.look())


def table(count: int = 80) -> str:
    """Houses whose price follows from their size and their town; the colour says nothing."""
    generator, lines = np.random.default_rng(0), ["size,town,colour,price"]
    for _ in range(count):
        size, town = generator.uniform(20, 200), generator.integers(3)
        price = 3 * size + 400 * town + generator.normal(0, 5)
        lines.append(f"{size:.1f},{'ABC'[town]}town,{generator.choice(['red', 'blue', 'green'])},{price:.1f}")
    return "\n".join(lines) + "\n"


def _columns(folder: Path) -> Project:
    return _own(folder, "houses.csv", table())


def _embedded(folder: Path) -> Project:
    return _own(folder, "houses.csv", table(), categories="embedding")


def _series(folder: Path) -> Project:
    generator = np.random.default_rng(0)
    days = np.datetime64("2024-01-01") + np.arange(120)
    rows = [f"{day},{10 + generator.normal():.3f},{generator.normal():.3f}" for day in days]
    (folder / "days.csv").write_text("day,heat,wind\n" + "\n".join(rows) + "\n")
    source = datasets.get("series")(path=(folder / "days.csv").as_posix(), window=12, horizon=2)
    return propose_project(source, source.look())


def _sound(folder: Path) -> Project:
    generator = np.random.default_rng(0)
    for name, pitch in (("low", 300), ("high", 900)):
        (folder / "sounds" / name).mkdir(parents=True)
        for number in range(12):
            tone = np.sin(2 * np.pi * pitch * np.arange(2_000) / 8_000) + 0.1 * generator.normal(size=2_000)
            with wave.open(str(folder / "sounds" / name / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8_000)
                file.writeframes((9_000 * tone).astype("<i2").tobytes())
    source = replace_fields(recognize(folder / "sounds")[0], features="waveform")
    return propose_project(source, source.look())


def _mask(_folder: Path) -> Project:
    blocks = block("conv2d", filters=4, kernel_size=3, padding=1), block("relu")
    source = datasets.get("shapes")()
    channels, height, width = source.spec.inputs[0].dims
    ends = block("conv2d", filters=source.spec.target.size, kernel_size=1)
    return _with("shapes", block("input", shape=(channels, height, width)), *blocks, ends)


_PROJECTS = {
    "picture": _picture,
    "pixels": lambda _folder: read_template("digits-transformer"),
    "vit": _patches,
    "text": _text,
    "next-token": _next_token,
    "translation": _translation,
    "numbers": lambda _folder: read_template("iris-mlp"),
    "columns": _columns,
    "embedded": _embedded,
    "series": _series,
    "sound": _sound,
    "mask": _mask,
    "autoencoder": lambda _folder: read_template("digits-autoencoder"),
}
