"""One step: forward, loss, backward, and what the optimizer makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.fields import replace
from studio.settings import TrainingSettings
from studio.settings.schedules import Constant, Place
from studio.settings.training import changeable, differences
from studio.training.lean import Lean, reaches
from studio.training.speed import PRECISIONS, WHOLE_STEP_LATER, Choices
from studio.training.whole_step import WholeStep


@dataclass
class Stepper:
    """Does the steps of a run, one by one.

    Args:
        loss: answers and targets of a batch to its mean loss ().
        settings: those of the run as they are now.
        epochs: how many there will be.
        samples: how many an epoch has; with the batch size it says where its last batch ends.
        device: kind of device: "cpu", "cuda" or "mps".
        choices: how the steps are computed.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    settings: TrainingSettings
    epochs: int
    samples: int
    device: str
    choices: Choices = field(default_factory=Choices)
    whole: WholeStep | None = field(default=None, init=False)  # compiled code that does what it can of the steps
    _parameters: list[nn.Parameter] = field(init=False)

    def __post_init__(self) -> None:
        self._parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self._autocast = PRECISIONS[self.choices.precision]
        half = self.choices.precision == "float16"
        self._scaler = torch.amp.GradScaler(self.device) if half else None
        self._forward: Callable[..., Tensor] = self.model
        if self.choices.compile == "network":
            self._forward = torch.compile(self.model)
        elif self.choices.compile != "off":
            self.whole = WholeStep(
                self.model, self.optimizer, self.loss, self._autocast, later=self.choices.compile == WHOLE_STEP_LATER,
                threads=self.choices.threads,
            )  # fmt: skip
        self._settle()

    def _settle(self) -> None:
        """Take from the settings what each step would else have to look up."""
        gradients, schedule = self.settings.gradients, self.settings.schedule
        self._accumulate, self._clip_norm, self._clip_value = (
            gradients.accumulate, gradients.clip_norm, gradients.clip_value,
        )  # fmt: skip
        self._schedule = None if isinstance(schedule, Constant) else schedule
        self._lean = Lean(self.optimizer) if self._scaler is None and reaches(self.optimizer) else None
        self._per_epoch = -(-self.samples // self.settings.batch_size)
        self._total = self._per_epoch * self.epochs

    def __call__(
        self, inputs: tuple[Tensor, ...], targets: Tensor, step: int, *, plainly: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Learn from a batch.

        Args:
            inputs: (N, *dims) each.
            targets: (N, ...).
            step: how many batches there were before, since the start of the run.
            plainly: do it by single operations, for someone who looks at layers, or at gradients afterwards.

        Returns:
            the mean loss () and the answers (N, ...).
        """
        if self._schedule is not None:
            self._set_rate(step)
        if self.whole is not None and not plainly and (done := self.whole(inputs, targets)) is not None:
            return done
        answers = self._answers(self.model if plainly else self._forward, inputs)
        loss = self.loss(answers, targets)
        if self._accumulate > 1:
            self._accumulated(loss, len(targets), step)
        else:
            self._forget()
            self._backward(loss)
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

    def _forget(self) -> None:
        """Let go of the gradients of the step before."""
        for parameter in self._parameters:
            parameter.grad = None

    def _backward(self, loss: Tensor) -> None:
        if self._scaler is not None:
            loss = self._scaler.scale(loss)
        loss.backward()  # type: ignore[no-untyped-call]

    def _accumulated(self, loss: Tensor, count: int, step: int) -> None:
        """Add a batch's gradient; the optimizer gets the mean over all samples of its batches, and of the last few."""
        place = step % self._per_epoch
        first = place - place % self._accumulate
        size = self.settings.batch_size
        together = min(self._accumulate * size, self.samples - first * size)
        if place == first:
            self._forget()
        self._backward(loss * (count / together))
        if place + 1 in (first + self._accumulate, self._per_epoch):
            self._update()

    def _update(self) -> None:
        if self._scaler is not None:
            self._scaler.unscale_(self.optimizer)
        if self._clip_value:
            nn.utils.clip_grad_value_(self._parameters, self._clip_value)
        if self._clip_norm:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        if self._lean is not None:
            self._lean.step()
        elif self._scaler is not None:  # leaves out a step whose gradients overflowed
            self._scaler.step(self.optimizer)
            self._scaler.update()
        else:
            self.optimizer.step()

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code does the steps, but for those that are of another size."""
        return self.whole is not None and self.whole.is_on

    def news(self) -> str:
        """What became of the compiled code, once; empty if nothing did."""
        if self.whole is None or not self.whole.news:
            return ""
        news, self.whole.news = self.whole.news, ""
        return news

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on with these steps beside network and optimizer: plain values."""
        return {
            "scaler": self._scaler.state_dict() if self._scaler is not None else {},
            "compiled": self.is_compiled,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one was: what was compiled there is compiled here before the next step."""
        if self._scaler is not None and state["scaler"]:
            self._scaler.load_state_dict(dict(state["scaler"]))
        if self.whole is not None and state["compiled"]:
            self.whole.later = False

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
        if self.whole is not None and found:
            self.whole.settle(clips=bool(self._clip_norm or self._clip_value))
        return found

    def _set_options(self, settings: TrainingSettings) -> None:
        options = settings.optimizer.arguments()
        for group in self.optimizer.param_groups:
            group.update({**options, "initial_lr": options["lr"]})
