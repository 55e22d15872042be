"""From texts to a checkpoint that predicts on raw texts by itself."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.repairs import with_repairs
from studio.compile.shapes import analyze
from studio.data import DataChoice
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.data.texts.sources import TextFiles
from studio.data.texts.tokens import Tokenization
from studio.export.formats import ExportError
from studio.export.write import export
from studio.fields import replace as replace_fields
from studio.graph.edits import SetBlock
from studio.project import Project
from studio.settings import TrainingSettings
from studio.training.checkpoint import read_checkpoint, write_checkpoint
from studio.training.errors import TrainingError
from tests.helpers import block, chain

MOODS = {"good": "wonderful bright lovely fine", "bad": "awful dull boring weak", "odd": "strange weird curious queer"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """240 texts of three classes, told apart by single words."""
    rng = random.Random(0)
    rows = ["mood,words"]
    for number in range(240):
        mood = list(MOODS)[number % 3]
        words = rng.choices("the film was a bit too long for me".split(), k=rng.randint(2, 30))
        rows.append(f"{mood},{rng.choice(MOODS[mood].split())} {' '.join(words)}")
    path = tmp_path / "texts.csv"
    path.write_text("\n".join(rows))
    return path


def project_for(table: Path, rows: int = 60, classes: int = 3, **fields: object) -> Project:
    source: Any = sources.get("text-files")(path=str(table), **{"max_length": 16, "vocabulary": 60, **fields})
    graph = chain(
        block("input", shape=(16,), values="tokens"),
        block("embedding", vocabulary=rows, features=16, padding=True),
        block("global_max_pool"),
        block("dense", units=classes),
        block("output"),
    )
    settings = TrainingSettings(epochs=30, batch_size=16, threads=1)
    learning = replace(settings, optimizer=replace_fields(settings.optimizer, learning_rate=0.02))
    return Project(graph, DataChoice(source=source), learning, "Moods")


@pytest.mark.parametrize("kind", ["words", "byte-pair"])
def test_a_checkpoint_alone_predicts_on_raw_texts(table: Path, train: Callable, tmp_path: Path, kind: str) -> None:
    vocabulary = {"words": 60, "byte-pair": 320}[kind]
    project = project_for(table, rows=vocabulary, tokens=kind, vocabulary=vocabulary)
    finished, _ = train(project)
    assert finished.metrics["test"]["accuracy"] > 0.8  # 1.0 on every seed tried; a third by chance
    checkpoint = read_checkpoint(Path(finished.checkpoint))
    assert json.loads((Path(finished.run) / "preparation.json").read_text()) == checkpoint.preparation
    (given,) = checkpoint.preparation["inputs"]
    tokens = Tokenization.from_json(given["tokens"])
    model = build_network(make_plan(checkpoint.project.graph))
    model.load_state_dict(checkpoint.model)
    texts = ["A WONDERFUL film", "it was awful", "weird"]
    scores = model.eval()(torch.from_numpy(tokens.apply(texts)))
    export(Path(finished.run), "python", tmp_path / "net.py")
    script = (
        "import sys, torch; sys.path.insert(0, sys.argv[1])\n"
        "from net import LABELS, load_model, load_tokenizer, prepare\n"
        "model, tokenizer = load_model(sys.argv[2]), load_tokenizer(sys.argv[2])\n"
        f"scores = model(prepare({texts!r}, tokenizer))\n"
        "print([LABELS[i] for i in scores.argmax(1)], scores.tolist(), prepare([], tokenizer).shape)\n"
        "assert 'studio' not in sys.modules\n"
    )
    command = [sys.executable, "-I", "-c", script, str(tmp_path), finished.checkpoint]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    named = [checkpoint.preparation["names"][i] for i in scores.argmax(1)]
    assert done.stdout.startswith(f"{named} {scores.tolist()} torch.Size([0, 16])")
    if kind == "words":
        assert named == ["good", "bad", "odd"]


def test_weights_without_a_vocabulary_say_so(table: Path, train: Callable, tmp_path: Path) -> None:
    project = project_for(table)
    finished, _ = train(replace(project, training=replace_fields(project.training, epochs=1)))
    export(Path(finished.run), "python", tmp_path / "net.py")
    export(Path(finished.run), "state-dict", tmp_path / "w.pt")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec((tmp_path / "net.py").read_text(), namespace)
    with pytest.raises(ValueError, match="take the checkpoint of the run"):
        namespace["load_tokenizer"](str(tmp_path / "w.pt"))


def test_a_foreign_vocabulary_in_a_checkpoint_is_not_exported(table: Path, train: Callable, tmp_path: Path) -> None:
    project = project_for(table)
    finished, _ = train(replace(project, training=replace_fields(project.training, epochs=1)))
    checkpoint = read_checkpoint(Path(finished.checkpoint))
    checkpoint.preparation["inputs"][0]["tokens"]["tokenizer"] = '{"model": {}}'
    write_checkpoint(tmp_path / "other.pt", checkpoint)
    with pytest.raises(ExportError, match="not made by this program"):
        export(tmp_path / "other.pt", "python", tmp_path / "net.py")
    assert not (tmp_path / "net.py").exists()


def test_source_that_cuts_texts_differently_is_not_written(
    table: Path, train: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.export import python

    honest = python.make_source
    monkeypatch.setattr(python, "make_source", lambda *args: honest(*args).replace("= 1  # a text", "= 0  # a text"))
    project = project_for(table)
    finished, _ = train(replace(project, training=replace_fields(project.training, epochs=1)))
    with pytest.raises(ExportError, match="into other tokens"):
        export(Path(finished.run), "python", tmp_path / "net.py")


def test_a_table_of_too_few_rows_has_a_repair(table: Path, train: Callable) -> None:
    project = project_for(table, rows=10)
    spec = prepare(project.data).spec
    assert spec.tokens == (23,)
    analysis = with_repairs(project.graph, analyze(project.graph, spec), spec)
    (problem,) = analysis.problems
    assert "has a row for 10 tokens, but the dataset has up to 23" in problem.message
    repair = problem.repairs[0]
    assert repair.text == "Set vocabulary to 23"
    assert analyze(repair.edit.apply(project.graph), spec).problems == ()
    with pytest.raises(TrainingError, match="row for 10 tokens"):
        train(project)


def test_the_classes_are_checked_as_soon_as_they_are_known(table: Path, train: Callable) -> None:
    project = project_for(table, classes=5)
    source = project.data.source
    assert analyze(project.graph, source.spec).problems == ()
    known = source.look().spec
    (problem,) = analyze(project.graph, known).problems
    assert "3 classes" in problem.message
    repairs = with_repairs(project.graph, analyze(project.graph, known), known).problems[0].repairs
    assert repairs[0].text == "Set “dense_1” to 3 units"
    with pytest.raises(TrainingError, match="3 classes"):
        train(project)


def test_padding_that_counts_as_a_word_has_a_repair(table: Path) -> None:
    project, spec = project_for(table), TextFiles(max_length=16, vocabulary=60).spec
    graph = SetBlock("n2", block("embedding", vocabulary=60, features=16)).apply(project.graph)
    analysis = with_repairs(graph, analyze(graph, spec), spec)
    (problem,) = analysis.problems
    assert (problem.severity, problem.repairs[0].text) == ("hint", "Set padding to True")
    assert analyze(problem.repairs[0].edit.apply(graph), spec).problems == ()
    assert analyze(graph).problems == ()  # without texts, number 0 may be anything
