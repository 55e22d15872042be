"""Exported source, run as a program."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data import registry
from studio.data.dataset import prepare
from studio.export import python
from studio.export.write import export
from studio.project import read_template
from studio.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from studio.training.preparation import describe_preparation


def program(source: Path, *arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(source), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=source.parent, check=False, timeout=120)


def test_it_names_the_class_of_each_sample(checkpoint: Path, tmp_path: Path) -> None:
    source = tmp_path / "net.py"
    export(checkpoint, "python", source)
    kept = read_checkpoint(checkpoint)
    dataset = prepare(kept.project.data)
    raw = dataset.inputs[0][:5]
    torch.save(raw, tmp_path / "raw.pt")
    done = program(source, checkpoint, tmp_path / "raw.pt")
    assert done.returncode == 0, done.stderr
    model = build_network(make_plan(kept.project.graph)).eval()
    model.load_state_dict(kept.model)
    with torch.no_grad():
        best = model(dataset.scalings[0].apply(raw)).argmax(1)
    labels = kept.preparation["names"]
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [labels[i] for i in best]
    assert done.stdout.splitlines()[0].endswith("%")
    usage = program(source)
    assert usage.returncode == 1
    assert "CHECKPOINT SAMPLES.pt" in usage.stderr
    assert "raw values (N, 1, 8, 8)" in usage.stderr


def test_answers_that_nobody_can_read_are_saved(tmp_path: Path) -> None:
    project = read_template("digits-autoencoder")
    plan, dataset = make_plan(project.graph), prepare(project.data)
    torch.manual_seed(0)
    model = build_network(plan).eval()
    preparation = describe_preparation(dataset, plan)
    write_checkpoint(tmp_path / "w.pt", Checkpoint(dict(model.state_dict()), {}, 1, 1, {}, project, preparation))
    export(tmp_path / "w.pt", "python", tmp_path / "net.py")
    torch.save(dataset.inputs[0][:3], tmp_path / "raw.pt")
    done = program(tmp_path / "net.py", tmp_path / "w.pt", tmp_path / "raw.pt", tmp_path / "answers.pt")
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        expected = model(dataset.scalings[0].apply(dataset.inputs[0][:3]))
    assert torch.equal(torch.load(tmp_path / "answers.pt", weights_only=True), expected)


def test_texts_come_a_line_each(tmp_path: Path) -> None:
    texts = ["good film", "bad film"] * 20
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"{text},{text.split()[0]}\n" for text in texts))
    project = read_template("imdb-average")
    chosen = registry.get("text-files")().at(table)
    project = replace(project, data=replace(project.data, source=chosen))
    plan, dataset = make_plan(project.graph), prepare(project.data)
    model = build_network(plan).eval()
    preparation = describe_preparation(dataset, plan)
    write_checkpoint(tmp_path / "w.pt", Checkpoint(dict(model.state_dict()), {}, 1, 1, {}, project, preparation))
    export(tmp_path / "w.pt", "python", tmp_path / "net.py")
    (tmp_path / "new.txt").write_text("good\nnever seen before\n")
    done = program(tmp_path / "net.py", tmp_path / "w.pt", tmp_path / "new.txt")
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] in ("good", "bad") for line in done.stdout.splitlines()] == [True, True]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_numbers_are_named(task: str) -> None:
    plan = make_plan(read_template("iris-mlp").graph)
    (name, spec), *_ = plan.inputs
    given = {"name": name, "dims": list(spec.dims), "axes": spec.axes, "dtype": spec.dtype}
    preparation = {"inputs": [{**given, "scaling": {"shift": [], "scale": []}}], "task": task, "names": ["a", "b", "c"]}
    source = python.make_source(plan, "Iris", preparation)
    assert ("softmax" in source) == (task == "classification")
    assert source.rstrip().endswith(")")
    compile(source, "net.py", "exec")
