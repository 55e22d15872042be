"""An imported network is a project whose training starts from its weights."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.cli.main import main
from studio.export.write import export
from studio.fields import replace as replace_fields
from studio.graph.edits import SetBlock
from studio.project import read_project, read_template, write_project
from studio.project.model import fit_ends
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Event, Started
from studio.training.runner import Job, run

NETWORK = """
import torch
from torch import nn

print("run")

class Small(nn.Module):
    def __init__(self, units=6):
        super().__init__()
        torch.manual_seed(5)
        self.hidden = nn.Linear(64, units)
        self.answer = nn.Linear(units, 10)

    def forward(self, x):
        return self.answer(torch.relu(self.hidden(x.flatten(1))))

def broken():
    raise KeyError("no such thing")

number = 3
"""


@pytest.fixture
def imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "net.py").write_text(NETWORK)
    target = tmp_path / "small.studio.json"
    assert main(["import", f"{tmp_path / 'net.py'}:Small", "--trust", "--size", "1,8,8", "-o", str(target)]) == 0
    assert "It answers as the original" in capsys.readouterr().out
    return target


def test_a_run_starts_from_the_weights_that_came_along(imported: Path, tmp_path: Path) -> None:
    project = read_project(imported)
    weights = read_checkpoint(tmp_path / "small.pt").model
    assert project.weights is not None
    assert project.weights.path == tmp_path / "small.pt"
    still = replace_fields(
        project.training, epochs=1, optimizer=replace_fields(project.training.optimizer, learning_rate=1e-9)
    )
    events: list[Event] = []
    finished = run(Job(replace(project, training=still), tmp_path / "run"), Control(), events.append)
    (started,) = (event for event in events if isinstance(event, Started))
    assert started.weights == "4 of 4 tensors from small.pt"
    trained = read_checkpoint(Path(finished.checkpoint))
    assert all(torch.allclose(trained.model[name], tensor, atol=1e-5) for name, tensor in weights.items())
    assert trained.project.weights == project.weights


def test_what_no_longer_fits_stays_fresh(imported: Path, tmp_path: Path) -> None:
    project = read_project(imported)
    (node,) = (node for node in project.graph.nodes if node.name == "hidden")
    graph = SetBlock(node.id, replace_fields(node.block, units=7)).apply(project.graph)
    changed = replace(project, graph=graph, training=replace_fields(project.training, epochs=1))
    events: list[Event] = []
    run(Job(changed, tmp_path / "run"), Control(), events.append)
    assert next(e for e in events if isinstance(e, Started)).weights == "1 of 4 tensors from small.pt"


def test_the_pair_of_files_can_be_moved(imported: Path, tmp_path: Path) -> None:
    assert json.loads(imported.read_text())["weights"]["path"] == "small.pt"
    other = tmp_path / "other"
    other.mkdir()
    for name in ("small.studio.json", "small.pt"):
        (tmp_path / name).rename(other / name)
    project = read_project(other / "small.studio.json")
    assert project.weights is not None
    assert project.weights.path == other / "small.pt"
    write_project(tmp_path / "elsewhere.studio.json", project)
    assert read_project(tmp_path / "elsewhere.studio.json") == project


def test_weights_that_are_gone_or_replaced_are_refused_before_anything_is_written(
    imported: Path, tmp_path: Path
) -> None:
    project, run_folder = read_project(imported), tmp_path / "run"
    (tmp_path / "small.pt").write_bytes(b"something else")
    with pytest.raises(TrainingError, match="are not those that were chosen"):
        run(Job(project, run_folder), Control(), lambda event: None)
    (tmp_path / "small.pt").unlink()
    with pytest.raises(TrainingError, match="cannot be read: No such file"):
        run(Job(project, run_folder), Control(), lambda event: None)
    assert not run_folder.exists()


def test_weights_of_another_network_are_refused(imported: Path, tmp_path: Path) -> None:
    project = read_project(imported)
    mlp = read_template("digits-mlp")
    other = replace(mlp, weights=project.weights, graph=fit_ends(mlp.graph, mlp.data.source.spec).apply(mlp.graph))
    with pytest.raises(TrainingError, match="no tensor has the same name and size"):
        run(Job(other, tmp_path / "run"), Control(), lambda event: None)


def test_its_training_script_starts_from_them_too(imported: Path, tmp_path: Path) -> None:
    project = read_project(imported)
    project = replace(project, training=replace_fields(project.training, epochs=1))
    finished = run(Job(project, tmp_path / "run"), Control(), lambda event: None)
    said = export(Path(finished.run), "script", tmp_path / "train.py")
    assert "bit for bit" in said, said
    (tmp_path / "small.pt").unlink()
    assert "small.pt" in export(Path(finished.run), "script", tmp_path / "train.py")


def test_it_can_be_exported_as_it_came(imported: Path, tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "small.pt"), "--format", "python", "-o", str(tmp_path / "out.py")]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.py:Small", "--size", "1,8,8"], "is Python code, which runs when it is imported. Read it"),
        (["net.py:Small", "--trust"], "How large is one sample"),
        (["net.py:Smaller", "--trust", "--size", "1,8,8"], "has no “Smaller”.* There are: Small"),
        (["net.py:broken", "--trust", "--size", "1,8,8"], r"broken\(\) failed: KeyError"),
        (["net.py:number", "--trust", "--size", "1,8,8"], "has no “number”"),
        (["net.py:nn", "--trust", "--size", "1,8,8"], "has no “nn”"),
        (["net.py:Small", "--trust", "--size", "1,9,9"], r"does not take \(N, 1 C, 9 H, 9 W\)"),
        (["wrong.py", "--trust", "--size", "3"], "does not run: SyntaxError"),
        (["latin.py", "--trust", "--size", "3"], "is not UTF-8 text"),
        (["missing.py", "--trust", "--size", "3"], "There is no file"),
        (["model.h5"], "neither torchvision:NAME nor FILE.py:CLASS"),
        (["torchvision:nothing"], "torchvision has no network “nothing”"),
    ],
)
def test_bad_requests_say_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NETWORK)
    Path("wrong.py").write_text("class:")
    Path("latin.py").write_bytes(b"# caf\xe9")
    assert main(["import", *arguments, "-o", "x.studio.json"]) == 2
    printed = capsys.readouterr()
    assert not list(tmp_path.glob("x.*"))
    assert re.search(message, printed.err), printed.err
    assert "--trust" in arguments or "run" not in printed.out


def test_the_only_class_of_a_file_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    arguments = ["import", str(tmp_path / "net.py"), "--trust", "--size", "64", "-o", str(tmp_path / "x.studio.json")]
    assert main(arguments) == 0
    assert [node.name for node in read_project(tmp_path / "x.studio.json").graph.nodes][1:] == [
        "flatten", "hidden", "relu", "answer", "output",
    ]  # fmt: skip
