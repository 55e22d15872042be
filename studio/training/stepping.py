"""One step: forward, loss, backward, and what the optimizer makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.fields import replace
from studio.settings import TrainingSettings
from studio.settings.schedules import Constant, Place
from studio.settings.training import changeable, differences

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


@dataclass
class Stepper:
    """Does the steps of a run, one by one.

    Args:
        loss: answers and targets of a batch to its mean loss ().
        settings: those of the run as they are now.
        epochs: how many there will be.
        samples: how many an epoch has; with the batch size it says where its last batch ends.
        device: kind of device: "cpu", "cuda" or "mps".
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    settings: TrainingSettings
    epochs: int
    samples: int
    device: str
    _parameters: list[nn.Parameter] = field(init=False)

    def __post_init__(self) -> None:
        self._forward: Callable[..., Tensor] = self.model
        self._parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self._settle()

    def _settle(self) -> None:
        """Take from the settings what each step would else have to look up."""
        gradients, schedule = self.settings.gradients, self.settings.schedule
        self._accumulate, self._clip_norm, self._clip_value = (
            gradients.accumulate, gradients.clip_norm, gradients.clip_value,
        )  # fmt: skip
        self._schedule = None if isinstance(schedule, Constant) else schedule
        self._autocast = PRECISIONS[self.settings.speed.precision]
        self._per_epoch = -(-self.samples // self.settings.batch_size)
        self._total = self._per_epoch * self.epochs

    def __call__(self, inputs: tuple[Tensor, ...], targets: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Learn from a batch.

        Args:
            inputs: (N, *dims) each.
            targets: (N, ...).
            step: how many batches there were before, since the start of the run.

        Returns:
            the mean loss () and the answers (N, ...).
        """
        if self._schedule is not None:
            self._set_rate(step)
        answers = self._answers(self._forward, inputs)
        loss = self.loss(answers, targets)
        if self._accumulate > 1:
            self._accumulated(loss, len(targets), step)
        else:
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._update()
        return loss, answers

    def answers(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """What the network answers (N, ...) to inputs (N, *dims) each, in the precision that was chosen."""
        return self._answers(self.model, inputs)

    def _answers(self, network: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
        if self._autocast is None:
            return network(*inputs)
        with torch.autocast(self.device, dtype=self._autocast):
            answers = network(*inputs)
        return answers.float()

    def set_forward(self, network: Callable[..., Tensor]) -> None:
        """Let something that stands for the network answer in steps: it takes the same inputs."""
        self._forward = network

    def _accumulated(self, loss: Tensor, count: int, step: int) -> None:
        """Add a batch's gradient; the optimizer gets the mean over all samples of its batches, and of the last few."""
        place = step % self._per_epoch
        first = place - place % self._accumulate
        size = self.settings.batch_size
        together = min(self._accumulate * size, self.samples - first * size)
        if place == first:
            self.optimizer.zero_grad(set_to_none=True)
        (loss * (count / together)).backward()  # type: ignore[no-untyped-call]
        if place + 1 in (first + self._accumulate, self._per_epoch):
            self._update()

    def _update(self) -> None:
        if self._clip_value:
            nn.utils.clip_grad_value_(self._parameters, self._clip_value)
        if self._clip_norm:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self.optimizer.step()

    def _set_rate(self, step: int) -> None:
        assert self._schedule is not None
        factor = self._schedule.factor(Place(step, self._total, self._per_epoch))
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def change(self, settings: TrainingSettings) -> dict[str, tuple[Any, Any]]:
        """Take of other settings what can reach a run under way; returns what that changed, old and new."""
        found = {name: pair for name, pair in differences(self.settings, settings).items() if changeable(name)}
        parts = {name.partition(".")[0] for name in found}
        now = self.settings
        if "optimizer" in parts:
            now = replace(now, optimizer=settings.optimizer)
            self._set_options(settings)
        if "schedule" in parts:
            now = replace(now, schedule=settings.schedule)
        if "gradients" in parts:
            clipping = {name: getattr(settings.gradients, name) for name in ("clip_norm", "clip_value")}
            now = replace(now, gradients=replace(now.gradients, **clipping))
        self.settings = now
        self._settle()
        return found

    def _set_options(self, settings: TrainingSettings) -> None:
        options = settings.optimizer.arguments()
        for group in self.optimizer.param_groups:
            group.update({**options, "initial_lr": options["lr"]})
