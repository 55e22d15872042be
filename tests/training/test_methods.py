"""Every optimizer and every loss beside the same written by hand in PyTorch, for 50 steps: bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from studio.data import IGNORED
from studio.fields import replace
from studio.settings import Loss, TrainingSettings, losses, optimizers, schedules
from studio.settings.losses import CLASSES, KINDS, LABELS, NUMBERS, PLACES, STEPS, ByTask
from studio.settings.parts import Parameters
from studio.settings.schedules import Place
from studio.training.errors import TrainingError
from studio.training.losses import loss_function
from studio.training.optimizers import set_options
from studio.training.stepping import Stepper
from studio.training.tasks import TASKS

STEPS_OF_A_RUN, BATCH = 50, 8
K = 5

# What each is in torch, with its arguments as a person would write them.
BY_HAND: dict[str, tuple[dict[str, Any], Callable[[Any], torch.optim.Optimizer]]] = {
    "adam": (
        {"beta1": 0.8, "weight_decay": 0.1, "amsgrad": True},
        lambda p: torch.optim.Adam(p, lr=1e-3, betas=(0.8, 0.999), weight_decay=0.1, amsgrad=True, fused=True),
    ),
    "adamw": ({"epsilon": 1e-6}, lambda p: torch.optim.AdamW(p, lr=1e-3, eps=1e-6, fused=True)),
    "sgd": (
        {"nesterov": True, "weight_decay": 0.01},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01, fused=True),
    ),
    "rmsprop": (
        {"momentum": 0.5, "centered": True},
        lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.5, centered=True),
    ),
    "adagrad": ({"rate_decay": 0.1}, lambda p: torch.optim.Adagrad(p, lr=0.01, lr_decay=0.1, fused=True)),
    "adadelta": ({"rho": 0.8}, lambda p: torch.optim.Adadelta(p, rho=0.8)),
    "adamax": ({"beta2": 0.99}, lambda p: torch.optim.Adamax(p, betas=(0.9, 0.99))),
    "nadam": (
        {"weight_decay": 0.1, "decoupled": True},
        lambda p: torch.optim.NAdam(p, weight_decay=0.1, decoupled_weight_decay=True),
    ),
    "radam": ({"weight_decay": 0.1}, lambda p: torch.optim.RAdam(p, weight_decay=0.1)),
    "adafactor": ({"longest_update": 2.0}, lambda p: torch.optim.Adafactor(p, d=2.0)),
    "lbfgs": ({"iterations": 4}, lambda p: torch.optim.LBFGS(p, max_iter=4, line_search_fn="strong_wolfe")),
}


class Answers(nn.Module):
    """Gives answers of any size, through a norm."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        size = torch.Size(dims).numel()
        self.dims = dims
        self.body = nn.Sequential(nn.Linear(3, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, size))

    def forward(self, inputs: Tensor) -> Tensor:
        answers: Tensor = self.body(inputs).view(-1, *self.dims)
        return answers


DIMS = {CLASSES: (K,), STEPS: (4, K), PLACES: (K, 3, 4), LABELS: (K,), NUMBERS: (2,)}


def batches(kind: str) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(1)
    found = []
    for _ in range(STEPS_OF_A_RUN):
        inputs = torch.randn(BATCH, 3, generator=draw)
        places = {CLASSES: (), STEPS: (4,), PLACES: (3, 4)}.get(kind)
        if places is not None:
            targets = torch.randint(K, (BATCH, *places), generator=draw)
            if places:
                targets[torch.rand(targets.shape, generator=draw) < 0.1] = IGNORED
        elif kind == LABELS:
            targets = (torch.rand(BATCH, K, generator=draw) < 0.3).float()
        else:
            targets = 3 * torch.randn(BATCH, 2, generator=draw)
        found.append((inputs, targets))
    return found


def model_of(kind: str) -> Answers:
    torch.manual_seed(0)
    return Answers(DIMS[kind])


def stepper_of(
    model: nn.Module, settings: TrainingSettings, loss: Callable[[Tensor, Tensor], Tensor],
    groups: list[Any] | None = None,
) -> Stepper:  # fmt: skip
    chosen = settings.optimizer
    fused = {"fused": True} if chosen.fused else {}
    optimizer = getattr(torch.optim, chosen.torch_class)(
        groups or list(model.parameters()), **chosen.arguments(), **fused
    )
    set_options(optimizer, settings)
    return Stepper(model, optimizer, loss, settings, epochs=5, samples=10 * BATCH, device="cpu")


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = list(zip(first.parameters(), second.parameters(), strict=True))
    assert all(one.isfinite().all() for one, _ in pairs)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("kind", optimizers.kinds())
