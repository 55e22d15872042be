"""Project files come back as they were; broken and hostile ones are refused whole."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.data import DataChoice
from studio.data import registry as sources
from studio.project import (
    Project,
    ProjectFileError,
    project_from_json,
    project_to_json,
    read_project,
    read_template,
    write_project,
)  # fmt: skip
from studio.project.file import VERSION
from studio.storage import BadFileError, StorageError, parse_json


def valid() -> dict[str, Any]:
    return project_to_json(read_template("digits-cnn"))


def test_a_project_comes_back_equal_and_byte_for_byte(tmp_path: Path) -> None:
    project = read_template("digits-gru")
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_project(first, project)
    assert read_project(first) == project
    write_project(second, read_project(first))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_project(path, read_template("iris-mlp"))
    content = path.read_bytes()
    for length in range(len(content) - 1):  # the last byte is a newline, which nobody misses
        path.write_bytes(content[:length])
        with pytest.raises(StorageError):
            read_project(path)
        assert path.stat().st_size == length


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets what lies at a path such as "nodes/0/kind"."""

    def apply(data: Any) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parents:
            data = data[part]
        data[last] = value

    return apply


def long_circle(data: dict[str, Any], count: int) -> None:
    data["nodes"] = [{"id": f"n{i}", "name": f"a{i}", "kind": "relu"} for i in range(count)]
    data["links"] = [{"from": [f"n{i}", 0], "to": [f"n{(i + 1) % count}", 0]} for i in range(count)]


BAD = {
    "unknown block": (change("nodes/1/kind", "conv9d"), "block 2: There is no block “conv9d”. Did you mean"),
    "kind is no text": (change("nodes/1/kind", ["x"]), "kind is not a text"),
    "unknown field": (change("nodes/1/fields/colour", 1), "'colour' is no field"),
    "value out of range": (change("nodes/1/fields/filters", 0), "filters must be at least 1"),
    "value of another type": (change("nodes/1/fields/filters", "many"), "whole number"),
    "bool for a number": (change("nodes/1/fields/filters", True), "whole number"),
    "cycle": (change("links/0", {"from": ["n3", 0], "to": ["n2", 0]}), "in a circle"),
    "wrong port": (change("links/0/to", ["n2", 5]), "no input number 5"),
    "negative port": (change("links/0/from", ["n1", -1]), "no output number -1"),
    "unknown node": (change("links/0/to", ["zz", 0]), "no block with the id “zz”"),
    "double link": (change("links/1", {"from": ["n1", 0], "to": ["n2", 0]}), "same input"),
    "end of another type": (change("links/0/to", "n2"), "each end must be"),
    "hostile name": (change("nodes/1/name", "__import__('os')"), "cannot be a block's name"),
    "long name": (change("nodes/1/name", "a" * 10_000), "cannot be a block's name"),
    "double name": (change("nodes/1/name", "image"), "Two blocks have the name"),
    "double id": (change("nodes/1/id", "n1"), "Two blocks have the id"),
    "position": (change("nodes/1/position", [0, 1e300]), "position"),
    "foreign": (change("format", "else"), "not a Training Studio project"),
    "newer": (change("version", VERSION + 1), "newer Training Studio"),
    "version": (change("version", True), "its version is not a whole number"),
    "no version": (lambda data: data.pop("version"), "its version is not a whole number"),
    "huge version": (change("version", 10**399), "(file version 10000000000000000000)"),
    "newer with more": (lambda data: data.update(version=VERSION + 1, layers=[]), "newer Training Studio"),
    "foreign with more": (lambda data: data.update(format="else", layers=[]), "not a Training Studio project"),
    "bool for a place": (change("nodes/1/position", [True, 0]), "position"),
    "bool for a port": (change("links/0/to", ["n2", False]), "each end must be"),
    "id is no text": (change("nodes/1/id", 7), "cannot be a block's id"),
    "name is a list": (change("nodes/1/name", ["a"]), "cannot be a block's name"),
    "huge number": (change("nodes/1/fields/filters", 10**399), "filters must be at most 65,536"),
    "long circle": (lambda data: long_circle(data, 3_000), "in a circle: a0 → a1 → "),
    "unknown key": (change("surprise", 1), "“surprise” is unknown"),
    "nodes": (change("nodes", {}), "“nodes” must be a list"),
    "node": (change("nodes/0", 7), "block 1 must be a JSON object"),
    "dataset": (change("data/kind", "mnits"), "no dataset “mnits”. Did you mean “mnist”"),
    "split": (change("data/split/test", 2), "at most 0.9"),
    "epochs": (change("training/epochs", 0), "epochs must be at least 1"),
    "optimizer": (change("training/optimizer/kind", "magic"), "no optimizer “magic”"),
    "optimizer field": (change("training/optimizer/fields/learning_rate", "x"), "learning rate must be a number"),
    "title": (change("title", 3), "“title” must be a text"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_content_is_refused_by_name(name: str) -> None:
    corrupt, message = BAD[name]
    data = valid()
    corrupt(data)
    with pytest.raises(ProjectFileError, match=r"^p\.json cannot be opened: ") as caught:
        project_from_json(data, "p.json")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("key", ["nodes", "links"])
def test_missing_parts_are_named(key: str) -> None:
    data = valid()
    del data[key]
    with pytest.raises(ProjectFileError, match=f"“{key}” is missing"):
        project_from_json(data, "p.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(seed=st.integers(0, 2**32 - 1), value=JSON)
@settings(max_examples=300, deadline=None)
def test_any_mutation_is_a_project_or_a_typed_error(seed: int, value: Any) -> None:
    data, rng = copy.deepcopy(valid()), random.Random(seed)
    place: Any = data
    while True:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or rng.random() < 0.2:
            break
        place = place[key]
    place[key] = value
    try:
        project = project_from_json(data, "p.json")
    except ProjectFileError:
        return
    assert project_from_json(json.loads(json.dumps(project_to_json(project))), "p.json") == project


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_damaged_bytes_are_a_project_or_a_typed_error(changes: list[tuple[float, int]]) -> None:
    content = bytearray(json.dumps(valid()).encode())
    for where, byte in changes:
        content[int(where * len(content))] = byte
    with contextlib.suppress(BadFileError):
        project_from_json(parse_json(bytes(content), "p.json"), "p.json")


def test_saving_never_harms_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.json"
    write_project(path, read_template("iris-mlp"))
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.storage.os.fsync", fail)
    with pytest.raises(StorageError, match="disk is full"):
        write_project(path, Project())
    assert path.read_bytes() == before


def test_rubbish_is_no_project(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    for content in (b"", b"[]", b"null", b"\x00\xff", b'"x"', b"{}"):
        path.write_bytes(content)
        with pytest.raises(BadFileError):
            read_project(path)


def test_texts_beside_a_project_can_be_moved_with_it(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "texts").mkdir(parents=True)
    source = sources.get("text-files")(path=str(here / "texts" / "films.csv"))
    write_project(here / "p.json", Project(data=DataChoice(source=source)))
    assert read_project(here / "p.json").data.source == source
    here.rename(there)
    assert read_project(there / "p.json").data.source.path == str(there / "texts" / "films.csv")
    elsewhere = Project(data=DataChoice(source=sources.get("text-files")(path=str(tmp_path / "films.csv"))))
    write_project(there / "q.json", elsewhere)
    there.rename(here)
    assert read_project(here / "q.json") == elsewhere
