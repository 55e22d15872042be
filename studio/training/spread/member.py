"""What every process of a team does to a trainer, so that its steps are those of all of them together.

The gradient of a process is that of the mean loss over its own rows. DistributedDataParallel takes the plain mean over
all processes, and so does FSDP. So each first multiplies its gradient by what its rows weigh in the whole batch, times
the number of processes: then the mean is the gradient of the mean loss over the whole batch, also where shares differ
in size.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from studio.data.shares import LEAST, Share
from studio.settings.losses import CrossEntropy
from studio.training.errors import TrainingError
from studio.training.loop import Trainer
from studio.training.outputs import Outputs
from studio.training.setup import weight_of_classes
from studio.training.spread.parting import are_wanted, check_parts
from studio.training.spread.team import Team

if TYPE_CHECKING:
    from studio.training.spread.shards import Shards

Weigh = Callable[[Tensor], Tensor]  # targets of a batch to what they count in its mean loss ()

# Earlier versions of PyTorch call it by another name.
_KNOWN = inspect.signature(DistributedDataParallel.__init__).parameters
_OWN_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _KNOWN else "broadcast_buffers": False
}


def check(trainer: Trainer, team: Team) -> None:
    """Whether a trainer can be one of a team.

    Raises:
        TrainingError: if its settings make that impossible.
    """
    settings = trainer.stepper.settings
    if settings.batch_size < LEAST * team.size:
        raise TrainingError(
            f"Batches of {settings.batch_size:,} samples are too small for {team.size} processes: each needs at least "
            f"{LEAST}. Use batches of {LEAST * team.size:,} or more, or fewer processes."
        )
    if settings.optimizer.searches:
        raise TrainingError(
            f"The optimizer “{settings.optimizer.title}” looks at a batch again and again, each time at another place. "
            "Several processes cannot do that together; choose another optimizer, or train in one process."
        )
    if are_wanted(settings, team):
        check_parts(trainer)


class Member:
    """Stands in for the network and the loss of a trainer's steps.

    A loss that is no mean over samples or places, as that of an overlap, is taken for the rows of each process alone.
    """

    def __init__(self, team: Team, trainer: Trainer) -> None:
        self.team, self.trainer = team, trainer
        self.share = Share(team.place, team.size)
        self.done = 0  # batches of the epoch under way
        stepper = trainer.stepper
        self._loss: Callable[[Tensor, Tensor], Tensor] = stepper.loss
        self._weigh = _weigher(trainer)
        _synchronize_norms(trainer, team)
        # Averages of batch norms stay those of each process: the leader's are kept, and only the leader measures.
        self.shards = self.cut() if are_wanted(stepper.settings, team) else None
        self._network: nn.Module = stepper.model
        if self.shards is None:
            self._network = DistributedDataParallel(stepper.model, process_group=team.gradients, **_OWN_BUFFERS)
        trainer.batches["train"].share = self.share
        stepper.set_forward(self.forward)
        stepper.loss = self.loss

    def cut(self) -> Shards:
        """Keep only a part of the network."""
        from studio.training.spread.shards import Shards

        return Shards(self.team, self.trainer)

    def leave(self) -> None:
        """Let the trainer alone: from now on it is one of a single process."""
        stepper = self.trainer.stepper
        stepper.set_forward(stepper.model)
        stepper.loss = self._loss
        self.trainer.batches["train"].share = None

    def forward(self, *inputs: Tensor) -> Tensor:
        """Answers (N, ...) to inputs (N, *dims) each, in a step of all processes."""
        self.done += 1
        self.team.pulse.note(self.trainer.step, self.rows()[0])
        answers: Tensor = self._network(*inputs)
        return answers

    def rows(self) -> tuple[int, int]:
        """How many rows of the batch under way are this process's own, and how many there are in all."""
        batches = self.trainer.batches["train"]
        whole = min(batches.batch_size, batches.samples - (self.done - 1) * batches.batch_size)
        return self.share.count(whole), whole

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The mean loss () over its own rows, with the gradient of its part in that of the whole batch."""
        if (outputs := self.trainer.task.outputs) is not None:
            return self._of_outputs(outputs, answers, targets)
        loss = self._loss(answers, targets)
        return _Scaled.apply(loss, self.team.size * self._part(targets, self._weigh))  # type: ignore[no-any-return]

    def _of_outputs(self, outputs: Outputs, answers: Any, targets: Tensor) -> Tensor:
        """The same where there are several: what rows weigh may differ from one Output to the next."""
        scaled = [
            _Scaled.apply(loss, self.team.size * self._part(outputs.pair(number, answers, targets)[1], part.weigh))
            for number, (part, loss) in enumerate(zip(outputs.parts, outputs.losses(answers, targets), strict=True))
        ]
        return outputs.total(scaled)

    def _part(self, targets: Tensor, weigh: Weigh | None) -> float:
        mine, whole = self.rows()
        part = mine / whole
        if weigh is not None:
            weights = torch.stack([weigh(targets) if mine else torch.zeros(())]).double().cpu()
            total = self.team.add_up(weights.clone())
            part = float(weights / total.clamp_min(1e-12))
        if self.trainer.stepper.settings.gradients.accumulate > 1:  # the stepper counts the rows itself
            part *= whole / len(targets)
        return part


def _weigher(trainer: Trainer) -> Weigh | None:
    """Targets of a batch to what they count in its mean loss; None where that is the number of samples."""
    weights = trainer.keeper.preparation.get("loss_weights")
    if weights is None or not isinstance(trainer.stepper.settings.loss, CrossEntropy):
        return trainer.task.weight
    return functools.partial(weight_of_classes, torch.tensor(weights, device=trainer.stepper.device))


class _Scaled(torch.autograd.Function):
    """A number as it is, with a gradient that is multiplied."""

    @staticmethod
    def forward(context: Any, value: Tensor, factor: float) -> Tensor:
        """The value () itself."""
        context.factor = factor
        return value.view_as(value)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient () times the factor."""
        return gradient * context.factor, None


def _synchronize_norms(trainer: Trainer, team: Team) -> None:
    """Let batch norms that learn see the whole batch, where PyTorch can do that: on NVIDIA GPUs."""
    if trainer.stepper.device != "cuda":
        return
    still = {module for part in trainer.frozen for module in part.modules()}
    for parent in list(trainer.model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.modules.batchnorm._BatchNorm) and child not in still:
                convert = nn.SyncBatchNorm.convert_sync_batchnorm
                setattr(parent, name, convert(child, team.gradients))  # type: ignore[no-untyped-call]


def has_norms(model: nn.Module) -> bool:
    """Whether a network has batch norms."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