def test_fifty_steps_of_every_optimizer(kind: str) -> None:
    fields, make = BY_HAND[kind]
    settings = TrainingSettings(batch_size=BATCH, optimizer=optimizers.get(kind)(**fields))
    model = model_of(CLASSES)
    ours = copy.deepcopy(model)
    optimizer, stepper = make(model.parameters()), stepper_of(ours, settings, functional.cross_entropy)
    for step, (inputs, targets) in enumerate(batches(CLASSES)):

        def look(inputs: Tensor = inputs, targets: Tensor = targets) -> Tensor:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(inputs), targets)
            loss.backward()
            return loss

        wanted = optimizer.step(look)
        loss, _ = stepper((inputs,), targets, step)
        assert torch.equal(loss, wanted)
    assert same(ours, model)


@pytest.mark.parametrize("kind", schedules.kinds())
def test_fifty_steps_of_every_schedule(kind: str) -> None:
    schedule = schedules.get(kind)()
    settings = TrainingSettings(batch_size=BATCH, optimizer=optimizers.get("sgd")(), schedule=schedule)
    model = model_of(CLASSES)
    ours = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, fused=True)
    stepper = stepper_of(ours, settings, functional.cross_entropy)
    memory = schedule.memory()
    for step, (inputs, targets) in enumerate(batches(CLASSES)):
        place, group = Place(step, STEPS_OF_A_RUN, 10), optimizer.param_groups[0]
        group["lr"] = 0.05 * schedule.factor(place) * (memory.factor if memory else 1.0)
        if schedule.moves_momentum:
            group["momentum"] = schedule.momentum(place)
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        stepper((inputs,), targets, step)
        if memory:
            memory.see(1.0)
        stepper.see(1.0)
    assert same(ours, model)
    if memory:
        assert memory.factor < 1.0, "it has to fall once"


def hand_focal(answers: Tensor, targets: Tensor) -> Tensor:
    each = functional.cross_entropy(answers, targets, reduction="none")
    return ((1 - torch.exp(-each)) ** 2.5 * each).sum() / (targets != IGNORED).sum()


def hand_dice(answers: Tensor, targets: Tensor) -> Tensor:
    """Class by class."""
    shares, known = answers.softmax(1), targets != IGNORED
    overlaps = []
    for k in range(K):
        share, wanted = shares[:, k] * known, (targets == k) & known
        overlaps.append((2 * (share * wanted).sum() + 1) / (share.sum() + wanted.sum() + 1))
    return 0.25 * functional.cross_entropy(answers, targets) + 0.75 * (1 - torch.stack(overlaps).mean())


WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 3.0, 0.0])
W = "1 2 0.5 3 0"

Hand = Callable[[Tensor, Tensor], Tensor]
LOSSES_BY_HAND: dict[tuple[str, str], tuple[dict[str, Any], Hand]] = {
    ("cross-entropy", CLASSES): (
        {"weights": W, "label_smoothing": 0.1},
        lambda a, t: functional.cross_entropy(a, t, weight=WEIGHTS, label_smoothing=0.1),
    ),
    ("cross-entropy", STEPS): (
        {"weights": W}, lambda a, t: functional.cross_entropy(a.flatten(0, 1), t.flatten(), weight=WEIGHTS),
    ),
    ("cross-entropy", PLACES): (
        {"label_smoothing": 0.2}, lambda a, t: functional.cross_entropy(a, t, label_smoothing=0.2),
    ),
    ("focal", CLASSES): ({"gamma": 2.5}, hand_focal),
    ("focal", STEPS): ({"gamma": 2.5}, lambda a, t: hand_focal(a.flatten(0, 1), t.flatten())),
    ("focal", PLACES): ({"gamma": 2.5}, hand_focal),
    ("focal", LABELS): (
        {"gamma": 2.5}, lambda a, t: sigmoid_focal_loss(a, t, alpha=-1, gamma=2.5, reduction="mean"),
    ),
    ("dice", PLACES): ({"cross_entropy": 0.25}, hand_dice),
    ("binary-cross-entropy", LABELS): (
        {"weights": W}, lambda a, t: functional.binary_cross_entropy_with_logits(a, t, pos_weight=WEIGHTS),
    ),
    ("squared-error", NUMBERS): ({}, functional.mse_loss),
    ("absolute-error", NUMBERS): ({}, functional.l1_loss),
    ("kl-divergence", NUMBERS): ({}, lambda a, t: nn.KLDivLoss(reduction="batchmean")(a.log_softmax(1), t)),
    ("huber", NUMBERS): ({"delta": 0.5}, lambda a, t: functional.huber_loss(a, t, delta=0.5)),
}  # fmt: skip
PAIRS = [(loss.kind, kind) for loss in losses for kind in loss.fits if loss is not ByTask]


