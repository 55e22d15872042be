"""One step: forward, loss, backward, and what the optimizer makes of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.settings import Schedule, TrainingSettings
from studio.settings.schedules import Place, PlateauMemory
from studio.settings.training import changeable, differences, with_changes
from studio.training.lean import Lean, reaches
from studio.training.optimizers import DECAYS, set_momentum, set_options
from studio.training.outputs import Outputs
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

    `memory` is what the schedule remembers of the run so far, if it has to; a run that goes on needs its `state_dict`,
    as those of the compiled step and of the scaler of float16.
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
    memory: PlateauMemory | None = field(default=None, init=False)
    moved: Callable[[], None] | None = field(default=None, init=False)  # called after each move of the weights
    _parameters: list[nn.Parameter] = field(init=False)

    def __post_init__(self) -> None:
        self._find_parameters()
        self._autocast = PRECISIONS[self.choices.precision]
        half = self.choices.precision == "float16"
        self._scaler = torch.amp.GradScaler(self.device) if half else None
        # Not the network itself: what has a state here is kept in every checkpoint.
        self._plain: Callable[..., Tensor] = functools.partial(self.model)
        self._forward: Callable[..., Tensor] = self._plain
        if self.choices.compile == "network":
            compiled: Callable[..., Tensor] = torch.compile(self.model)
            self._forward = functools.partial(compiled)
        elif self.choices.compile != "off":
            self.whole = WholeStep(
                self.model, self.optimizer, self.loss, self._autocast, later=self.choices.compile == WHOLE_STEP_LATER,
                threads=self.choices.threads,
            )  # fmt: skip
        self._settle()

    def _find_parameters(self) -> None:
        groups = self.optimizer.param_groups
        self._parameters = [p for group in groups for p in group["params"]]
        self._pulled = [p for group in groups if group.get(DECAYS, True) for p in group["params"]]

    def take_parameters(self) -> None:
        """Move other tensors from now on: those that the optimizer was given in place of its first ones."""
        self._find_parameters()
        self._settle()

    def _settle(self) -> None:
        """Take from the settings what each step would else have to look up."""
        gradients, schedule = self.settings.gradients, self.settings.schedule
        self._accumulate, self._clip_norm, self._clip_value = (
            gradients.accumulate, gradients.clip_norm, gradients.clip_value,
        )  # fmt: skip
        self._l1 = self.settings.parameters.l1
        self._searches = self.settings.optimizer.searches
        self._schedule = None if schedule.is_constant else schedule
        self.memory = _remembered(self.memory, schedule)
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
        if self._searches:
            return self._search(inputs, targets)
        if self.whole is not None and not plainly and (done := self.whole(inputs, targets)) is not None:
            self._tell_moved()
            return done
        answers = self._answers(self._plain if plainly else self._forward, inputs)
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

    def set_forward(self, network: Callable[..., Tensor]) -> None:
        """Let something that stands for the network answer in steps: it takes the same inputs."""
        self._forward = self._plain = network

    def _forget(self) -> None:
        """Let go of the gradients of the step before."""
        for parameter in self._parameters:
            parameter.grad = None

    def _backward(self, loss: Tensor) -> None:
        if self._scaler is not None:
            loss = self._scaler.scale(loss)
        loss.backward()  # type: ignore[no-untyped-call]

    def _search(self, inputs: tuple[Tensor, ...], targets: Tensor) -> tuple[Tensor, Tensor]:
        """A step of an optimizer that looks at the batch again and again; gives what it saw first."""
        seen: list[tuple[Tensor, Tensor]] = []

        def look() -> Tensor:
            self.optimizer.zero_grad(set_to_none=True)
            answers = self.answers(inputs)
            loss = self.loss(answers, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            seen.append((loss, answers))
            del seen[1:]
            return loss

        self.optimizer.step(look)  # type: ignore[arg-type]
        self._tell_moved()
        return seen[0]

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
        if self._l1:
            self._add_l1()
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
        self._tell_moved()

    def _tell_moved(self) -> None:
        if self.moved is not None:
            self.moved()

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

    @torch.no_grad()
    def _add_l1(self) -> None:
        """The gradient of the sum of sizes, of what the weight decay pulls, too."""
        for parameter in self._pulled:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.sign(), alpha=self._l1)

    def _set_rate(self, step: int) -> None:
        assert self._schedule is not None
        place = Place(step, self._total, self._per_epoch)
        factor = self._schedule.factor(place)
        if self.memory is not None:
            factor *= self.memory.factor
        if self._schedule.moves_momentum:
            set_momentum(self.optimizer, self._schedule.momentum(place))
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def see(self, validation_loss: float) -> None:
        """Take in how an epoch ended, for a schedule that goes by that."""
        if self.memory is not None:
            self.memory.see(validation_loss)

    def change(self, settings: TrainingSettings) -> dict[str, tuple[Any, Any]]:
        """Take of other settings what can reach a run under way; returns what that changed, old and new."""
        found = {name: pair for name, pair in differences(self.settings, settings).items() if changeable(name)}
        self.settings = with_changes(self.settings, settings)
        if any(name.startswith(("optimizer", "schedule")) for name in found):
            set_options(self.optimizer, self.settings)  # without a schedule nothing else would
        self._settle()
        if self.whole is not None and found:
            self.whole.settle(plain=not (self._clip_norm or self._clip_value or self._l1))
        return found


@dataclass
class SeveralStepper(Stepper):
    """The same for a network with several Outputs, whose answers are a tuple.

    Args:
        outputs: what becomes of them.
    """

    outputs: Outputs = field(kw_only=True)

    def _answers(self, network: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Any:
        """Those of each Output, and the input that is compared, if one is."""
        with torch.autocast(self.device, dtype=self._autocast, enabled=self._autocast is not None):
            answers = network(*inputs)
        answers = answers if self._autocast is None else tuple(answer.float() for answer in answers)
        return self.outputs.with_input(answers, inputs)


def _remembered(memory: PlateauMemory | None, schedule: Schedule) -> PlateauMemory | None:
    """What a schedule remembers: what it did before, if it is still the same one with other numbers."""
    fresh = schedule.memory()
    if memory is not None and fresh is not None:
        fresh.load_state_dict(memory.state_dict())
    return fresh
