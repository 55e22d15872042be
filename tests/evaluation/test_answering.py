"""Answers to raw values, without their dataset, are those to the same samples in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from studio.data.audio.sources import AudioFolders
from studio.data.base import Source
from studio.data.bundled import Diabetes, Digits, Iris
from studio.data.hub.sources import HuggingFace
from studio.data.images.marked_sources import ImageMasks
from studio.data.images.sources import ImageFolders
from studio.data.known.torchvision_sets import FashionMNIST
from studio.data.own_code.source import PythonFile
from studio.data.plane import Spirals
from studio.data.series.sources import Series
from studio.data.shapes import Shapes
from studio.data.tables.source import TableFile
from studio.data.texts.language_sources import Conll, Parallel, PlainText
from studio.data.texts.shakespeare import TinyShakespeare
from studio.data.texts.sources import TextFiles
from studio.evaluation.answering import Answerer, InputError
from studio.evaluation.predictions import predict
from studio.evaluation.trained import Trained
from studio.project import read_template
from studio.trust import trust_for_now
from tests.data.pictures import class_folders, save
from tests.evaluation.untrained import prepared, untrained

WORDS = "the cat sat on a mat and the dog ran to a red house where some birds sang all day long".split()
Case = tuple[Source, Callable[[int], Any]]  # a source, and the raw value of a sample by its number


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def texts(count: int, words: int = 8) -> list[str]:
    rng = np.random.default_rng(1)
    return [" ".join(rng.choice(WORDS, words)) for _ in range(count)]


def digits(folder: Path) -> Case:
    images = Digits().load().inputs[0]
    return Digits(), lambda i: png(np.rint(images[i, 0] * (255 / 16)).astype(np.uint8))


def shapes(folder: Path) -> Case:
    source = Shapes(samples=50)
    images = source.load().inputs[0]
    return source, lambda i: png(images[i, 0])


def image_folders(folder: Path) -> Case:
    root = class_folders(folder / "pictures")
    rng = np.random.default_rng(0)
    for path in root.rglob("*.png"):
        Image.fromarray(rng.integers(0, 255, (14, 22, 3)).astype(np.uint8)).save(path)
    source = ImageFolders(path=root.as_posix(), size=(12, 10), fit="crop the centre")
    names = source.job().names
    return source, lambda i: root / names[i]


def spirals(folder: Path) -> Case:
    points = Spirals(samples=60).load().inputs[0]
    return Spirals(samples=60), lambda i: {"y": float(points[i, 1]), "x": float(points[i, 0])}


def iris(folder: Path) -> Case:
    values = Iris().load().inputs[0]
    return Iris(), lambda i: values[i].tolist()


def diabetes(folder: Path) -> Case:
    values = Diabetes().load().inputs[0]
    return Diabetes(), lambda i: dict(zip(Diabetes.inputs, map(float, values[i]), strict=True))


def table(folder: Path, categories: str = "one-hot") -> Case:
    rng = np.random.default_rng(0)
    path = folder / "table.csv"
    rows = [
        {
            "age": "" if i % 9 == 0 else f"{rng.uniform(18, 80):.1f}", "member": "yes" if rng.uniform() < 0.4 else "no",
            "city": str(rng.choice(["Oslo", "Rome", "Lima"])), "size": str(rng.choice(["small", "medium", "large"])),
            "since": f"20{rng.integers(10, 24):02}-{rng.integers(1, 13):02}-{rng.integers(1, 28):02}",
            "tags": str(rng.choice(["a;b", "b", "c;a", "b;c"])), "bought": "left" if i % 3 else "stayed",
        }
        for i in range(80)
    ]  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return TableFile(path=path.as_posix(), target="bought", categories=categories), lambda i: rows[i]


def embedded_table(folder: Path) -> Case:
    return table(folder, "embedding")


def several_labels(folder: Path) -> Case:
    rows = [(i * 0.5, i % 7 * 1.5, int(i % 2 == 0), int(i % 3 == 0), int(i % 5 == 0)) for i in range(60)]
    path = folder / "films.csv"
    path.write_text("x,y,genre_a,genre_b,genre_c\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return TableFile(path=path.as_posix()), lambda i: {"x": str(rows[i][0]), "y": str(rows[i][1])}


def text_files(folder: Path) -> Case:
    lines = texts(40)
    path = folder / "texts.csv"
    path.write_text("text,label\n" + "\n".join(f"{t},{'good' if i % 2 else 'bad'}" for i, t in enumerate(lines)))
    return TextFiles(path=path.as_posix(), vocabulary=60, max_length=6), lambda i: lines[i]


def conll(folder: Path) -> Case:
    lines = texts(30, 5)
    blocks = ["\n".join(f"{word} {'B-THING' if len(word) > 3 else 'O'}" for word in line.split()) for line in lines]
    path = folder / "words.conll"
    path.write_text("\n\n".join(blocks) + "\n")
    return Conll(path=path.as_posix(), max_length=7), lambda i: lines[i]


def plain_text(folder: Path) -> Case:
    path = folder / "text.txt"
    path.write_text(" ".join(texts(60)))
    pieces = path.read_text()
    return PlainText(path=path.as_posix(), length=16, vocabulary=300), lambda i: pieces[17 * i : 17 * i + 16]


def shakespeare(folder: Path) -> Case:
    (folder / "tinyshakespeare.txt").write_text("\n".join(texts(60)))
    text = (folder / "tinyshakespeare.txt").read_text()
    return TinyShakespeare(length=16), lambda i: text[17 * i : 17 * i + 16]


def series(folder: Path) -> Case:
    rng = np.random.default_rng(0)
    path = folder / "series.csv"
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-07-01"))
    rows = [f"{day},{a:.3f},{b:.3f}" for day, (a, b) in zip(days, rng.normal(size=(len(days), 2)), strict=True)]
    path.write_text("date,wind,sun\n" + "\n".join(rows))

    def until(i: int) -> Path:
        part = folder / f"until-{i}.csv"
        part.write_text("date,wind,sun\n" + "\n".join(rows[: i + 5]))
        return part

    source = Series(path=path.as_posix(), window=5, inputs="sun\nwind", targets="sun", calendar="year")
    return source, until


def audio(folder: Path) -> Case:
    rng = np.random.default_rng(0)
    for label in ("high", "low"):
        (folder / "sounds" / label).mkdir(parents=True)
        for i in range(8):
            soundfile.write(folder / "sounds" / label / f"{i}.wav", rng.uniform(-0.5, 0.5, 4_000), 8_000)
    source = AudioFolders(path=(folder / "sounds").as_posix(), rate=4_000, seconds=0.3, mels=8)
    files = source._found().files
    return source, lambda i: files[i].read_bytes() if i % 2 else files[i]


def hub(folder: Path) -> Case:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = texts(30)
    pq.write_table(pa.table({"text": lines, "label": [i % 2 for i in range(30)]}), folder / "train.parquet")
    source = HuggingFace(path=(folder / "train.parquet").as_posix(), vocabulary=300, max_length=6, input_type="text")
    return source, lambda i: lines[i]


def hub_numbers(folder: Path) -> Case:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = np.random.default_rng(0).normal(size=(30, 2))
    columns = {"mass": values[:, 0], "speed": values[:, 1], "label": [i % 2 for i in range(30)]}
    pq.write_table(pa.table(columns), folder / "train.parquet")
    source = HuggingFace(path=(folder / "train.parquet").as_posix())
    return source, lambda i: {"speed": float(values[i, 1]), "mass": float(values[i, 0]), "label": "unknown"}


def masks(folder: Path) -> Case:
    rng = np.random.default_rng(0)
    for i in range(12):
        save(folder / f"images/p{i:02}.png", rng.integers(0, 255, (20, 20)).astype(np.uint8))
        save(
            folder / f"masks/p{i:02}.png", np.where(np.arange(400).reshape(20, 20) % 7 > i % 5, 255, 0).astype(np.uint8)
        )
    return ImageMasks(path=folder.as_posix(), size=(16, 16)), lambda i: folder / f"images/p{i:02}.png"


def fashion(folder: Path) -> Case:
    """In the files of MNIST; a sample is given as a picture's file."""
    rng = np.random.default_rng(0)
    images = {part: rng.integers(0, 255, (count, 28, 28), np.uint8) for part, count in (("train", 20), ("t10k", 9))}
    for part, values in images.items():
        head = b"\0\0\x08\x03" + np.array(values.shape, ">i4").tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + values.tobytes())
        labels = (np.arange(len(values)) % 10).astype(np.uint8)
        head = b"\0\0\x08\x01" + np.array(labels.shape, ">i4").tobytes()
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    every = np.concatenate(list(images.values()))
    return FashionMNIST(), lambda i: png(every[i])