def function_of(loss: Loss, kind: str) -> Hand:
    return loss_function(loss, kind, WEIGHTS if getattr(loss, "numbers", ()) else None)


@pytest.mark.parametrize(("loss", "kind"), PAIRS)
def test_fifty_steps_of_every_loss(loss: str, kind: str) -> None:
    fields, by_hand = LOSSES_BY_HAND[loss, kind]
    model = model_of(kind)
    ours = copy.deepcopy(model)
    settings = TrainingSettings(batch_size=BATCH, loss=losses.get(loss)(**fields))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    stepper = stepper_of(ours, settings, function_of(settings.loss, kind))
    for step, (inputs, numbers) in enumerate(batches(kind)):
        targets = numbers.softmax(1) if loss == "kl-divergence" else numbers  # shares
        wanted = by_hand(model(inputs), targets)
        optimizer.zero_grad()
        wanted.backward()
        optimizer.step()
        found, _ = stepper((inputs,), targets, step)
        if loss == "dice":  # sums over classes by themselves are rounded in their own way
            torch.testing.assert_close(found, wanted)
        else:
            assert torch.equal(found, wanted)
    assert loss == "dice" or same(ours, model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_refused_for_targets_that_it_is_not_made_for(kind: str) -> None:
    for loss in losses:
        if kind not in loss.fits:
            with pytest.raises(TrainingError, match=f"is made for .* has {kind} to predict"):
                loss_function(loss(), kind)
    assert TASKS.keys() == set(KINDS)


def test_focal_has_a_slope_where_the_answer_is_certain() -> None:
    targets = torch.tensor([0, 1, 2, 3, 4, 0])
    certain = torch.zeros(6, K)
    certain[range(6), targets] = 1000.0
    sure = certain.requires_grad_()
    loss_function(losses.get("focal")(gamma=1.0), CLASSES)(sure, targets).backward()
    assert sure.grad is not None
    assert sure.grad.isfinite().all(), "what is told right for certain has a slope of zero, not of no number"


def test_l1_is_the_sum_of_sizes_in_the_loss() -> None:
    model = model_of(CLASSES)
    ours = copy.deepcopy(model)
    settings = TrainingSettings(batch_size=BATCH, parameters=Parameters(l1=0.01))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    stepper = stepper_of(ours, settings, functional.cross_entropy)
    for step, (inputs, targets) in enumerate(batches(CLASSES)):
        loss = functional.cross_entropy(model(inputs), targets)
        penalty = 0.01 * sum(p.abs().sum() for p in model.parameters())
        optimizer.zero_grad()
        (loss + penalty).backward()
        optimizer.step()
        stepper((inputs,), targets, step)
    assert same(ours, model)


def test_a_schedule_that_is_dropped_gives_its_rate_and_momentum_back() -> None:
    model = model_of(CLASSES)
    settings = TrainingSettings(
        batch_size=BATCH, optimizer=optimizers.get("adamw")(), schedule=schedules.get("one-cycle")()
    )
    stepper = stepper_of(model, settings, functional.cross_entropy)
    inputs, targets = batches(CLASSES)[0]
    stepper((inputs,), targets, 40)
    group = stepper.optimizer.param_groups[0]
    assert group["lr"] != 1e-3
    assert group["betas"][0] > 0.9
    stepper.change(replace(settings, schedule=schedules.get("constant")()))
    stepper((inputs,), targets, 41)
    assert (group["lr"], group["betas"]) == (1e-3, (0.9, 0.999))


def test_a_plateau_whose_numbers_change_remembers_its_falls() -> None:
    plateau = schedules.get("plateau")
    settings = TrainingSettings(batch_size=BATCH, schedule=plateau(patience=0, gamma=0.5))
    stepper = stepper_of(model_of(CLASSES), settings, functional.cross_entropy)
    for _ in range(3):
        stepper.see(1.0)
    stepper.change(replace(settings, schedule=plateau(patience=0, gamma=0.1)))
    stepper.see(1.0)
    inputs, targets = batches(CLASSES)[0]
    stepper((inputs,), targets, 0)
    assert stepper.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * 0.5 * 0.5 * 0.1)
