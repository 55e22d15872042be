"""A look at texts with classes: lengths and what they make sensible, labels that look wrong, samples one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import DataChoice, DataError, Remedy
from studio.data import registry as sources
from studio.data.examples import examples
from studio.data.recognize import recognize
from studio.data.texts.lengths import Measured, measure, proposed_length, proposed_vocabulary
from studio.data.texts.tokens import TokenRules

TextFiles: Any = sources.get("text-files")


def table(folder: Path, rows: list[tuple[str, str]], name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text("label,text\n" + "".join(f"{label},{text}\n" for label, text in rows), encoding="utf-8")
    return path


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{number}" for number in range(start, start + count))


def test_lengths_make_a_length_and_a_vocabulary() -> None:
    measured = measure([words(n % 20 + 1) for n in range(200)], TokenRules())
    assert (measured.within(0.5), measured.within(0.95), measured.of_all) == (10, 19, True)
    assert measured.vocabulary == 22
    assert measured.cut_at(15) == pytest.approx(0.25)
    assert measured.padding_at(20) == pytest.approx(1 - 10.5 / 20)
    assert proposed_length(measured) == 24
    assert proposed_vocabulary(measured) == 100
    many = measure([words(3, n) for n in range(5_000)], TokenRules())
    assert (len(many.lengths), many.of_all) == (1_667, False)
    assert proposed_vocabulary(many) == 10_000
    assert proposed_length(Measured(np.full(9, 5_000), 9, True)) == 400
    assert measure(["", "..."], TokenRules()).within(0.95) == 0


def test_what_is_proposed_for_a_file_fits_it(tmp_path: Path) -> None:
    path = table(tmp_path, [("ab"[n % 2], words(5 + n % 30)) for n in range(100)])
    (source,) = recognize(path)
    assert (source.max_length, source.vocabulary) == (40, 100)
    found = source.look()
    assert found.rows == 100
    assert "95 % at most 33. At a length of 40, 0 % are cut and 54 % of all places are padding" in found.summary
    assert [(column.name, column.type) for column in found.columns] == [("text", "text"), ("label", "categorical")]
    (short,) = TextFiles(path=str(path), max_length=10).look().problems[1:]
    assert "76 % of the texts are cut" in short.message
    assert short.remedies == (Remedy("Take 40 tokens of each", TextFiles(path=str(path), max_length=40)),)


def test_labels_that_look_like_mistakes_are_told(tmp_path: Path) -> None:
    rows = [(["good", "bad", "-1", "1"][n % 4], words(5, n)) for n in range(120)]
    rows[7], rows[9], rows[50] = ("Good ", rows[7][1]), ("GOOD", rows[9][1]), ("spelling", rows[50][1])
    problems = TextFiles(path=str(table(tmp_path, rows))).look().problems
    assert [problem.samples for problem in problems] == [
        tuple(sorted({*range(0, 120, 4), 7, 9}))[:20],
        (7, 9, 50),
    ]
    assert "“GOOD” (1) and “Good” (1) and “good” (30)" in problems[0].message
    assert "“GOOD”, “Good”, “spelling”" in problems[1].message


def test_empty_texts_and_a_few_words_are_told(tmp_path: Path) -> None:
    for label in "ab":
        for number in range(20):
            (tmp_path / label).mkdir(exist_ok=True)
            (tmp_path / label / f"{number:02}.txt").write_text("" if number == 7 else f"yes no {label}")
    source = TextFiles(path=str(tmp_path))
    empty, few = source.look().problems
    assert (empty.samples, empty.remedies[0].exclude) == ((7, 27), (7, 27))
    assert "2 texts are empty" in empty.message
    assert "6 different words" in few.message
    listing = source.listing()
    (tmp_path / "b" / "03.txt").unlink()  # files are read when they are shown
    shown = listing.show(22)
    assert (shown.title, shown.text, shown.answer) == ("b/02.txt", "yes no b", "b")
    assert "cannot be read" in listing.show(23).problem
    assert (listing.count, listing.labels.tolist()) == (40, [0] * 20 + [1] * 20)


def test_targets_of_steps_are_shown_in_words(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("abcd " * 100)
    (example, *_) = examples(DataChoice(sources.get("plain-text")(path=str(tmp_path / "t.txt"), length=4)))
    assert len(example.target) == 6
    assert example.target[1:5] in "abcd abcd "


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.conll", "t.de"])
def test_an_endless_line_is_told_soon(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with open(path, "wb") as file:
        file.write(b"label,text\na,some words here\n" if name == "t.csv" else b"a O\n")
        file.seek(2**30)
        file.write(b"x")
    assert recognize(path) == []
    kinds = {"t.csv": "text-files", "t.txt": "plain-text", "t.conll": "conll", "t.de": "parallel"}
    (tmp_path / "t.en").write_text("x\n")
    with pytest.raises(DataError, match=r"is longer than|MB of text|zero bytes"):
        sources.get(kinds[name])(path=str(path)).load()  # type: ignore[call-arg]
