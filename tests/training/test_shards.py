"""A network in parts, one in each of two processes: the curve and checkpoints of one process, in half the memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.runs import RunFolder
from studio.settings.optimizers import Adafactor
from studio.settings.parts import Speed, Spread
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.errors import TrainingError
from studio.training.events import Changed
from studio.training.spread.member import check
from studio.training.spread.shards import _units
from studio.training.spread.team import Team
from studio.training.state import copied, put_state, state_of
from tests.training.conftest import with_settings
from tests.training.test_spread import trainer_of

EPOCHS = {"1", "2", "3", "4"}
needs_fork = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks processes, and talks through lo")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Folder of the runs of `shard_runs`, and their figures."""
    folder = tmp_path_factory.mktemp("shards")
    places = {"TRAINING_STUDIO_DATA": str(folder / "data"), "TRAINING_STUDIO_CACHE": str(folder / "cache")}
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.shard_runs", str(folder)]
    done = subprocess.run(command, env={**os.environ, **places}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, json.loads((folder / "figures.json").read_text())


def last(folder: Path, name: str) -> Checkpoint:
    return read_checkpoint(RunFolder(folder / name).last)


def apart(a: Any, b: Any, tolerance: float, path: str = "") -> list[str]:
    """Where two contents of checkpoints differ: by more than that in numbers, at all in size, order and kind."""
    if isinstance(a, torch.Tensor):
        alike = type(a) is type(b) and (a.shape, a.stride(), a.dtype) == (b.shape, b.stride(), b.dtype)
        return [] if alike and torch.allclose(a.double(), b.double(), rtol=0, atol=tolerance) else [path]
    if isinstance(a, dict):
        same = [] if list(a) == list(b) else [path]
        return same + [found for key in a if key in b for found in apart(a[key], b[key], tolerance, f"{path}.{key}")]
    if isinstance(a, list | tuple):
        same = [] if len(a) == len(b) else [path]
        pairs = enumerate(zip(a, b, strict=False))
        return same + [found for i, (x, y) in pairs for found in apart(x, y, tolerance, f"{path}.{i}")]
    if isinstance(a, float) and tolerance:
        return [] if a == pytest.approx(b, rel=tolerance) else [path]
    return [] if a == b else [path]


def contents(saved: Checkpoint) -> dict[str, Any]:
    """What is comparable: not the seconds, the random numbers of the others, and the setting itself."""
    rest = {name: value for name, value in saved.rest.items() if name not in ("seconds", "epoch_seconds", "settings")}
    parts = {name: value for name, value in rest.pop("parts").items() if name != "Trainer.team"}
    return {"model": saved.model, "optimizer": saved.optimizer, "rest": rest, "parts": parts}


@needs_fork
def test_the_checkpoint_is_that_of_one_process(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = runs
    assert figures["parts"]["parts"] == [True]
    assert figures["one"]["losses"].keys() == EPOCHS
    for epoch, losses in figures["one"]["losses"].items():
        assert figures["parts"]["losses"][epoch] == pytest.approx(losses, rel=1e-4)
    for split, expected in figures["one"]["metrics"].items():
        assert figures["parts"]["metrics"][split] == pytest.approx(expected, rel=1e-4)
    one, parts = last(folder, "one"), last(folder, "parts")
    assert parts.optimizer["state"][0]["exp_avg"].abs().max() > 0
    assert parts.rest["parts"]["Trainer.averager"]["means"]
    assert apart(contents(one), contents(parts), 1e-4) == []
    best = [read_checkpoint(RunFolder(folder / name).best) for name in ("one", "parts")]
    assert apart(best[0].model, best[1].model, 1e-4) == []


@needs_fork
def test_each_process_has_about_half_of_weights_and_optimizer(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = runs
    saved = last(folder, "one")
    whole = sum(tensor.numel() for tensor in saved.model.values())
    here = [found for (found,) in figures["parts"]["here"]]
    assert sum(weights for weights, _ in here) == whole
    assert all(remembered == 2 * weights for weights, remembered in here)
    assert all(0.4 < weights / whole < 0.6 for weights, _ in here)
    assert figures["parts"]["whole"] == [0, 0]  # nobody holds on to the whole weights
    assert figures["one"]["here"] == [[]]


@needs_fork
def test_a_stopped_run_goes_on_to_the_same_bits(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = runs
    stopped = last(folder, "as stopped")
    assert stopped.rest["done"] == 3  # gradients of its third batch wait for those of the fourth
    assert all(gradient is not None for gradient in stopped.rest["gradients"])
    assert figures["stopped"]["losses"] == figures["parts"]["losses"]
    assert apart(contents(last(folder, "parts")), contents(last(folder, "stopped")), 0.0) == []


@needs_fork
def test_a_run_goes_on_without_parts_and_with_them(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = runs
    expected = contents(last(folder, "one"))
    for name, parts in (("on in two", [False]), ("through one", [True])):
        assert figures[name]["parts"] == parts
        assert apart(expected["model"], last(folder, name).model, 1e-4) == [], name
        assert apart(expected["optimizer"], last(folder, name).optimizer, 1e-4) == [], name


def test_one_process_says_that_it_has_no_use_for_it(train: Any) -> None:
    _, events = train(with_settings("iris-mlp", epochs=1, threads=1, spread=Spread(shard="full")))
    assert [event.name for event in events if isinstance(event, Changed)] == ["spread.shard"]


def test_units_are_layers_repetitions_and_groups_without_groups() -> None:
    project = with_settings("cifar-resnet18")
    units = list(_units(make_plan(project.graph)))
    modules = dict(build_network(make_plan(project.graph)).named_modules())
    assert len(units) > 8
    assert set(units) <= modules.keys()
    inside = [a for a in units for b in units if a != b and a.startswith(f"{b}.")]
    assert inside == []  # each weight belongs to one unit
    assert max(sum(p.numel() for p in modules[unit].parameters()) for unit in units) < 0.5 * sum(
        p.numel() for p in modules[""].parameters()
    )


def test_what_an_optimizer_remembers_lies_in_memory_as_the_weights_do(tmp_path: Path) -> None:
    trainer = trainer_of(with_settings("digits-cnn", speed=Speed(layout="channels last")), tmp_path)
    inputs, targets = next(iter(trainer.batches["train"].epoch(None)))
    trainer.stepper(inputs, targets, 0)
    state = copied(state_of(trainer))
    for kept in state["optimizer"]["state"].values():
        kept["exp_avg"] = kept["exp_avg"].contiguous()  # as in the checkpoint of a network in parts
    put_state(trainer, state)
    weights = [p for group in trainer.optimizer.param_groups for p in group["params"]]
    assert any(not weight.is_contiguous() for weight in weights)
    for number, weight in enumerate(weights):
        found = trainer.optimizer.state[weight]["exp_avg"]
        assert found.stride() == weight.stride()
        assert found.equal(state["optimizer"]["state"][number]["exp_avg"])


def test_what_needs_whole_weights_is_refused(tmp_path: Path) -> None:
    full = Spread(shard="full")
    team = Team(0, 2, 0, None)
    check(trainer_of(with_settings("iris-mlp", spread=full), tmp_path), team)
    for settings, words in (
        ({"optimizer": Adafactor()}, "Adafactor"),
        ({"speed": Speed(layout="channels last")}, "Layout"),
    ):
        trainer = trainer_of(with_settings("iris-mlp", spread=full, **settings), tmp_path)
        with pytest.raises(TrainingError, match=words):
            check(trainer, team)
        check(trainer, Team(0, 1, 0, None))  # one process has no use for it
