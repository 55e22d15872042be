"""What is guessed of real files with texts: the kind, how many samples, the columns, and what is to be predicted."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.data import registry as sources
from studio.data.recognize import recognize


@dataclass(frozen=True)
class Guess:
    """What is expected of a file or folder."""

    kind: str
    rows: int
    columns: tuple[tuple[str, str, bool], ...]  # name, type, whether it is used
    target: tuple[str, ...]
    counts: tuple[int, ...]
    names: tuple[str, ...]
    inputs: tuple[str, ...]
    settings: dict[str, Any]


TAGS = ("O", *(f"{part}-{name}" for part in "BI" for name in (
    "corporation", "creative-work", "group", "location", "person", "product")))  # fmt: skip
TAG_COUNTS = (74_053, 255, 245, 303, 622, 1_130, 256, 58, 339, 175, 278, 452, 297)
GUESSES = {
    "ag-news/test.csv": Guess(
        "text-files", 7_600, (("description", "text", True), ("label", "categorical", True), ("title", "text", False)),
        ("label",), (1_900,) * 4, ("1", "2", "3", "4"), ("N, 56 L",), {"tokens": "words", "vocabulary": 10_000},
    ),
    "sms-spam/spam.csv": Guess(
        "text-files", 5_572,
        (("v2", "text", True), ("v1", "categorical", True), *((f"column {n}", "text", False) for n in (3, 4, 5))),
        ("v1",), (4_825, 747), ("ham", "spam"), ("N, 32 L",), {"vocabulary": 10_000},
    ),
    "sentiment-sentences/imdb_labelled.txt": Guess(
        "text-files", 1_000, (("1", "text", True), ("2", "categorical", True)),
        ("2",), (500, 500), ("0", "1"), ("N, 40 L",), {"vocabulary": 3_200},
    ),
    "ner-wnut17": Guess(
        "conll", 4_403, (("words", "text", True), ("tags", "tags", True)), ("tags",), TAG_COUNTS, TAGS, ("N, 64 L",),
        {"lower_case": True},
    ),
    "ner-wnut17/wnut17train.conll": Guess(
        "conll", 3_394, (("words", "text", True), ("tags", "tags", True)), ("tags",),
        (59_570, 221, 140, 264, 548, 660, 142, 46, 206, 150, 245, 335, 203), TAGS, ("N, 64 L",), {},
    ),
    "multi30k": Guess(
        "parallel", 30_014, (("de", "text", True), ("en", "text", True)), ("en",), (), (), ("N, 32 L", "N, 32 L"),
        {"vocabulary": 4_000},
    ),
    "multi30k/val.en.gz": Guess(
        "parallel", 1_014, (("de", "text", True), ("en", "text", True)), ("en",), (), (), ("N, 32 L", "N, 32 L"), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSES)
def test_a_file_is_what_it_is(name: str, shared: Callable[[str], Path]) -> None:
    guess = GUESSES[name]
    (source,) = recognize(shared(name))
    found = source.look()
    assert source.kind == guess.kind
    assert {key: getattr(source, key) for key in guess.settings} == guess.settings
    assert found.rows == source.listing().count == guess.rows
    assert tuple((column.name, column.type, column.used) for column in found.columns) == guess.columns
    assert (found.target, found.counts) == (guess.target, guess.counts)
    assert found.spec.target.task == "classification"
    assert found.spec.target.names == guess.names if guess.names else found.spec.target.size == 4_000
    assert tuple(map(str, found.spec.inputs)) == guess.inputs


def test_reviews_in_folders(shared: Callable[[str], Path], tmp_path: Path) -> None:
    with tarfile.open(shared("imdb-subset/aclImdb-2000-folders.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    assert [source.kind for source in recognize(tmp_path)] == ["imdb"]  # known by its folders
    source: Any = sources.get("text-files")(path=str(tmp_path / "aclImdb"))
    found = source.look()
    assert (found.rows, found.counts, found.spec.target.names) == (2_000, (1_000, 1_000), ("neg", "pos"))
    assert "500 of them in a test set of its own" in found.summary
    shown = source.listing().show(1_999)
    assert (shown.answer, shown.title.split("/")[:2]) == ("pos", ["test", "pos"])
    assert shown.text
    cut = [problem for problem in found.problems if "are cut" in problem.message]
    assert cut[0].remedies[0].source == sources.get("text-files")(path=source.path, max_length=400)


def test_a_play_is_known_and_any_other_text_is_plain(shared: Callable[[str], Path], tmp_path: Path) -> None:
    assert [source.kind for source in recognize(shared("char-text/tinyshakespeare.txt"))] == ["tiny-shakespeare"]
    copy = tmp_path / "a play.txt"
    copy.write_bytes(shared("char-text/tinyshakespeare.txt").read_bytes())
    (source,) = recognize(copy)
    assert source.kind == "plain-text"
    assert source.look().rows == 17_159
    assert source.spec.target.size == source.spec.tokens[0] == 128


@pytest.mark.parametrize("folder", ["tabular", "timeseries"])
def test_no_table_of_other_things_is_taken_for_texts(folder: str, shared: Callable[[str], Path]) -> None:
    texts = {"text-files", "conll", "parallel", "plain-text"}
    for path in shared(folder).iterdir():
        assert not texts & {source.kind for source in recognize(path)}, path
