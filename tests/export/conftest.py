from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.export import script
from studio.export.compare import same_bits
from studio.project import Project
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.events import Finished
from studio.training.runner import Job, run
from tests.training.conftest import with_settings

Train = Callable[..., Finished]

# Runs a script as someone without the studio would; fails if it asks for it.
ALONE = """
import runpy, sys
sys.modules["studio"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A short run of the default network."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return run(Job(with_settings("digits-cnn", epochs=2), folder), Control(), lambda event: None)


@pytest.fixture
def checkpoint(trained: Finished) -> Path:
    """Its best checkpoint."""
    return Path(trained.checkpoint)


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Trains a project in a new folder."""

    def train(project: Project, data_folder: Path | None = None) -> Finished:
        return run(Job(project, tmp_path / "run", data_folder), Control(), lambda event: None)

    return train


def run_alone(path: Path, *options: str) -> str:
    command = [sys.executable, "-I", "-c", ALONE, str(path), *options]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(finished: Finished, folder: Path) -> Path:
    """The script of a run, written without trying it."""
    path = Path(finished.checkpoint)
    checkpoint = read_checkpoint(path)
    folder.mkdir()
    (folder / "train.py").write_text(script.make_script(checkpoint, *script._machine(checkpoint, path)))
    return folder / "train.py"


def assert_same_end(finished: Finished, path: Path, *options: str) -> None:
    """The script ends with the weights and figures of the run."""
    printed = run_alone(path, *options).splitlines()
    weights = torch.load(path.with_name("weights.pt"), weights_only=True)
    expected = read_checkpoint(Path(finished.checkpoint)).model
    assert list(weights) == list(expected)
    assert [name for name in expected if not same_bits(weights[name], expected[name])] == []
    rows = [json.loads(line) for line in (Path(finished.run) / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == len(printed) - 1
    for row, line in zip(rows, printed, strict=False):
        assert line.endswith(f"validation: {figures(row['validation'])}")
        printed_loss = float(line.split("loss ")[1].split(",")[0])  # summed up in another order
        assert printed_loss == pytest.approx(row["train"]["loss"], abs=1e-5)
    tested = finished.metrics.get("test")
    assert printed[-1].startswith(f"test: {figures(tested)}" if tested else "the best weights are in")


def figures(metrics: dict[str, float]) -> str:
    _, score, *_ = metrics  # the others are not printed
    return f"loss {metrics['loss']:.6f}, {score} {metrics[score]:.4f}"
