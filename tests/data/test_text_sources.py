"""Text sources: folders, tables and IMDB, what they find and what they learn."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.data import DataChoice, DataError, MissingDataError, Source, imdb
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.fields import FieldError

TextFiles: Any = sources.get("text-files")
IMDB: Any = sources.get("imdb")


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def reviews(parts: tuple[str, ...], classes: tuple[str, ...] = ("neg", "pos"), count: int = 6) -> dict[str, str]:
    """Review number i of a class says so, and every part has a word of its own."""
    return {
        f"{part}{label}/{i}_{i}.txt": f"a {label} film {i}<br />word{part.strip('/')}"
        for part in parts for label in classes for i in range(count)
    }  # fmt: skip


def prepared(source: Source) -> Any:
    return prepare(DataChoice(source=source))


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    write(tmp_path / "films", reviews(("",)))
    write(tmp_path / "films", {".hidden/1.txt": "x", "pos/notes.pdf": "x", "empty/.keep": ""})
    source = TextFiles(path=str(tmp_path), max_length=6)  # one above
    assert source.spec.target.size == 0
    assert source.look().spec.target.names == ("neg", "pos")
    assert "12 texts. Classes: neg (6), pos (6)" in source.look().summary
    dataset = prepared(source)
    assert dataset.spec.inputs == source.look().spec.inputs == source.spec.inputs
    assert dataset.spec.target == source.look().spec.target
    assert dataset.targets.tolist() == [0] * 6 + [1] * 6
    assert dataset.text(7) == "a pos film 1<br />word"


@pytest.mark.parametrize("second", ["test/", "val/", "dev/"])
def test_a_second_folder_is_the_test_set(tmp_path: Path, second: str) -> None:
    write(tmp_path, reviews(("train/", second)))
    dataset = prepared(TextFiles(path=str(tmp_path)))
    assert dataset.splits["test"].tolist() == list(range(12, 24))
    assert "12 of them in a test set of its own" in TextFiles(path=str(tmp_path)).look().summary


def test_sets_of_their_own_are_respected(tmp_path: Path) -> None:
    write(tmp_path, reviews(("train/", "val/", "test/")))
    dataset = prepared(TextFiles(path=str(tmp_path)))
    parts = {split: {dataset.text(row).split("word")[1] for row in rows} for split, rows in dataset.splits.items()}
    assert parts == {"train": {"train"}, "validation": {"val"}, "test": {"test"}}


def test_the_vocabulary_is_learned_from_the_training_split_alone(tmp_path: Path) -> None:
    texts = {f"train/{label}/{i}.txt": f"common own{label}{i}" for label in "ab" for i in range(10)}
    texts |= {f"test/{label}/{i}.txt": f"common secret{i}" for label in "ab" for i in range(5)}
    dataset = prepared(TextFiles(path=str(write(tmp_path, texts))))
    (tokens,) = dataset.learned
    known = {word for row in dataset.splits["train"] for word in dataset.text(row).split()}
    words = {tokens.tokens([number])[0] for number in range(2, tokens.size)}
    assert words == known
    assert dataset.spec.tokens == (len(known) + 2,)
    rows = [*dataset.splits["validation"].tolist(), *dataset.splits["test"].tolist()]
    assert all(dataset.inputs[0][row][:3].tolist() == [tokens.apply(["common"])[0][0], 1, 0] for row in rows)


def test_the_same_texts_and_settings_give_the_same_fingerprint(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", reviews(("",)))
    copy = write(tmp_path / "b", dict(reversed(reviews(("",)).items())))
    first = prepared(TextFiles(path=str(folder))).fingerprint
    assert prepared(TextFiles(path=str(copy))).fingerprint == first
    assert prepared(TextFiles(path=str(folder), tokens="characters")).fingerprint != first
    renamed = {name: text.replace("film", "play") for name, text in reviews(("",)).items()}
    assert (
        prepared(TextFiles(path=str(write(tmp_path / "c", renamed)))).fingerprint != first
    )  # same numbers, other words


def test_files_are_read_again_only_when_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.data import text_reading

    table = tmp_path / "t.csv"
    table.write_text("label,text\n" + "a,one two\nb,three four\n" * 5)
    read, calls = text_reading.read_table, []
    monkeypatch.setattr(text_reading, "read_table", lambda *args: calls.append(args) or read(*args))
    source = TextFiles(path=str(table))
    assert source.look() == source.look()
    prepared(TextFiles(path=str(table), vocabulary=50))
    assert len(calls) == 1
    table.write_text("label,text\n" + "a,one two\nc,three four\n" * 6)
    assert source.look().spec.target.names == ("a", "c")
    assert len(calls) == 2


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("label,text\n" + "".join(f"{i % 12},some text {i}\n" for i in range(48)))
    assert TextFiles(path=str(table)).look().spec.target.names == tuple(map(str, range(12)))


def test_settings_are_checked() -> None:
    with pytest.raises(FieldError, match="at least 300 for byte pairs"):
        TextFiles(tokens="byte-pair", vocabulary=299)
    for path in ("\\\\server\\share\\t.csv", "//server/share/t.csv"):
        with pytest.raises(FieldError, match="must not be on a network"):
            TextFiles(path=path)
    with pytest.raises(FieldError, match="no path has"):
        TextFiles(path="a\nb")


def test_what_is_missing_or_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="No texts were chosen yet"):
        TextFiles().load()
    with pytest.raises(MissingDataError, match="There are no texts at"):
        TextFiles(path=str(tmp_path / "gone.csv")).load()
    with pytest.raises(MissingDataError, match="holds no folders of"):
        TextFiles(path=str(tmp_path)).load()
    table = tmp_path / "t.csv"
    table.write_text("label,text\n" + "a,one\n" * 5)
    with pytest.raises(DataError, match="one class only, “a”"):
        TextFiles(path=str(table), label_column="label").load()
    table.write_text("label,text\n" + "".join(f"{i},one\n" for i in range(1_500)))
    with pytest.raises(DataError, match="1,500 different labels"):
        TextFiles(path=str(table), label_column="label").load()
    with pytest.raises(MissingDataError, match=r"aclImdb_v1.tar.gz.*84 MB"):
        IMDB().load(tmp_path)


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


IMDB_FILES = {
    **reviews(("train/", "test/")), "README": "x", "train/unsup/0_0.txt": "none", "train/pos/urls.dat": ""
}  # fmt: skip


@pytest.mark.parametrize("form", ["archive", "folder", "its folder", "its parent"])
def test_imdb_in_every_form_is_the_same(tmp_path: Path, form: str) -> None:
    write(tmp_path / "data" / "aclImdb", IMDB_FILES)
    place = {"folder": "data", "its folder": "data/aclImdb", "its parent": "data", "archive": "packed"}[form]
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / imdb.ARCHIVE).write_bytes(archive(dict(reversed(IMDB_FILES.items()))))
    samples = IMDB().load(tmp_path / place)
    assert samples.test_start == 12
    assert samples.targets.tolist() == ([0] * 6 + [1] * 6) * 2
    assert samples.inputs[0].texts[6] == "a pos film 0 wordtrain"
    assert [source.kind for source in recognize(tmp_path / place)] == ["imdb"]


def test_a_broken_archive_of_imdb_is_told(tmp_path: Path) -> None:
    path = tmp_path / imdb.ARCHIVE
    for content, message in (
        (archive(IMDB_FILES)[:-20], "is broken"),
        (b"no gzip", "is broken"),
        (archive({"README": "x"}), "holds no reviews"),
        (archive({**IMDB_FILES, "train/pos/9_9.txt": "x" * 2**21}), "2,097,152 bytes; no review has"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            IMDB().load(tmp_path)


def test_imdb_is_downloaded_whole_or_not_at_all(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = archive(IMDB_FILES)
    from studio.data import download

    monkeypatch.setattr(download, "_blocks", lambda url, secrets: iter([content]) if url == imdb.URL else iter(()))
    with pytest.raises(DataError, match="not the original file"):
        IMDB().download()
    assert not (cache / imdb.ARCHIVE).exists()
    monkeypatch.setattr(imdb, "MD5", hashlib.md5(content).hexdigest())
    told: list[tuple[int, int]] = []
    IMDB().download(lambda done, total: told.append((done, total)))
    assert told[-1] == (len(content), 84_125_825)
    assert len(IMDB().load().targets) == 24


def test_the_shared_reviews(shared: Callable[[str], Path], tmp_path: Path) -> None:
    with tarfile.open(shared("imdb-subset/aclImdb-2000-folders.tar.gz")) as tar:
        tar.extractall(tmp_path, filter="data")
    dataset = prepare(DataChoice(source=IMDB()), tmp_path)
    assert {split: len(rows) for split, rows in dataset.splits.items()} == {
        "train": 1276,
        "validation": 224,
        "test": 500,
    }
    assert dataset.inputs[0].shape == (2_000, 200)
    assert not any("<br" in dataset.text(row) for row in range(len(dataset.targets)))
    own = TextFiles(path=str(tmp_path / "aclImdb")).load()
    assert Counter(own.targets.tolist()) == {0: 1_000, 1: 1_000}
    assert own.test_start == 1_500


def test_texts_are_recognized(tmp_path: Path) -> None:
    folder = write(tmp_path / "films", reviews(("",)))
    table = tmp_path / "t.csv"
    table.write_text("label,text\n" + "".join(f"{i % 2},some longer text {i}\n" for i in range(12)))
    (tmp_path / "note.txt").write_text("hello")
    assert recognize(table) == [TextFiles(path=str(table), max_length=8, vocabulary=100)]  # all of it was looked at
    assert recognize(folder) == [TextFiles(path=str(folder), max_length=8)]
    assert recognize(tmp_path / "note.txt") == []
    assert recognize(tmp_path / "gone.csv") == []
    (tmp_path / "round").mkdir()
    (tmp_path / "round" / "again").symlink_to(tmp_path / "round")
    assert recognize(tmp_path / "round") == []
