"""Exported source prepares rows of a table as training did: every kind of column, right and wrong cells."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.data import DataChoice
from studio.data.dataset import prepare
from studio.data.tables.source import TableFile
from studio.export import python, python_categories, python_columns
from studio.export.formats import ExportError
from studio.export.write import export
from studio.project import Project, read_template
from studio.project.model import fit_ends
from studio.project.propose import propose_project
from studio.training.checkpoint import read_checkpoint
from studio.training.events import Finished
from tests.data.test_tables import as_csv, labels, people
from tests.training.conftest import own_folders, train, with_settings  # noqa: F401  (fixtures)

Train = Callable[..., tuple[Finished, list[Any]]]


def fitted(source: TableFile, **data: Any) -> Project:
    read = with_settings("table-classifier", epochs=2)
    graph = fit_ends(read.graph, source.look().spec).apply(read.graph)
    return replace(read, graph=graph, data=replace(DataChoice(source=source), **data))


@pytest.fixture
def source(tmp_path: Path) -> TableFile:
    """A column of every kind."""
    colors = ("red; green", "green", "", "blue; red")
    rows = [{**row, "seen": colors[number % 4], "zero": max(number - 10, 0) * 7} for number, row in enumerate(people())]
    (tmp_path / "t.csv").write_text(as_csv(rows))
    return TableFile(path=str(tmp_path / "t.csv"), zeros="zero", target="target")


@pytest.mark.parametrize("scaling", ["standardize", "none"])
def test_rows_are_prepared_as_in_training(source: TableFile, train: Train, tmp_path: Path, scaling: str) -> None:  # noqa: F811
    project = fitted(source, scaling=scaling)
    finished, _ = train(project)
    checkpoint = Path(finished.checkpoint)
    kinds = {code["kind"] for code in read_checkpoint(checkpoint).preparation["inputs"][0]["columns"]["codes"]}
    assert kinds == set(python_columns._OF_KIND), "every kind is tried"
    export(Path(finished.run), "python", tmp_path / "net.py")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec((tmp_path / "net.py").read_text(), namespace)
    with open(source.path, newline="") as file:
        rows = list(csv.DictReader(file))
    dataset = prepare(project.data)
    expected = dataset.scalings[0].apply(dataset.inputs[0])
    assert torch.equal(namespace["prepare"](rows), expected)
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "net.py"), str(checkpoint), source.path], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 60
    assert done.stdout.startswith(("0: ", "1: "))


def embedded(source: TableFile) -> Project:
    """A project with an Embedding of the categories, some of which are missing."""
    chosen = replace(source, categories="embedding", types="seen: categorical")
    project = propose_project(chosen, chosen.look())
    return replace(project, training=with_settings("table-classifier", epochs=2).training)


def test_categories_become_the_same_tokens(source: TableFile, train: Train, tmp_path: Path) -> None:  # noqa: F811
    project = embedded(source)
    finished, _ = train(project)
    export(Path(finished.run), "python", tmp_path / "net.py")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec((tmp_path / "net.py").read_text(), namespace)
    with open(source.path, newline="") as file:
        rows = list(csv.DictReader(file))
    dataset = prepare(project.data)
    names = [given["name"] for given in read_checkpoint(Path(finished.checkpoint)).preparation["inputs"]]
    numbers, tokens = (namespace[f"prepare_{name}"](rows) for name in names)
    assert torch.equal(numbers, dataset.scalings[0].apply(dataset.inputs[0]))
    assert torch.equal(tokens, dataset.inputs[1])
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "net.py"), finished.checkpoint, source.path, source.path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 60


def test_source_that_makes_other_tokens_is_not_written(
    source: TableFile, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    finished, _ = train(embedded(source))
    right = python_categories._PREPARE
    for part, wrong in (
        ('len(choices) + column.get("missing", False)', "len(choices)"),
        ("choices.index(text)", "len(text)"),
        ("first +=", "first ="),
    ):
        monkeypatch.setattr(python_categories, "_PREPARE", right.replace(part, wrong))
        with pytest.raises(ExportError, match="prepares rows of a table in another way"):
            export(Path(finished.run), "python", tmp_path / "net.py")
    with pytest.raises(ExportError, match="no training script for this run yet: how “Table” is loaded"):
        export(Path(finished.run), "script", tmp_path / "train.py")


def test_source_that_prepares_rows_otherwise_is_not_written(
    source: TableFile, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    finished, _ = train(fitted(source))
    for kind, text in list(python_columns._OF_KIND.items()):
        wrong = text.replace("float(", "2 * float(") if "float(" in text else text + "        numbers[0] += 0.5\n"
        monkeypatch.setitem(python_columns._OF_KIND, kind, wrong)
        with pytest.raises(ExportError, match="prepares rows of a table in another way"):
            export(Path(finished.run), "python", tmp_path / "net.py")
        monkeypatch.setitem(python_columns._OF_KIND, kind, text)
    export(Path(finished.run), "python", tmp_path / "net.py")


def test_hostile_names_only_change_constants(source: TableFile, train: Train, tmp_path: Path) -> None:  # noqa: F811
    text = Path(source.path).read_text().replace("color", "a'''\\n\"\"\";import os{}$x")
    Path(source.path).write_text(text)
    finished, _ = train(fitted(source))
    export(Path(finished.run), "python", tmp_path / "net.py")
    assert "a'''" in Path(source.path).read_text()


def test_several_labels_are_learned_and_told(train: Train, tmp_path: Path) -> None:  # noqa: F811
    table = tmp_path / "t.csv"
    rows = [(a, b, c, x, -y) for x, (_, a, b, c) in enumerate(labels(240)) for y in [x % 7]]
    table.write_text(
        "x,z,w,has_a,has_b,has_c\n" + "".join(f"{a + x % 3 / 9},{b},{c * 2},{a},{b},{c}\n" for a, b, c, x, _ in rows)
    )
    source = TableFile(path=str(table))
    read = read_template("table-classifier")
    project = replace(fitted(source), training=read.training)
    finished, _ = train(project)
    test, baseline = finished.metrics["test"], finished.baseline["test"]
    assert test["accuracy"] > 0.95 > baseline["accuracy"] + 0.1
    assert test["loss"] < 0.5 * baseline["loss"]
    export(Path(finished.run), "python", tmp_path / "net.py")
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "net.py"), finished.checkpoint, str(table)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = done.stdout.splitlines()[0]
    assert line.startswith("has_a: ")
    assert line.count("%") == 3


def test_a_damaged_preparation_is_refused(source: TableFile, train: Train, tmp_path: Path) -> None:  # noqa: F811
    finished, _ = train(fitted(source))
    checkpoint = read_checkpoint(Path(finished.checkpoint))
    checkpoint.preparation["inputs"][0]["columns"]["codes"][0]["kind"] = "magic"
    with pytest.raises(ExportError, match="not written by this program"):
        python.write(checkpoint, Path(finished.checkpoint), tmp_path / "net.py")
