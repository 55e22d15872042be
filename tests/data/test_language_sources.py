"""Running text, words with tags, texts in two languages: what is found, what is learned, and what cannot be."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import IGNORED, DataChoice, DataError, MissingDataError, Split
from studio.data import registry as sources
from studio.data.dataset import Dataset, prepare
from studio.data.recognize import recognize

PlainText: Any = sources.get("plain-text")
Conll: Any = sources.get("conll")
Parallel: Any = sources.get("parallel")

PROSE = "Now is the winter of our discontent\nmade glorious summer by this sun of York;\n" * 40


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def prepared(source: Any) -> Dataset:
    return prepare(DataChoice(source, Split(validation=0.2, test=0.2)))


def tokens_of(dataset: Dataset, number: int, row: int) -> list[str]:
    return dataset.learned[number].tokens(dataset.inputs[number][row].tolist())  # type: ignore[union-attr]


def following(dataset: Dataset, row: int) -> list[str]:
    names = dataset.spec.target.names
    return [names[target] for target in dataset.targets[row].tolist() if target != IGNORED]


# Running text


def test_the_next_character_is_to_be_predicted(tmp_path: Path) -> None:
    path = write(tmp_path, {"play.txt": PROSE.replace("\n", "\r\n")}) / "play.txt"
    source = PlainText(path=str(path), length=20, vocabulary=60)
    dataset = prepared(source)
    assert len(dataset.targets) == len(PROSE) // 21 == source.look().rows == source.listing().count
    assert dataset.spec.inputs == source.spec.inputs
    assert dataset.spec.target.size == source.spec.target.size == 60
    for row in range(0, len(dataset.targets), 7):
        piece = PROSE[21 * row : 21 * row + 21]
        assert source.listing().show(row).text == piece
        assert "".join(tokens_of(dataset, 0, row)) == piece[:20]
        assert "".join(following(dataset, row)) == piece[1:]
    splits = [rows.tolist() for rows in dataset.splits.values()]
    assert splits[0][-1] < splits[1][0] <= splits[1][-1] < splits[2][0]


def test_what_only_the_end_of_a_text_has_is_not_learned(tmp_path: Path) -> None:
    path = write(tmp_path, {"t.txt": PROSE + "Ω" * 400}) / "t.txt"
    dataset = prepared(PlainText(path=str(path), length=20))
    assert "Ω" not in dataset.spec.target.names
    assert set(following(dataset, int(dataset.splits["test"][-1]))) == {"[UNK]"}


def test_byte_pairs_fill_most_of_each_window(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdeéfghi"), rng.integers(1, 9))) for _ in range(300)]
    path = write(tmp_path, {"t.txt": " ".join(rng.choice(words, 8_000))}) / "t.txt"
    dataset = prepared(PlainText(path=str(path), tokens="byte-pair", vocabulary=500, length=32))
    filled = (dataset.targets != IGNORED).float().mean(1)
    assert 0.8 < float(filled.mean()) < 1.0
    assert float((filled == 1).float().mean()) < 0.35  # few are cut
    names = dataset.spec.target.names
    assert len(names) == len(set(names)) == 500
    assert any(name.startswith("␣") for name in names)
    pieces = [name.replace("␣", " ") for name in following(dataset, 3)]
    assert "".join(pieces) in " " + PlainText(path=str(path)).listing().show(0).text + path.read_text()


def test_a_folder_is_one_text(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "notes", {"b.md": PROSE, "a/1.txt": "First. " * 60, ".git/x.txt": "no", "z.png": b"\x89PNG\0"}
    )
    write(tmp_path / "notes", {f"{i}.txt": PROSE for i in range(9)})
    (source,) = recognize(folder)
    assert source.kind == "plain-text"
    text = "".join(source.listing().show(index).text for index in range(source.listing().count))
    assert text.startswith("Now is the winter")
    assert "First. " in text
    assert "no" not in text.replace("now", "").replace("Now", "").split()


@pytest.mark.parametrize(
    "files",
    [
        {"t.txt": "too short"},
        {"t.txt": "1.5 2.5 3.5\n" * 400},
        {"t.txt": b"\0" * 4_000},
        {"t.bin": PROSE},
        {"t.txt": PROSE, "a.png": b"x", "b.png": b"x"},
    ],
)
def test_what_is_no_running_text_is_not_claimed(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    folder = write(tmp_path / "data", files)
    assert [source.kind for source in recognize(folder) if source.kind == "plain-text"] == []


# Words with tags

TAGGED = (
    "-DOCSTART- O\n\nAnn B-person\nSmith I-person\nsaw O\nParis B-place\n\t\nno O\n\n"
    "# a comment of words\nParis B-place\n"
)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [" ", "\t", "  "])
def test_words_with_their_tags(tmp_path: Path, ending: str, separator: str) -> None:
    text = (TAGGED.replace(" ", separator) + "\n" + TAGGED.replace(" ", separator) * 5).replace("\n", ending)
    path = write(tmp_path, {"t.conll": text}) / "t.conll"
    (source,) = recognize(path)
    source = source.at(path)
    found = source.look()
    assert (source.kind, found.rows) == ("conll", 18)
    assert found.spec.target.names == ("O", "B-person", "B-place", "I-person")
    assert found.counts == (12, 6, 12, 6)
    dataset = prepared(Conll(path=str(path), max_length=3, lower_case=False))
    assert tokens_of(dataset, 0, 0)[0] in ("Ann", "[UNK] ")
    assert dataset.targets[:3].tolist() == [[1, 3, 0], [0, IGNORED, IGNORED], [2, IGNORED, IGNORED]]
    shown = source.listing().show(0)
    assert shown.tags == (("Ann", "B-person"), ("Smith", "I-person"), ("saw", "O"), ("Paris", "B-place"))
    assert shown.answer == "Ann B-person, Smith I-person, Paris B-place"


def test_universal_dependencies_have_their_word_in_the_second_column(tmp_path: Path) -> None:
    rows = ["1-2\tzum\t_", "1\tzu\tADP", "2\tdem\tDET", "2.1\tx\tX", "3\tBahnhof\tNOUN"]
    lines = [f"{number}\t{word}\t_\t{tag}" + "\t_" * 6 for number, word, tag in (row.split("\t") for row in rows)]
    path = write(tmp_path, {"de.conllu": "\n".join(["# text = zum Bahnhof", *([*lines, ""] * 9)])}) / "de.conllu"
    (source,) = recognize(path)
    assert source.listing().show(1).tags == (("zu", "ADP"), ("dem", "DET"), ("Bahnhof", "NOUN"))


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (("eng.train.conll", "eng.testa.conll", "eng.testb.conll"), (60, 3, 3)),
        (("train.txt", "dev.txt", "test.txt"), (60, 3, 3)),
        (("xtrain.conll", "x.dev.conll"), (48, 12, 3)),
        (("train.bio", "test.bio"), (48, 12, 3)),
    ],
)
def test_a_folder_brings_its_own_splits(tmp_path: Path, names: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    write(tmp_path, {name: TAGGED * (1 if number else 20) for number, name in enumerate(names)})
    (source,) = recognize(tmp_path)
    dataset = prepared(source)
    assert tuple(len(rows) for rows in dataset.splits.values()) == sizes
    assert source.listing().test_start == 60 + (3 if len(names) == 3 else 0)


def test_an_o_in_nearly_every_place_and_what_goes_on_without_beginning_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, {"t.conll": "a O\nb O\nc O\nd O\ne I-name\n\n" * 9 + "f B-name\n"}) / "t.conll"
    first, second = Conll(path=str(path)).look().problems
    assert "78 % of all words are marked “O”" in first.message
    assert "In 9 sentences something goes on" in second.message
    (cut,) = [p for p in Conll(path=str(path), max_length=2).look().problems if p.remedies]
    assert cut.remedies[0].source == Conll(path=str(path), max_length=8)


BROKEN_CONLL = {
    "one column": ("a\nb\n\nc\n" * 9, "does not look like words with tags"),
    "a lost tag": (TAGGED * 9 + "Ann\n", "line 100, has 1 column, but most lines have 2: “Ann”"),
    "one tag": ("a O\n\nb O\n" * 9, "no two different tags"),
    "tags that are words": ("".join(f"a w{i}\n" for i in range(1_500)), "1,500 different tags"),
    "no sentences": ("a O\nb X\n" * 10_001, "line 20,001: more than 20,000 words without an empty line"),
    "zeros": ("a O\0\n" * 9, "zero bytes"),
    "an endless line": ("a O\nb X\n" + "x" * (2**24 + 9), "line 3, is longer than 17 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_CONLL)
def test_broken_files_are_told_with_their_line(tmp_path: Path, name: str) -> None:
    text, message = BROKEN_CONLL[name]
    path = write(tmp_path, {"t.conll": text}) / "t.conll"
    with pytest.raises(DataError, match=message):
        Conll(path=str(path)).load()


def test_tables_are_no_words_with_tags(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    for name in ("sentiment-sentences/imdb_labelled.txt", "tabular/iris.csv"):
        assert Conll().claim(shared(name)) is None
    lines = "".join(f"some text number {i}\t{'O' if i % 2 else 'B-x'}\n" for i in range(30))
    assert Conll().claim(write(tmp_path, {"t.tsv": lines}) / "t.tsv") is None  # no sentences


# Texts in two languages

GERMAN = "".join(f"ein {word} Hund {i}\n" for i in range(30) for word in ("großer", "kleiner"))
ENGLISH = "".join(f"a {word} dog {i}\n" for i in range(30) for word in ("big", "small"))


@pytest.mark.parametrize("packed", [False, True])
def test_what_follows_of_a_translation(tmp_path: Path, packed: bool) -> None:
    files = {"train.de": GERMAN, "train.en": ENGLISH, "val.de": "ein Hund\n", "val.en": "a dog\n", "README.md": "x"}
    if packed:
        files = {f"{name}.gz": gzip.compress(text.encode()) for name, text in files.items()}
    write(tmp_path, files)
    (source,) = recognize(tmp_path)
    source = Parallel(path=str(tmp_path), tokens="words", vocabulary=70, max_length=5)
    dataset = prepared(source)
    assert dataset.spec.tokens == (36, 38)
    assert dataset.spec.target.size == 70
    assert tokens_of(dataset, 0, 0) == ["ein", "grosser".replace("ss", "ß"), "hund", "0"]
    assert tokens_of(dataset, 1, 0)[:4] == ["[BEGIN]", "a", "big", "dog"]
    assert following(dataset, 60) == ["a", "dog", "[END]"]
    assert dataset.targets[60, 3:].tolist() == [IGNORED] * 2
    assert dataset.splits["test"].tolist() == [60]
    swapped = Parallel(path=str(tmp_path), tokens="words", swapped=True)
    assert (swapped.listing().show(60).text, swapped.listing().show(60).answer) == ("a dog", "ein Hund")
    assert recognize(tmp_path / ("train.en.gz" if packed else "train.en"))[0].kind == "parallel"


def test_a_table_of_translations(tmp_path: Path) -> None:
    words = "the small dog sees a large red house near an old bridge over some river".split()
    lines = [" ".join(words[i % 3 : i % 3 + 3 + i % 11]) + f" {i}" for i in range(40)]
    path = (
        write(tmp_path, {"fra.txt": "".join(f"{x}\t{x.replace('the', 'le')} mot\tCC-BY 2.0\n" for x in lines)})
        / "fra.txt"
    )
    (source,) = recognize(path)
    assert source.kind == "parallel"
    assert source.look().rows == 40
    assert source.look().target == ("column 2",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"t.de": "eins\nzwei\n", "t.en": "one\n"}, "has 2 lines, but t.en has 1"),
        ({"t.de": "\n\n", "t.en": "\n\n"}, "no line with a text and its translation"),
        ({"t.de.gz": b"\x1f\x8b broken", "t.en": "one\n"}, r"t\.de\.gz is broken|cannot be read"),
        ({"t.de.gz": gzip.compress(b"eins\n" * 99)[:-9], "t.en": "one\n"}, r"t\.de\.gz is broken"),
        ({"t.de.gz": gzip.compress(b"\n" * (2**27 + 9)), "t.en": "one\n"}, "more than 134 MB of text"),
        ({"t.de": "x" * 2**21, "t.en": "one"}, "line 1, has 2,097,152 characters"),
        ({"t.de": b"eins\0", "t.en": "one"}, "zero bytes"),
    ],
)
def test_broken_pairs_are_told(tmp_path: Path, files: dict[str, str | bytes], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Parallel(path=str(write(tmp_path, files))).load()


def test_lines_out_of_step_and_untranslated_ones_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"t.de": GERMAN + "same\n" + "lang " * 30 + "\n", "t.en": ENGLISH + "same\nshort\n"})
    problems = Parallel(path=str(tmp_path)).look().problems
    assert [problem.remedies[0].exclude for problem in problems] == [(60,), (61,)]


# All of them


@pytest.mark.parametrize("kind", [PlainText, Conll, Parallel])
def test_what_is_not_there_is_told(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="No file was chosen yet"):
        kind().load()
    for place in (tmp_path, tmp_path / "gone", Path("a" * 5_000)):
        with pytest.raises(MissingDataError, match=r"There (is|are) no "):
            kind(path=str(place)).load()
    with pytest.raises(ValueError, match="on a network"):
        kind(path="//server/share")


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "secret", {"t.txt": PROSE, "train.conll": TAGGED, "train.de": GERMAN, "1.txt": "a b c"})
    for number, (kind, files) in enumerate(
        {
            PlainText: {"t.txt": "t.txt"},
            Conll: {"train.conll": "train.conll"},
            Parallel: {"train.de": "train.de", "train.en": "train.de"},
            sources.get("text-files"): {"good/1.txt": "1.txt", "bad/1.txt": "1.txt"},
        }.items()
    ):
        folder = tmp_path / f"data{number}"
        for name, target in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(tmp_path / "secret" / target)
        with pytest.raises(DataError, match="is a link that leads out of"):
            kind(path=str(folder)).load()  # type: ignore[call-arg]
