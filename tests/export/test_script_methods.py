"""Optimizers, schedules, losses and what is done to gradients in the training script: whole runs, bit for bit.

The scripts run in this process, which is many times as fast; `test_script.py` runs others without the studio.
"""

from __future__ import annotations

import dataclasses
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.data import registry as sources
from studio.export.compare import same_bits
from studio.export.formats import ExportError
from studio.export.script_losses import loss_code
from studio.fields import replace, specs
from studio.project import Project
from studio.settings import losses, optimizers, schedules
from studio.settings.losses import LABELS, NUMBERS, ByTask, KLDivergence
from studio.settings.parts import Gradients, Parameters, Speed
from studio.training.checkpoint import read_checkpoint
from studio.training.events import Finished
from tests.export.conftest import Train, figures, written
from tests.export.test_script import other, source_of
from tests.training.conftest import own_folders, with_settings  # noqa: F401  (a fixture)
from tests.training.test_methods import BATCH, DIMS, LOSSES_BY_HAND, PAIRS, batches, function_of


def assert_same_run(finished: Finished, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr("sys.argv", [str(path)])
    threads = torch.get_num_threads()
    capsys.readouterr()
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out.splitlines()
    weights = torch.load(path.with_name("weights.pt"), weights_only=True)
    expected = read_checkpoint(Path(finished.checkpoint)).model
    assert [name for name in expected if not same_bits(weights[name], expected[name])] == []
    assert f"loss {finished.metrics['validation']['loss']:.6f}" in "".join(printed)
    assert printed[-1].startswith(f"test: {figures(finished.metrics['test'])}")


KINDS = optimizers.kinds()
SHORT = {
    "cosine": {"warmup_epochs": 1.5}, "cosine-restarts": {"first_epochs": 0.7, "stretch": 2}, "step": {"every": 2},
    "multi-step": {"epochs": (1, 3)}, "plateau": {"patience": 0, "threshold": 0.5}, "constant": {"warmup_epochs": 2.0},
}  # fmt: skip


# Each schedule with an optimizer of its own, and the optimizers that are left over with the first ones again.
@pytest.mark.parametrize("number", range(max(len(KINDS), len(schedules))))
def test_optimizers_and_schedules(
    number: int, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    kind = KINDS[number % len(KINDS)]
    schedule = schedules.get(schedules.kinds()[number % len(schedules)])
    optimizer = optimizers.get(kind)(**({"iterations": 3} if kind == "lbfgs" else {}))
    project = with_settings(
        "iris-mlp", epochs=5, batch_size=23, threads=1, optimizer=optimizer,
        schedule=schedule(**SHORT.get(schedule.kind, {})),
    )  # fmt: skip
    finished = train(project)
    assert_same_run(finished, written(finished, tmp_path / "elsewhere"), monkeypatch, capsys)


@pytest.mark.parametrize(
    "settings",
    [
        {"gradients": Gradients(accumulate=3, clip_norm=0.5, clip_value=0.1), "parameters": Parameters(l1=1e-3)},
        {
            "gradients": Gradients(clip_norm=0.5), "schedule": schedules.get("one-cycle")(),
            "parameters": Parameters(decay_biases=False, l1=1e-3), "optimizer": optimizers.get("adamw")(),
        },
    ],
)  # fmt: skip
def test_gradients(
    settings: dict[str, Any], train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    finished = train(with_settings("digits-mlp", epochs=2, threads=1, **settings))
    assert_same_run(finished, written(finished, tmp_path / "elsewhere"), monkeypatch, capsys)


def shapes() -> Project:
    project = with_settings("shapes-unet", epochs=2, threads=1)
    data = replace(project.data, source=sources.get("shapes")(samples=60, noise=9, seed=2))
    return dataclasses.replace(project, data=data)


def with_loss(project: Project, kind: str, **fields: Any) -> Project:
    training = replace(project.training, loss=losses.get(kind)(**fields))
    return dataclasses.replace(project, training=training)


IRIS = with_settings("iris-mlp", epochs=2, threads=1)
NO_CODE = (ByTask, KLDivergence)  # shares stand in tables alone, for which there is no script
AUTOENCODER = with_settings("digits-autoencoder", epochs=1, threads=1)


@pytest.mark.parametrize(
    "project",
    [
        with_loss(IRIS, "cross-entropy", weights="balanced", label_smoothing=0.1),
        with_loss(IRIS, "cross-entropy", weights="1 2.5 0.1"),
        with_loss(IRIS, "focal", gamma=1.5),
        with_loss(shapes(), "dice"),
        with_loss(shapes(), "dice", cross_entropy=0.0),
        with_loss(shapes(), "focal"),
        with_loss(AUTOENCODER, "squared-error"),
        with_loss(AUTOENCODER, "absolute-error"),
        with_loss(AUTOENCODER, "huber", delta=0.3),
    ],
    ids=lambda project: f"{project.training.loss}",
)
def test_losses(project: Project, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    finished = train(project)
    assert_same_run(finished, written(finished, tmp_path / "elsewhere"), monkeypatch, capsys)


@pytest.mark.parametrize(("cls", "kind"), [(cls, kind) for cls in losses for kind in cls.fits if cls not in NO_CODE])
def test_every_setting_of_a_loss_is_in_it(cls: type[Any], kind: str) -> None:
    seen = set()
    preparation = {"loss_weights": [1.0, 2.0]}
    changed = {s.name: "balanced" if s.name == "weights" else other(s, getattr(cls(), s.name)) for s in specs(cls)}
    for changes in [{}, *({name: value} for name, value in changed.items())]:
        code = loss_code(cls(**changes), kind, preparation)
        assert code is not None
        seen.add(repr(code))
    assert len(seen) == 1 + len(changed)
    if kind in (LABELS, NUMBERS):
        assert "functional." in repr(code)


@pytest.mark.parametrize(("name", "kind"), [pair for pair in PAIRS if pair[0] != KLDivergence.kind])
def test_losses_leave_out_the_same_places(name: str, kind: str) -> None:
    """In whole runs above there are none that are ignored."""
    loss = losses.get(name)(**LOSSES_BY_HAND[name, kind][0])
    code = loss_code(loss, kind, {})
    assert code is not None
    names: dict[str, Any] = {"torch": torch, "functional": torch.nn.functional, **code.constants}
    exec("\n".join(code.functions), names)
    answers = torch.randn(BATCH, *DIMS[kind], generator=torch.Generator().manual_seed(0))
    targets = batches(kind)[0][1]
    assert torch.equal(names["loss_of"](answers, targets), function_of(loss, kind)(answers, targets))


def test_weights_that_nobody_wrote_down_are_missed() -> None:
    with pytest.raises(ExportError, match="what each class counts"):
        loss_code(losses.get("cross-entropy")(weights="balanced"), "classes", {})


@pytest.mark.parametrize("kind", schedules.kinds())
def test_every_setting_of_a_schedule_is_in_it(kind: str) -> None:
    project = with_settings("digits-mlp")
    cls, seen = schedules.get(kind), set()
    for changes in [{}, *({s.name: other(s, getattr(cls(), s.name))} for s in specs(cls))]:
        seen.add(source_of(dataclasses.replace(project, training=replace(project.training, schedule=cls(**changes)))))
    assert len(seen) == 1 + len(specs(cls))


@pytest.mark.parametrize("part", ["gradients", "parameters"])
def test_every_setting_of_gradients_is_in_it(part: str) -> None:
    project = with_settings("digits-mlp")
    usual = getattr(project.training, part)
    seen = {source_of(project)}
    for spec in specs(type(usual)):
        if spec.name != "backbone_rate":  # there is none
            changed = replace(usual, **{spec.name: other(spec, getattr(usual, spec.name))})
            seen.add(source_of(dataclasses.replace(project, training=replace(project.training, **{part: changed}))))
    assert len(seen) == (4 if part == "gradients" else 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_linter_finds_nothing(kind: str, tmp_path: Path) -> None:
    number = KINDS.index(kind)
    parameters = Parameters(decay_biases=False, l1=1e-3) if number % 2 else Parameters()
    gradients = Gradients(accumulate=2, clip_norm=0.5) if number % 3 else Gradients()
    searches = optimizers.get(kind).searches
    project = with_settings(
        "digits-mlp", optimizer=optimizers.get(kind)(), schedule=schedules.get(schedules.kinds()[number % 9])(),
        gradients=Gradients() if searches else gradients, parameters=Parameters() if searches else parameters,
        loss=losses.get(["focal", "cross-entropy"][number % 2])(),
    )  # fmt: skip
    (tmp_path / "train.py").write_text(source_of(project))
    rules = "E,F,W,I,UP,B,SIM,N,PIE,C4,D1"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", rules]
    done = subprocess.run([*command, "--ignore", "D102,D107", tmp_path / "train.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_no_code_is_written_for_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match="the setting “precision” cannot be written"):
        source_of(with_settings("digits-mlp", speed=Speed(precision="bfloat16")))
