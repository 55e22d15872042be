"""Single steps, beside the same written by hand: bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from studio.data.dataset import prepare
from studio.runs import RunFolder
from studio.settings import TrainingSettings, optimizers, schedules
from studio.settings.parts import Averaging, Gradients, Speed
from studio.training.control import Control
from studio.training.events import Changed, Event
from studio.training.loop import Trainer
from studio.training.setup import make_trainer
from tests.training.conftest import with_settings

BATCH = 16


def trainer_of(tmp_path: Path, control: Control | None = None, **settings: object) -> Trainer:
    settings = {"optimizer": optimizers.get("adamw")(weight_decay=0.05), **settings}
    project = with_settings("iris-mlp", batch_size=BATCH, threads=1, **settings)
    folder = RunFolder.create(tmp_path / "run", project)
    return make_trainer(project, prepare(project.data), folder, torch.device("cpu"), control or Control())


def drain(trainer: Trainer, steps: int) -> list[Event]:
    epochs = (event for epoch in range(1, 100) for event in trainer.train_epoch(epoch))
    return [event for _, event in zip(range(steps), epochs, strict=False) if event is not None]


def by_hand(trainer: Trainer, steps: int) -> tuple[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]]:
    """A copy of the untrained network, and the batches that training will see."""
    order, batches, epoch = torch.Generator().manual_seed(0), [], 0
    while len(batches) < steps:
        epoch += 1
        batches += [(inputs[0].clone(), targets) for inputs, targets in trainer.batches["train"].epoch(order, epoch)]
    return copy.deepcopy(trainer.model), batches[:steps]


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_fifty_steps_equal_those_written_by_hand(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path)
    model, batches = by_hand(trainer, 50)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    for inputs, targets in batches:
        loss = functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    drain(trainer, 50)
    assert same(trainer.model, model)


def test_clipping_equals_that_of_torch(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, gradients=Gradients(clip_norm=0.5, clip_value=0.05))
    model, batches = by_hand(trainer, 20)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    for inputs, targets in batches:
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), targets).backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.05)
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
    drain(trainer, 20)
    assert same(trainer.model, model)


def test_accumulated_batches_are_one_large_one(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, optimizer=optimizers.get("sgd")(), gradients=Gradients(accumulate=4))
    steps = len(trainer.batches["train"])
    assert steps % 4 != 0, "the last group has to be a short one"
    model, batches = by_hand(trainer, steps)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for start in range(0, steps, 4):
        images, labels = zip(*batches[start : start + 4], strict=True)
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.cat(images)), torch.cat(labels)).backward()
        optimizer.step()
    drain(trainer, steps)
    for one, other in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_schedule_sets_the_rate_of_each_step(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, epochs=2, schedule=schedules.get("cosine")(warmup_epochs=0.5))
    per_epoch, rates = len(trainer.batches["train"]), []
    for epoch in (1, 2):
        for _ in trainer.train_epoch(epoch):
            rates.append(trainer.optimizer.param_groups[0]["lr"])
    warmup = round(per_epoch / 2)
    assert rates[0] == pytest.approx(1e-3 / warmup)
    assert max(rates) == rates[warmup - 1] == 1e-3
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert rates[-1] < 0.05 * 1e-3


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_the_precision_is_that_which_was_chosen(tmp_path: Path, name: str) -> None:
    trainer = trainer_of(tmp_path, speed=Speed(precision=name))
    seen = []
    linear = next(module for module in trainer.model.modules() if isinstance(module, nn.Linear))
    linear.register_forward_hook(lambda _module, _inputs, answer: seen.append(answer.dtype))
    inputs, targets = next(iter(trainer.batches["train"].epoch(None)))
    _, answers = trainer.stepper(inputs, targets, 0)
    assert seen == [getattr(torch, name)]
    assert answers.dtype == torch.float32
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}


def test_settings_that_change_on_the_way_are_taken_and_told(tmp_path: Path) -> None:
    control = Control()
    trainer = trainer_of(tmp_path, control)
    drain(trainer, 5)
    settings = TrainingSettings(
        epochs=99, batch_size=BATCH, optimizer=optimizers.get("adamw")(learning_rate=0.02, weight_decay=0.1),
        gradients=Gradients(accumulate=8, clip_norm=1.0),
    )  # fmt: skip
    control.change(settings)
    told = [event for event in drain(trainer, 5) if isinstance(event, Changed)]
    assert [(event.step, event.name, event.before, event.after) for event in told] == [
        (6, "optimizer.learning_rate", 1e-3, 0.02),
        (6, "optimizer.weight_decay", 0.05, 0.1),
        (6, "gradients.clip_norm", 0.0, 1.0),
    ]
    group = trainer.optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.02, 0.1)
    now = trainer.stepper.settings
    assert (now.gradients, now.batch_size) == (Gradients(clip_norm=1.0), BATCH)  # what cannot change stays
    assert now.optimizer == settings.optimizer


@pytest.mark.parametrize("kind", ["adamw", "rmsprop", "lbfgs"])
def test_averages_follow_every_move_of_the_weights(tmp_path: Path, kind: str) -> None:
    """However the optimizer is asked: its own step, the one without torch's detours, or its search."""
    trainer = trainer_of(tmp_path, optimizer=optimizers.get(kind)(), averaging=Averaging(method="ema", decay=0.9))
    drain(trainer, 12)
    assert trainer.averager is not None
    assert trainer.averager.count == 12
    kept, own = trainer.averager.weights(), trainer.model.state_dict()
    assert not torch.equal(kept["dense_1.weight"], own["dense_1.weight"])
