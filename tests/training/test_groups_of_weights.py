"""Weights that go by another rate or without weight decay, beside groups written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.data import Split
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from studio.settings import TrainingSettings, losses, optimizers, schedules
from studio.settings.parts import Gradients, Parameters, Speed
from studio.settings.schedules import Place
from studio.training.checkpoint import read_checkpoint
from studio.training.errors import TrainingError
from studio.training.losses import weights_of
from studio.training.optimizers import make_optimizer
from tests.training.conftest import with_settings
from tests.training.pretrained_files import digits_project
from tests.training.test_stepping import by_hand, drain, same, trainer_of


def test_biases_and_norms_go_without_weight_decay(tmp_path: Path) -> None:
    trainer = trainer_of(
        tmp_path, parameters=Parameters(decay_biases=False, l1=1e-3), schedule=schedules.get("cosine")(), epochs=9
    )
    steps = 9 * len(trainer.batches["train"])
    model, batches = by_hand(trainer, steps)
    large = [p for p in model.parameters() if p.ndim > 1]
    small = [p for p in model.parameters() if p.ndim <= 1]
    assert large
    assert small
    groups = [{"params": large}, {"params": small, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: trainer.stepper.settings.schedule.factor(Place(step, steps, steps // 9))
    )
    for inputs, targets in batches:
        loss = functional.cross_entropy(model(inputs), targets) + 1e-3 * sum(p.abs().sum() for p in large)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    drain(trainer, steps)
    assert same(trainer.model, model)


def test_backbones_that_learned_before_go_by_a_rate_of_their_own() -> None:
    project = digits_project()
    plan = make_plan(project.graph)
    model = build_network(plan)
    settings = TrainingSettings(
        optimizer=optimizers.get("sgd")(learning_rate=0.5, weight_decay=0.1),
        parameters=Parameters(decay_biases=False, backbone_rate=0.1),
    )
    optimizer = make_optimizer(settings, model, plan, torch.device("cpu"))
    found = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    for name, tensor in model.named_parameters():
        assert found[id(tensor)] == (
            pytest.approx(0.05 if name.startswith("backbone_1.") else 0.5), 0.1 if tensor.ndim > 1 else 0.0,
        )  # fmt: skip
    assert len(Counter(found.values())) == 4


def test_a_changed_rate_reaches_each_group_as_its_share(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, parameters=Parameters(decay_biases=False))
    trainer.stepper.optimizer.param_groups[1]["share"] = 0.5
    settings = trainer.stepper.settings
    optimizer = replace_fields(settings.optimizer, learning_rate=0.2, weight_decay=0.3)
    trainer.stepper.change(replace_fields(settings, optimizer=optimizer))
    groups = trainer.stepper.optimizer.param_groups
    assert [(g["lr"], g["initial_lr"], g["weight_decay"]) for g in groups] == [(0.2, 0.2, 0.3), (0.1, 0.1, 0.0)]


def test_balanced_weights_are_those_of_the_training_split() -> None:
    project = with_settings("iris-mlp")
    data = replace(project.data, excluded=tuple(range(40)), split=Split(seed=3))
    dataset = prepare(data)
    labels = dataset.targets[dataset.splits["train"]].tolist()
    counts = Counter(labels)
    assert counts[0] < counts[1]
    found = weights_of(losses.get("cross-entropy")(weights="balanced"), dataset)
    assert found is not None
    assert found.tolist() == pytest.approx([len(labels) / (3 * counts[k]) for k in range(3)])
    assert sum(found[label] for label in labels) / len(labels) == pytest.approx(1.0)
    with pytest.raises(TrainingError, match="has 2 weights, but the data has 3 classes"):
        weights_of(losses.get("cross-entropy")(weights="1, 2"), dataset)


def test_a_run_with_a_loss_of_its_own(train: Callable) -> None:
    plain, _ = train(with_settings("iris-mlp", epochs=2))
    loss = losses.get("cross-entropy")(weights="2;2;2", label_smoothing=0.3)
    finished, events = train(with_settings("iris-mlp", epochs=2, loss=loss))
    kept = read_checkpoint(Path(finished.checkpoint))
    assert kept.preparation["loss_weights"] == [2.0, 2.0, 2.0]
    assert kept.project.training.loss == loss
    # What answers the shares of the classes pays nothing for smoothed targets more than for plain ones.
    assert events[0].baseline["loss"] == pytest.approx(plain.baseline["validation"]["loss"], abs=0.05)
    assert finished.metrics["validation"]["loss"] != plain.metrics["validation"]["loss"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": losses.get("huber")()}, "made for numbers, but the data has classes to predict. Choose one of"),
        ({"loss": losses.get("cross-entropy")(weights="1 2")}, "has 2 weights, but the data has 3 classes"),
        ({"optimizer": optimizers.get("lbfgs")(), "gradients": Gradients(accumulate=2)}, "which the sum over several"),
        ({"optimizer": optimizers.get("lbfgs")(), "gradients": Gradients(clip_norm=2.0)}, "which clipping would"),
        ({"optimizer": optimizers.get("lbfgs")(), "parameters": Parameters(l1=0.1)}, "which L1 would"),
        ({"optimizer": optimizers.get("lbfgs")(), "speed": Speed(precision="bfloat16")}, "precision bfloat16 would"),
    ],
)
def test_what_does_not_go_together_is_told_before_the_run(settings: dict, message: str, train: Callable) -> None:
    with pytest.raises(TrainingError, match=message):
        train(with_settings("iris-mlp", **settings))


def test_a_search_goes_with_settings_of_speed_that_are_left_alone() -> None:
    project = with_settings("iris-mlp", optimizer=optimizers.get("lbfgs")())
    assert analyze(project.graph, project.data.spec, project.training).trainable


def test_a_rate_for_backbones_without_one_is_told() -> None:
    project = with_settings("iris-mlp", parameters=Parameters(backbone_rate=0.1))
    told = [p.message for p in analyze(project.graph, project.data.spec, project.training).problems]
    assert any("rate for backbones has no effect" in message for message in told)
    project = digits_project()
    settings = replace_fields(project.training, parameters=Parameters(backbone_rate=0.1))
    assert not any("no effect" in p.message for p in analyze(project.graph, project.data.spec, settings).problems)


def test_the_usual_settings_go_with_an_optimizer_that_searches() -> None:
    project = with_settings("iris-mlp", optimizer=optimizers.get("lbfgs")())
    assert analyze(project.graph, project.data.spec, project.training).trainable
