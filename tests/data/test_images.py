"""The person's own pictures: which folders they are, what a look tells, and what is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.data import DataChoice, DataError, MissingDataError, Source, cache, rows
from studio.data import registry as sources
from studio.data.batches import Batches
from studio.data.dataset import prepare
from studio.data.images import listing as images_listing
from studio.data.images import store as images_store
from studio.data.recognize import recognize
from studio.fields import FieldError, from_json, replace, to_json
from tests.data.pictures import class_folders, save

ImageFolders: Any = sources.get("image-folders")
ImageTable: Any = sources.get("image-table")


def dropped(path: Path) -> Any:
    (source,) = recognize(path)
    return source


def messages(source: Source, severity: str) -> str:
    return "\n".join(problem.message for problem in source.look().problems if problem.severity == severity)


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    tmp_path = tmp_path / "mine"
    class_folders(tmp_path / "pets")
    for stray in ("README.md", "pets/Thumbs.db", "pets/cat/.DS_Store", "pets/cat/._00.png", "pets/__MACOSX/x/1.png"):
        (tmp_path / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stray).write_bytes(b"x")
    source = dropped(tmp_path)
    assert (source.kind, source.size, source.colour) == ("image-folders", (8, 8), "grey")
    findings = source.look()
    assert (findings.rows, findings.counts, findings.target) == (24, (12, 12), ("label",))
    assert findings.spec.target.names == ("cat", "dog")
    assert [(column.name, column.type) for column in findings.columns] == [("image", "image"), ("label", "categorical")]
    assert findings.problems == ()
    dataset = prepare(DataChoice(source))
    assert dataset.spec == findings.spec
    assert dataset.targets.tolist() == [0] * 12 + [1] * 12
    assert dataset.inputs[0][:, 0, 3, 3].tolist() == [*range(12), *range(20, 32)]
    assert from_json(type(source), to_json(source)) == source


@pytest.mark.parametrize(
    ("parts", "starts"),
    [
        (("train", "test"), (None, 24)), (("train", "val"), (None, 24)), (("train", "val", "test"), (24, 48)),
        (("Training", "valid", "testing"), (24, 48)),
    ],
)  # fmt: skip
def test_own_sets_are_respected(tmp_path: Path, parts: tuple[str, ...], starts: tuple[int | None, int]) -> None:
    source = dropped(class_folders(tmp_path, parts))
    samples = source.load()
    assert (samples.validation_start, samples.test_start) == starts
    listing = source.listing()
    assert (listing.validation_start, listing.test_start, listing.count) == (*starts, 24 * len(parts))
    np.testing.assert_array_equal(listing.labels, samples.targets)
    shown = [listing.show(i) for i in (0, 13, 24)]
    assert [int(one.picture[0, 0, 0]) for one in shown] == samples.inputs[0][[0, 13, 24], 0, 0, 0].tolist()
    assert [one.answer for one in shown] == ["cat", "dog", "cat"]


def test_a_set_of_other_folders_is_not_used(tmp_path: Path) -> None:
    """As in Tiny ImageNet, whose validation set has its labels in a file."""
    class_folders(tmp_path, ("train",))
    save(tmp_path / "val" / "images" / "1.png")
    source = dropped(tmp_path)
    assert source.load().test_start is None
    assert "“val” holds no folders of these classes" in messages(source, "note")


def test_pictures_deeper_in_a_class_and_classes_that_are_numbers(tmp_path: Path) -> None:
    for name in ("10", "9"):
        for i in range(3):
            save(tmp_path / name / "images" / f"{i}.png", int(name) + i)
    source = dropped(tmp_path)
    assert source.look().spec.target.names == ("9", "10")
    assert source.load().targets.tolist() == [1, 1, 1, 0, 0, 0]
    assert source.load().inputs[0][:, 0, 0, 0].tolist() == [10, 11, 12, 9, 10, 11]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    class_folders(tmp_path / "pets")
    save(tmp_path / "secret" / "1.png", 200)
    (tmp_path / "pets" / "cat" / "link.png").symlink_to(tmp_path / "secret" / "1.png")
    (tmp_path / "pets" / "other").symlink_to(tmp_path / "secret")
    (tmp_path / "pets" / "dog" / "again.png").symlink_to(tmp_path / "pets" / "dog" / "00.png")
    source = dropped(tmp_path / "pets")
    findings = source.look()
    assert (findings.rows, findings.spec.target.names) == (25, ("cat", "dog"))
    assert "2 links lead out of the folder" in messages(source, "note")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    class_folders(tmp_path)
    for name in ("cat/pipe.png", "a.csv", "a.json", "a.xml", "classes.txt", "cat/x.json"):
        os.mkfifo(tmp_path / name)
    for kind in ("image-masks", "image-boxes", "image-table", "image-folders"):
        found = sources.get(kind)().claim(tmp_path)
        assert (found is not None) == (kind == "image-folders")
    assert found.look().rows == 24


def test_nothing_else_is_taken_for_pictures(tmp_path: Path) -> None:
    (tmp_path / "texts" / "a").mkdir(parents=True)
    (tmp_path / "texts" / "b").mkdir()
    for name in "ab":
        (tmp_path / "texts" / name / "1.txt").write_text("some words of a text")
    assert dropped(tmp_path / "texts").kind == "text-files"
    save(tmp_path / "work" / "logo.png")
    for i in range(4):
        (tmp_path / "work" / f"{i}.py").write_text("pass")
    assert [source.kind for source in recognize(tmp_path / "work") if source.kind.startswith("image")] == []


def test_pictures_without_classes_are_told(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", i)
    source = dropped(tmp_path)
    assert "one class only" in messages(source, "error")
    assert prepare(DataChoice(source, target="the input itself")).targets.shape == (12, 1, 8, 8)


def test_damaged_files_are_told_and_can_be_left_out(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "cat" / "05.png").write_bytes((tmp_path / "cat" / "05.png").read_bytes()[:40])
    (tmp_path / "dog" / "<b>&.png").write_bytes(b"no picture")
    source = dropped(tmp_path)
    (problem,) = source.look().problems
    assert problem.severity == "error"
    assert problem.samples == (5, 24)
    assert "2 of 25 files cannot be read: “cat/05.png” is no picture" in problem.message
    with pytest.raises(DataError, match=r"2 of 25 files.*leave out"):
        prepare(DataChoice(source))
    (remedy,) = problem.remedies
    assert remedy.text == "Leave out 2 unreadable files"
    mended = DataChoice(source).remedied(remedy)
    dataset = prepare(mended)
    used = {int(row) for split in dataset.splits.values() for row in split}
    assert used == set(range(25)) - {5, 24}
    assert "They are left out" in messages(mended.source, "note")
    assert mended.source.look().columns[0].missing == 2
    shown = source.listing().show(24)
    assert shown.picture is None
    assert shown.problem == "This file is no picture, or its beginning is damaged."


def test_a_mended_file_is_noticed(tmp_path: Path) -> None:
    class_folders(tmp_path)
    path = tmp_path / "cat" / "05.png"
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[41:50] = bytes(9)  # the pixels
    path.write_bytes(damaged)
    times = path.stat()
    source = dropped(tmp_path)
    assert "1 of 24 files" in messages(source, "error")
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same name, size and time as the damaged one had
    assert messages(source, "error") == ""


def test_what_else_a_look_warns_of(tmp_path: Path) -> None:
    class_folders(tmp_path, ("train", "test"), ("cat", "dog"))
    for i in range(3):
        save(tmp_path / "test" / "fox" / f"{i}.png", 240 + i)
    save(tmp_path / "train" / "dog" / "copy.png", 4)  # of cat/04.png
    save(tmp_path / "train" / "dog" / "imageNotFound.gif", 250, (8, 24))
    source = dropped(tmp_path)
    problems = {problem.message: problem for problem in source.look().problems}
    few, copies, gone = (next(m for m in problems if s in m) for s in ("fewer than 10", "another class", "missing"))
    assert "fox (3)" in few
    assert "“train/cat/04.png” is “train/dog/copy.png”" in copies
    assert problems[copies].remedies[0].exclude == (4, 24)
    assert problems[gone].remedies[0].exclude == (25,)
    (shapes,) = (problem for message, problem in problems.items() if "other proportions" in message)
    assert [remedy.source.fit for remedy in shapes.remedies] == ["crop the centre", "pad"]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 8, (28, 28)),
        ([(480, 640)] * 8, (192, 256)),
        ([(50, 50), (60, 70), (90, 40), (66, 64)] * 2, (64, 64)),
        ([(400, 300), (500, 375), (640, 480), (333, 500)] * 2, (128, 128)),
        ([(256, 256)] * 7 + [(360, 360)], (256, 256)),
    ],
)
def test_the_size_is_proposed_from_the_files(
    tmp_path: Path, sizes: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    for number, size in enumerate(sizes):
        save(tmp_path / "ab"[number % 2] / f"{number}.png", np.zeros((*size, 3), np.uint8))
    source = dropped(tmp_path)
    assert (source.size, source.colour) == (expected, "RGB")
    chosen = replace(source, size=(16, 16))
    assert chosen.at(tmp_path / "b").size == (16, 16)  # what somebody chose stays


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="two numbers"):
        ImageFolders(size=(8, 8, 8))
    with pytest.raises(FieldError, match="network"):
        ImageFolders(path="//server/share")
    for source in (ImageFolders(), ImageFolders(path=str(tmp_path / "gone")), ImageFolders(path=str(tmp_path))):
        with pytest.raises(MissingDataError):
            source.load()


def test_progress_is_told_and_can_cancel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dropped(class_folders(tmp_path, count=40))
    told: list[tuple[int, int]] = []
    decode_calls: list[int] = []
    original = images_store.read_row
    monkeypatch.setattr(images_store, "read_row", lambda job, i: (decode_calls.append(i), original(job, i))[1])

    class CancelledError(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise CancelledError

    with monkeypatch.context() as slowly:
        slowly.setattr(images_store, "MOST_THREADS", 1)  # or the others may be done before the first tells
        with pytest.raises(CancelledError):
            prepare(DataChoice(source), progress=cancel)
    assert len(decode_calls) < 80
    assert cache.entries() == []
    prepare(DataChoice(source), progress=lambda done, total: told.append((done, total)))
    assert told == [(16, 80), (32, 80), (48, 80), (64, 80), (80, 80)]
    decode_calls.clear()
    prepare(DataChoice(source))
    assert decode_calls == []


def test_without_a_cache_the_pictures_are_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dropped(class_folders(tmp_path / "pets"))
    expected = prepare(DataChoice(source))
    monkeypatch.setattr(cache, "MOST_BYTES", 10)
    cache.clear()
    found = prepare(DataChoice(source))
    assert not isinstance(source.load().inputs[0], np.memmap)
    assert torch.equal(found.inputs[0], expected.inputs[0])
    assert found.fingerprint == expected.fingerprint
    monkeypatch.setattr(images_store, "MOST_IN_MEMORY", 10)
    with pytest.raises(DataError, match="cannot be kept"):
        source.load()


def test_the_fingerprint_is_of_the_pictures_not_of_where_they_are(tmp_path: Path) -> None:
    one, two = (dropped(class_folders(tmp_path / name)) for name in ("one", "two"))
    assert prepare(DataChoice(one)).fingerprint == prepare(DataChoice(two)).fingerprint
    save(tmp_path / "two" / "cat" / "00.png", 99)
    assert prepare(DataChoice(one)).fingerprint != prepare(DataChoice(two)).fingerprint


def test_a_large_cache_gives_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dropped(class_folders(tmp_path, count=50))
    results = []
    for limit in (2**29, 10):
        monkeypatch.setattr(rows, "MOST_MAPPED_BYTES", limit)
        dataset = prepare(DataChoice(source))
        assert (dataset.files[0] is None) == (limit > 10)
        batches = Batches(dataset, "train", 8, torch.device("cpu"))
        results.append([x for (x,), _ in batches.epoch(torch.Generator().manual_seed(0))])
        assert dataset.scalings[0].shift
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def table(
    folder: Path, header: str, cells: Callable[[int], str], count: int = 12, at: str = "", end: str = ".png"
) -> Path:
    lines = [header]
    for i in range(count):
        save(folder / at / f"p{i}.png", i)
        lines.append(f"p{i}{end},{cells(i)}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("at", ["", "images/deeper"])
@pytest.mark.parametrize("end", ["", ".png"])
def test_a_table_of_classes(tmp_path: Path, at: str, end: str) -> None:
    folder = table(tmp_path / "set", "id,width,breed", lambda i: f"8,{'ab'[i % 2]}", at=at, end=end)
    source = dropped(folder)
    assert (source.kind, source.task, Path(source.path).name) == ("image-table", "classification", "train.csv")
    if not at:
        assert dropped(folder / "train.csv") == source
    findings = source.look()
    assert (findings.rows, findings.counts, findings.target) == (12, (6, 6), ("breed",))
    assert [(c.name, c.type) for c in findings.columns] == [("id", "image"), ("breed", "categorical")]
    samples = source.load()
    assert samples.targets.tolist() == [0, 1] * 6
    assert samples.inputs[0][:, 0, 0, 0].tolist() == list(range(12))
    assert prepare(DataChoice(source)).spec.target.names == ("a", "b")
    assert source.listing().show(3).answer == "b"


@pytest.mark.parametrize(
    ("header", "cells", "task", "names", "first", "answer"),
    [
        ("f,red,big", lambda i: f"{i % 2},1", "multi-label", ("red", "big"), [0, 1], "big"),
        ("f,tags", lambda i: "x|y" if i else "y", "multi-label", ("x", "y"), [0, 1], "y"),
        ("f,age", lambda i: f"{i}.5", "regression", ("age",), [0.5], "age 0.5"),
        ("f,stars", lambda i: f"{i % 3}", "classification", ("0", "1", "2"), 0, "0"),
    ],
)
def test_what_a_table_wants_to_be_predicted(
    tmp_path: Path, header: str, cells: Callable[[int], str], task: str, names: tuple[str, ...], first: Any, answer: str
) -> None:
    source = dropped(table(tmp_path, header, cells))
    assert source.task == source.spec.target.task == source.look().spec.target.task == task
    samples = source.load()
    assert samples.names == names
    assert samples.targets[0].tolist() == first
    assert source.listing().show(0).answer == answer


def test_columns_of_a_table_can_be_chosen(tmp_path: Path) -> None:
    source = dropped(table(tmp_path, "f,label,other", lambda i: f"{'ab'[i % 2]},{'uvw'[i % 3]}"))
    assert source.load().names == ("a", "b")
    assert replace(source, label_columns="other").load().names == ("u", "v", "w")
    with pytest.raises(DataError, match="has no column “nope”"):
        replace(source, label_columns="nope").load()


def test_pictures_that_a_table_names_but_are_not_there(tmp_path: Path) -> None:
    table(tmp_path / "set", "f,label", lambda i: "ab"[i % 2])
    save(tmp_path / "secret.png", 77)
    with open(tmp_path / "set" / "train.csv", "a") as file:
        file.write("gone.png,a\n../secret.png,b\n/etc/passwd,b\nshort\np1.png,\n")
    source = dropped(tmp_path / "set")
    unreadable, few, note = source.look().problems
    assert "fewer than 10 pictures" in few.message
    assert unreadable.samples == (12, 13, 14)
    assert "3 of 15 files cannot be read: “missing/gone.png”" in unreadable.message
    assert "2 rows have no label" in note.message
    assert not source.listing().show(13).picture


def test_showing_a_sample_reads_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dropped(class_folders(tmp_path))
    read: list[str] = []
    original = images_listing.read_file
    monkeypatch.setattr(images_listing, "read_file", lambda path: (read.append(path), original(path))[1])
    monkeypatch.setattr(images_store, "read_file", None)
    assert source.listing().show(13).picture is not None
    assert read == [str(tmp_path / "dog" / "01.png")]


def test_many_files_are_not_all_read_in_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.data.images import look as images_look

    source = dropped(class_folders(tmp_path))
    (tmp_path / "cat" / "05.png").write_bytes(b"no picture")
    monkeypatch.setattr(images_look, "READ_AT_ONCE_FILES", 10)
    assert "Only the beginnings of 24 of 24 files" in messages(source, "note")
    with pytest.raises(DataError, match="1 of 24"):
        prepare(DataChoice(source))
    assert "1 of 24 files cannot be read" in messages(source, "error")  # now it is known


def test_equal_files_have_equal_contents(tmp_path: Path) -> None:
    source = dropped(class_folders(tmp_path))
    save(tmp_path / "dog" / "copy.png", 3)
    listing = source.listing()
    assert listing.contents() is None
    source.unpack()
    contents = listing.contents()
    assert contents is not None
    assert contents.shape == (25, 16)
    assert (contents[3] == contents[24]).all()
    assert len({row.tobytes() for row in contents}) == 24


def test_sixteen_bits(tmp_path: Path) -> None:
    for number, value in enumerate((0, 65_535, 32_768)):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), value, np.uint16)).save(path)
    source = dropped(tmp_path)
    assert source.colour == "grey"
    assert source.load().inputs[0][:, 0, 0, 0].tolist() == [0, 128, 255]