def python_file(folder: Path) -> Case:
    code = (
        "import torch\n\n\nclass Noise(torch.utils.data.Dataset):\n"
        "    def __len__(self):\n        return 30\n\n"
        "    def __getitem__(self, i):\n        return torch.full((3, 4), i / 7), i % 2\n"
    )
    (folder / "noise.py").write_text(code)
    trust_for_now(code)
    return PythonFile(path=(folder / "noise.py").as_posix()), lambda i: [[np.float32(i / 7).item()] * 4] * 3


CASES = (
    hub_numbers, masks, fashion, python_file, digits, shapes, image_folders, spirals, iris, diabetes, table,
    embedded_table, several_labels, text_files, conll, plain_text, shakespeare, series, audio, hub,
)  # fmt: skip


def loaded(source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    if isinstance(source, TinyShakespeare):  # looks for its file in the studio's folder
        monkeypatch.setattr(TinyShakespeare, "_file", lambda self, _folder: folder / "tinyshakespeare.txt")
    if isinstance(source, FashionMNIST):
        monkeypatch.setattr(FashionMNIST, "_folders", lambda self, _folder: [folder])
    return untrained(source)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_answer_to_a_raw_value_is_that_to_its_sample(
    case: Callable[[Path], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, raw = case(tmp_path)
    trained = loaded(source, tmp_path, monkeypatch)
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    rows = trained.dataset.splits["test"][:9]
    readings = [answerer.read(raw(row)) for row in rows.tolist()]
    wanted = prepared(trained.dataset, rows)
    for number, values in enumerate(wanted):
        assert torch.equal(torch.cat([reading.tensors[number] for reading in readings]), values)
    with torch.inference_mode():
        scores = trained.model(*wanted)
    torch.testing.assert_close(answerer.compute(wanted), scores, rtol=0, atol=1e-6)
    answers = answerer.answer_all(readings)
    if answerer.kind in ("classes", "labels", "numbers"):
        told = predict(trained, "test")
        values = told.answers if answerer.kind == "numbers" else told.probabilities
        assert values is not None
        np.testing.assert_allclose(np.stack([a.values for a in answers]), values[:9].numpy(), rtol=1e-5, atol=1e-6)
    assert all(json.loads(json.dumps(answer.to_json(), allow_nan=False)) for answer in answers)


def test_of_several_labels_those_are_told_that_are_rather_there(tmp_path: Path) -> None:
    trained = untrained(several_labels(tmp_path)[0])
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    assert answerer.kind == "labels"
    answers = answerer.answer_all([answerer.read({"x": str(x), "y": str(y)}) for x in (-90, 0, 90) for y in (-20, 20)])
    assert len({answer.labels for answer in answers}) > 1
    for answer in answers:
        assert answer.labels == tuple(n for n, v in zip(answer.names, answer.values, strict=True) if v > 0.5)
        assert all(label in answer.line() for label in answer.labels)
        assert answer.labels or answer.line() == "none"


def test_an_autoencoder_answers_in_the_units_of_its_input() -> None:
    trained = untrained(read_template("digits-autoencoder"))
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    pixels = Digits().load().inputs[0][0]
    answer = answerer.answer(answerer.read(pixels))
    scores = trained.model(*prepared(trained.dataset, torch.tensor([0]))).detach()
    scaling = trained.dataset.scalings[0]
    np.testing.assert_allclose(answer.values, (scores[0] / scaling.scale[0] + scaling.shift[0]).numpy(), atol=1e-5)


def test_of_several_outputs_the_main_one_is_answered() -> None:
    """By a network that is built for it, and by one in memory that gives all its answers."""
    trained = untrained(read_template("digits-two-outputs"))
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    all_of_it = Answerer.of(
        trained.plan, trained.project, trained.checkpoint.preparation, trained.model, torch.device("cpu")
    )
    reading = answerer.read(Digits().load().inputs[0][0])
    scores = trained.model(*reading.tensors)[trained.plan.main].detach()
    for answer in (answerer.answer(reading), all_of_it.answer(reading)):
        np.testing.assert_allclose(answer.values, scores.softmax(1)[0].numpy(), atol=1e-6)


@pytest.mark.parametrize("case", [plain_text, shakespeare], ids=lambda case: case.__name__)
def test_of_a_long_text_the_end_tells_what_comes_next(
    case: Callable[[Path], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, raw = case(tmp_path)
    trained = loaded(source, tmp_path, monkeypatch)
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    long, end = answerer.read(raw(0) + raw(1)), answerer.read(raw(1))
    assert torch.equal(long.tensors[0], end.tensors[0])
    assert "Only the last 16 of 32" in long.notes[0]
    short = answerer.read(raw(1)[:5])
    assert short.places == 5
    with torch.inference_mode():
        scores = trained.model(*short.tensors)[0, 4]  # behind the fifth character, whatever fills up the rest
    np.testing.assert_allclose(answerer.answer(short).values, scores.softmax(0).numpy(), atol=1e-6)


def test_texts_in_two_languages_are_gone_on_with(tmp_path: Path) -> None:
    for language, mark in (("de", "e"), ("en", "o")):
        (tmp_path / f"train.{language}").write_text("\n".join(t.replace("a", mark) for t in texts(40)))
    trained = untrained(Parallel(path=tmp_path.as_posix(), tokens="words", max_length=9, vocabulary=60))
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    row = int(trained.dataset.splits["test"][0])
    source, begun = (raw.text(row) for raw in trained.dataset.raw if raw is not None)
    reading = answerer.read((source, begun))
    for given, wanted in zip(reading.tensors, prepared(trained.dataset, torch.tensor([row])), strict=True):
        assert torch.equal(given, wanted)
    first, second = (part.name for part in answerer.parts)
    # Nothing is known of the answer yet: what follows the sign for its beginning.
    answer = answerer.answer(answerer.read({first: source, second: ""}))
    assert answer.kind == "next token"
    assert answer.values.shape == (60,)
    with pytest.raises(InputError, match="2 inputs"):
        answerer.read(source)
