"""Looks for a learning rate: a few steps of a copy of the network, each with a higher rate, until the loss explodes.

Nothing of it is kept, and what is drawn at random afterwards is the same as without it.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from studio.data.base import Progress
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs import RunFolder
from studio.settings.rates import HIGHEST, LOWEST, RatePoint, Suggestion, suggest
from studio.settings.schedules import Constant
from studio.training.control import Control
from studio.training.devices import resolve_device, thread_count
from studio.training.errors import TrainingError
from studio.training.loading import load
from studio.training.loop import Trainer
from studio.training.optimizers import SHARE
from studio.training.runner import checked_plan
from studio.training.setup import make_trainer
from studio.training.starting_weights import read_first_weights

STEPS = 120
_EXPLODED = 2.0  # times the loss of the first steps
_MEMORY = 0.7  # of the running mean that is held against it
_FIRST = 5  # steps whose mean the others are held against


def find_rate(
    project: Project, control: Control, on_point: Callable[[RatePoint], None], data_folder: Path | None = None,
    reading: Progress | None = None,
) -> tuple[list[RatePoint], Suggestion]:  # fmt: skip
    """Sweep the learning rate from LOWEST to HIGHEST, by the same factor in each step.

    Args:
        control: stops it from another thread.
        on_point: called after each step, in the calling thread.
        data_folder: where the person keeps the dataset's files; None for the studio's cache.
        reading: told how far the files are decoded, where that has to be done first; may raise to cancel.

    Returns:
        the points, and what they speak for.

    Raises:
        TrainingError: if the network cannot be trained, or the optimizer looks for the length of its steps itself.
        DataError: if the data is missing or broken.
    """
    optimizer = project.training.optimizer
    if optimizer.searches:
        raise TrainingError(f"{optimizer.title} looks for the length of its steps itself; there is no rate to find.")
    settings = replace_fields(
        project.training, schedule=Constant(), gradients=replace_fields(project.training.gradients, accumulate=1)
    )
    project = replace(project, training=settings)
    device = resolve_device(settings.device)
    dataset = load(project, data_folder, reading)
    first = read_first_weights(project, checked_plan(project, dataset))
    points: list[RatePoint] = []
    with _threads(thread_count(settings.threads)), _untouched_draws(device), tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(project, dataset, RunFolder(Path(folder)), device, control, first)
        for point in _sweep(trainer):
            points.append(point)
            on_point(point)
            if control.stopping:
                break
    return points, suggest(points)


def _sweep(trainer: Trainer) -> Iterator[RatePoint]:
    trainer.model.train()
    for part in trainer.frozen:
        part.eval()
    growth = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    mean, first = 0.0, 0.0
    for step, (inputs, targets) in zip(range(STEPS), _batches(trainer), strict=False):
        rate = LOWEST * growth**step
        for group in trainer.optimizer.param_groups:
            group["lr"] = rate * group.get(SHARE, 1.0)
        loss = float(trainer.stepper(inputs, targets, step)[0].detach())
        if not math.isfinite(loss):
            return
        yield RatePoint(rate, loss)
        mean = loss if step == 0 else _MEMORY * mean + (1 - _MEMORY) * loss
        if step < _FIRST:
            first += loss / _FIRST
        elif mean > first + (_EXPLODED - 1) * abs(first):
            return


def _batches(trainer: Trainer) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    """Epoch after epoch."""
    epoch = 0
    while True:
        epoch += 1
        yield from trainer.batches["train"].epoch(trainer.shuffle, epoch)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _untouched_draws(device: torch.device) -> Iterator[None]:
    """Leave torch's generators as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
