"""Schedules: the same rates as those of torch, at every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from studio.settings import Schedule, schedules
from studio.settings.schedules import Place, Plateau, preview

RATE, EPOCHS, PER_EPOCH = 0.3, 12, 7
TOTAL = EPOCHS * PER_EPOCH

Maker = Callable[[torch.optim.Optimizer], Any]


def by_epoch(cls: type[Any], **options: object) -> tuple[Maker, int]:
    return lambda optimizer: cls(optimizer, **options), PER_EPOCH


def by_step(cls: type[Any], **options: object) -> tuple[Maker, int]:
    return lambda optimizer: cls(optimizer, **options), 1


# Each schedule, what torch has for it, and after how many steps that goes on.
LIKE_TORCH: list[tuple[str, dict[str, Any], tuple[Maker, int]]] = [
    ("constant", {}, by_epoch(lr_scheduler.ConstantLR, factor=1.0)),
    ("cosine", {}, by_step(lr_scheduler.CosineAnnealingLR, T_max=TOTAL)),
    ("cosine", {"floor": 0.1}, by_step(lr_scheduler.CosineAnnealingLR, T_max=TOTAL, eta_min=0.1 * RATE)),
    ("cosine-restarts", {"first_epochs": 3.0}, by_step(lr_scheduler.CosineAnnealingWarmRestarts, T_0=21)),
    (
        "cosine-restarts", {"first_epochs": 1.5, "stretch": 2, "floor": 0.2},
        by_step(lr_scheduler.CosineAnnealingWarmRestarts, T_0=10, T_mult=2, eta_min=0.2 * RATE),
    ),
    ("step", {"every": 3, "gamma": 0.5}, by_epoch(lr_scheduler.StepLR, step_size=3, gamma=0.5)),
    ("multi-step", {"epochs": (2, 3, 9)}, by_epoch(lr_scheduler.MultiStepLR, milestones=[2, 3, 9])),
    ("exponential", {"gamma": 0.8}, by_epoch(lr_scheduler.ExponentialLR, gamma=0.8)),
    ("polynomial", {}, by_step(lr_scheduler.PolynomialLR, total_iters=TOTAL)),
    ("polynomial", {"power": 2.5}, by_step(lr_scheduler.PolynomialLR, total_iters=TOTAL, power=2.5)),
    ("one-cycle", {}, by_step(lr_scheduler.OneCycleLR, max_lr=RATE, total_steps=TOTAL)),
    (
        "one-cycle", {"rise": 0.45, "start": 4.0, "end": 50.0, "least_momentum": 0.5, "most_momentum": 0.9},
        by_step(
            lr_scheduler.OneCycleLR, max_lr=RATE, total_steps=TOTAL, pct_start=0.45, div_factor=4.0,
            final_div_factor=50.0, base_momentum=0.5, max_momentum=0.9,
        ),
    ),
]  # fmt: skip


def of(kind: str, **fields: Any) -> Schedule:
    return schedules.get(kind)(**fields)


def stepped(optimizer: torch.optim.Optimizer) -> None:
    """A step without gradients: torch warns where a schedule goes on before the optimizer."""
    optimizer.step()


@pytest.mark.parametrize(("kind", "fields", "torchs"), LIKE_TORCH)
def test_rates_are_those_of_torch(kind: str, fields: dict[str, Any], torchs: tuple[Maker, int]) -> None:
    schedule, (make, every) = of(kind, **fields), torchs
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=RATE, momentum=0.9)
    theirs = make(optimizer)
    for step in range(TOTAL):
        place, group = Place(step, TOTAL, PER_EPOCH), optimizer.param_groups[0]
        assert abs(RATE * schedule.factor(place) - group["lr"]) < 1e-12, f"at step {step}"
        if schedule.moves_momentum:
            assert abs(schedule.momentum(place) - group["momentum"]) < 1e-12, f"at step {step}"
        stepped(optimizer)
        if (step + 1) % every == 0 and step + 1 < TOTAL:
            theirs.step()


def test_every_schedule_is_compared() -> None:
    assert {kind for kind, _, _ in LIKE_TORCH} | {Plateau.kind} == set(schedules.kinds())


def test_a_plateau_falls_where_that_of_torch_does() -> None:
    losses = random.Random(0)
    for options in ({}, {"cooldown": 2}, {"floor": 0.01}):
        plateau = Plateau(gamma=0.5, patience=1, threshold=0.05, **options)
        memory, optimizer = plateau.memory(), torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=RATE)
        theirs = lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=1, threshold=0.05, cooldown=plateau.cooldown, min_lr=plateau.floor * RATE,
            eps=0.0,
        )  # fmt: skip
        seen = set()
        for epoch in range(60):
            loss = losses.random() / (1 + epoch / 10)
            memory.see(loss)
            theirs.step(loss)
            factor = memory.factor * plateau.factor(Place(epoch, 60, 1))
            assert abs(factor * RATE - optimizer.param_groups[0]["lr"]) < 1e-12
            seen.add(factor)
            again = plateau.memory()
            again.load_state_dict(memory.state_dict())
            memory = again  # as in a run that goes on
        assert len(seen) > 5


@pytest.mark.parametrize("kind", [kind for kind in schedules.kinds() if kind != "one-cycle"])
def test_a_warm_up_rises_evenly_and_then_all_is_as_if_it_began_there(kind: str) -> None:
    warm, plain = of(kind, warmup_epochs=2.0), of(kind)
    factors = [warm.factor(Place(step, TOTAL, PER_EPOCH)) for step in range(TOTAL)]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=RATE)
    theirs = lr_scheduler.LinearLR(optimizer, start_factor=1 / 14, total_iters=13)
    for step in range(14):
        assert factors[step] * RATE == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        stepped(optimizer)
        theirs.step()
    rest = TOTAL - 14
    assert factors[14:] == [plain.factor(Place(step, rest, PER_EPOCH)) for step in range(rest)]


@pytest.mark.parametrize("kind", schedules.kinds())
@pytest.mark.parametrize(("total", "per_epoch"), [(1, 1), (2, 1), (5, 5), (1000, 1)])
def test_every_rate_is_a_share_of_the_full_one(kind: str, total: int, per_epoch: int) -> None:
    factors = [of(kind).factor(Place(step, total, per_epoch)) for step in range(total)]
    assert all(0.0 <= factor <= 1.0 for factor in factors)


@pytest.mark.parametrize("kind", schedules.kinds())
def test_a_preview_shows_the_whole_run(kind: str) -> None:
    for epochs in (1, 30, 100_000):
        points = preview(of(kind), epochs)
        assert points[0][0] == 0.0
        assert 0.98 * epochs <= points[-1][0] < epochs
        assert 50 <= len(points) <= 500
    assert [factor for _, factor in preview(of("polynomial"), 10)] == sorted(
        (factor for _, factor in preview(of("polynomial"), 10)), reverse=True
    )
