"""A run that is killed goes on from the command line, and ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from studio.cli.main import main
from studio.runs import RunFolder
from studio.training.checkpoint import read_checkpoint
from studio.training.stepping import Stepper

OPTIONS = ["--template", "digits-mlp", "--epochs", "120", "--batch-size", "300", "--schedule", "cosine", "--json"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TRAINING_STUDIO_CACHE", str(tmp_path / "cache"))


def figures(run: Path) -> list[tuple]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["epoch"], row["step"], row["train"], row["validation"], row["best"]) for row in rows]


def started(run: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "import sys; from studio.cli.main import main; sys.exit(main(sys.argv[1:]))"]
    # Written as often as can be, so that the kill comes in the middle of writing.
    command[2] = "import studio.training.keeper as k; k.SECONDS_BETWEEN_WRITES = 0.0; " + command[2]
    return subprocess.Popen([*command, "train", *OPTIONS, "--run-dir", str(run)], stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has SIGKILL")
def test_a_killed_run_goes_on_and_ends_in_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(["train", *OPTIONS, "--run-dir", str(whole)]) == 0
    process = started(killed)
    assert process.stdout is not None
    for line in process.stdout:
        if '"epoch"' in line and json.loads(line).get("epoch", 0) >= 20:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    folder = RunFolder(killed)
    assert folder.read_record()["status"] == "running"
    assert not folder.is_under_way
    assert folder.read_position()["step"] > 0
    capsys.readouterr()
    assert main(["resume", str(killed), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    resumed = next(line for line in lines if line["event"] == "resumed")
    assert resumed["notes"] == []
    assert folder.read_record()["resumed_at"] == [resumed["step"]]
    assert figures(killed) == figures(whole)
    for name in ("last.pt", "best.pt"):
        one, other = (read_checkpoint(run / "checkpoints" / name) for run in (whole, killed))
        assert all((tensor == other.model[key]).all() for key, tensor in one.model.items())
        assert (one.step, one.epoch, one.metrics) == (other.step, other.epoch, other.metrics)
    assert folder.read_record()["result"]["metrics"] == RunFolder(whole).read_record()["result"]["metrics"]


def test_a_finished_run_goes_on_with_more_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert main(["train", "--template", "iris-mlp", "--epochs", "2", "--run-dir", str(run)]) == 0
    assert main(["resume", str(run)]) == 2
    assert "has done all of its 2 epochs" in capsys.readouterr().err
    assert main(["resume", str(run), "--epochs", "4", "--lr", "0.003", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    changed = next(line for line in lines if line["event"] == "changed")
    assert (changed["name"], changed["after"]) == ("optimizer.learning_rate", 0.003)
    assert [epoch for epoch, *_ in figures(run)] == [1, 2, 3, 4]
    assert [line["epoch"] for line in lines if line["event"] == "epoch"] == [1, 2, 3, 4]  # also what was told before


def test_memory_that_runs_short_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Stepper.__call__

    def short(stepper: Stepper, inputs: tuple, targets: torch.Tensor, *given: object, **more: object) -> tuple:
        if len(targets) > 8:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return step(stepper, inputs, targets, *given, **more)

    monkeypatch.setattr(Stepper, "__call__", short)
    run = tmp_path / "run"
    options = ["--template", "iris-mlp", "--epochs", "1", "--batch-size", "16"]
    assert main(["train", *options, "--run-dir", str(run)]) == 2
    assert f"Go on with: studio resume {run} --halve-batch" in capsys.readouterr().err
    assert main(["resume", str(run), "--halve-batch"]) == 0
    settings = read_checkpoint(RunFolder(run).last).project.training
    assert (settings.batch_size, settings.gradients.accumulate) == (8, 2)


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", str(tmp_path / "nothing")]) == 2
    assert "no checkpoint from which a run could go on" in capsys.readouterr().err


def test_a_run_under_way_is_not_trained_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert main(["train", "--template", "iris-mlp", "--epochs", "1", "--run-dir", str(run)]) == 0
    lock = RunFolder(run).lock()
    assert lock.acquire()
    assert main(["resume", str(run), "--epochs", "2"]) == 2
    lock.release()
    assert "is being trained already" in capsys.readouterr().err
