"""What a target means for training: which loss, and which score beside it.

Of a target with places, those of the class IGNORED count nowhere, and all others count the same, whichever sample they
are in: the accuracy of the words of texts is that of all words, not a mean over texts, in which those of short ones
would count for more.

Axis letters: N batch, K classes or labels, T steps, H W space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from studio.compile.target_kinds import kind_of
from studio.data.base import IGNORED, Target
from studio.data.scaling import IDENTITY, Scaling
from studio.settings.losses import CLASSES, LABELS, NUMBERS, PLACES, STEPS

if TYPE_CHECKING:
    from studio.training.outputs import Outputs

# The kinds of targets are declared where no torch is needed; who computes finds them here.
__all__ = [
    "CLASSES", "LABELS", "NUMBERS", "PLACES", "STEPS", "TASKS", "Sums", "Tally", "Task", "kind_of", "task_of",
]  # fmt: skip


@dataclass(frozen=True)
class Task:
    """Loss and score of one kind of target.

    Args:
        metric: the score's name.
        loss: answers and targets of a batch to the mean loss (), over samples and places.
        score: the same to the sum of the score (), over samples and places, where a whole sample has 1.
        weight: targets of a batch to what they count in a mean (): the number of samples, less their ignored places;
            None where that is always the number of samples.
        shares: whether the softmax of the answers is compared with shares that sum to 1.
        outputs: where the network has several: then the answers are a tuple, the loss is that of all of them, and
            score and weight are those of the main one.
    """

    metric: str
    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]
    weight: Callable[[Tensor], Tensor] | None = None
    shares: bool = False
    outputs: Outputs | None = None


def _real_places(targets: Tensor) -> Tensor:
    # In double: a whole batch weighs exactly as many as it has samples.
    return (targets != IGNORED).sum().double() / targets[0].numel()


def _correct(answers_NK: Tensor, targets_N: Tensor) -> Tensor:
    return (answers_NK.argmax(1) == targets_N).sum()


def _loss_of_steps(answers_NTK: Tensor, targets_NT: Tensor) -> Tensor:
    return functional.cross_entropy(answers_NTK.flatten(0, 1), targets_NT.flatten())


def _correct_steps(answers_NTK: Tensor, targets_NT: Tensor) -> Tensor:
    return (answers_NTK.argmax(2) == targets_NT).sum() / targets_NT[0].numel()


def _correct_places(answers_NKHW: Tensor, targets_NHW: Tensor) -> Tensor:
    return (answers_NKHW.argmax(1) == targets_NHW).sum() / targets_NHW[0].numel()


def _correct_labels(answers_NK: Tensor, targets_NK: Tensor) -> Tensor:
    return ((answers_NK > 0) == (targets_NK > 0.5)).float().mean(1).sum()


def _absolute_error(answers: Tensor, targets: Tensor) -> Tensor:
    return (answers - targets).abs().flatten(1).mean(1).sum()


def _absolute_error_of_shares(answers_NK: Tensor, shares_NK: Tensor) -> Tensor:
    return _absolute_error(answers_NK.softmax(1), shares_NK)


def _unscaled(scaling: Scaling) -> Callable[[Tensor, Tensor], Tensor]:
    """The absolute error of scaled numbers in the units that they had before."""

    def score(answers: Tensor, targets: Tensor) -> Tensor:
        scale = torch.tensor(scaling.scale, device=answers.device).view(1, -1, *[1] * (answers.ndim - 2))
        return _absolute_error(answers / scale, targets / scale)

    return score


TASKS = {
    CLASSES: Task("accuracy", functional.cross_entropy, _correct),
    STEPS: Task("accuracy", _loss_of_steps, _correct_steps, _real_places),
    PLACES: Task("accuracy", functional.cross_entropy, _correct_places, _real_places),
    LABELS: Task("accuracy", functional.binary_cross_entropy_with_logits, _correct_labels),
    NUMBERS: Task("mae", functional.mse_loss, _absolute_error),
}


def task_of(
    target: Target, answers: Scaling = IDENTITY, loss: Callable[[Tensor, Tensor], Tensor] | None = None, *,
    shares: bool = False,
) -> Task:  # fmt: skip
    """How answers are compared with a target.

    Args:
        answers: how numbers to predict are scaled for the network; their error is told in their own units.
        loss: in place of the usual one.
        shares: whether the softmax of the answers is meant, as that of classes; then nothing is scaled.
    """
    task = TASKS[kind_of(target)]
    task = task if loss is None else replace(task, loss=loss)
    if shares:
        return replace(task, score=_absolute_error_of_shares, shares=True)
    return replace(task, score=_unscaled(answers)) if answers.scale else task


@dataclass
class Sums:
    """Sums over batches.

    Args:
        loss: each batch's mean loss times its weight.
        score: of all samples and places.
        weight: what they count; the number of samples, where no place is ignored.
        samples: how many there were.
        parts: the same of each Output by itself, where there are several.
    """

    loss: float = 0.0
    score: float = 0.0
    weight: float = 0.0
    samples: int = 0
    parts: tuple[Sums, ...] = ()

    @classmethod
    def of(cls, numbers: Sequence[Any]) -> Sums:
        """From what `numbers` gave."""
        loss, score, weight, samples, *parts = numbers
        return cls(loss, score, weight, samples, tuple(map(cls.of, parts)))

    @property
    def numbers(self) -> list[Any]:
        """All of it as plain numbers, behind them a list for each part."""
        return [self.loss, self.score, self.weight, self.samples, *(part.numbers for part in self.parts)]

    def add(self, other: Sums) -> None:
        """Take in further sums."""
        self.loss += other.loss
        self.score += other.score
        self.weight += other.weight
        self.samples += other.samples
        if other.parts:
            self.parts = self.parts or tuple(Sums() for _ in other.parts)
            for part, more in zip(self.parts, other.parts, strict=True):
                part.add(more)

    def __sub__(self, other: Sums) -> Sums:
        """What came since other sums of the same batches, without the parts."""
        return Sums(
            self.loss - other.loss, self.score - other.score, self.weight - other.weight, self.samples - other.samples
        )

    @property
    def mean_loss(self) -> float:
        """Over all samples and places; 0 if there were none."""
        return self.loss / (self.weight or 1.0)

    @property
    def mean_score(self) -> float:
        """Over all samples and places; 0 if there were none."""
        return self.score / (self.weight or 1.0)


class Tally:
    """Means of loss and score over many batches, at almost no cost per step.

    A step only keeps its tensors; they are counted together when there are many, or when they grow large. Of a large
    answer only the score is kept: its own size makes the few calls cheap, and the device need not be waited for.

    When they are counted does not depend on who reads: so the same batches give the same sums to the last bit, in a run
    that was interrupted as in one that was not.
    """

    MOST_BATCHES = 64
    MAX_KEPT_NUMBERS = 1_000_000
    LARGE_ANSWER = 250_000  # numbers in a batch

    def __init__(self, task: Task) -> None:
        self.task = task
        self._sums = Sums()
        self._parts = [] if task.outputs is None else [Tally(part.task) for part in task.outputs.parts]
        self._open()

    def _open(self) -> None:
        """Begin to keep the tensors of further batches."""
        self._losses: list[Tensor] = []
        self._sizes: list[int] = []
        self._weights: list[Tensor] = []  # in place of the sizes, where the task has weights
        self._scores: list[Tensor] = []
        self._answers: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._kept = 0

    def add(self, loss: Tensor, answers: Tensor, targets: Tensor) -> None:
        """Take in a batch: its mean loss (), its answers and its targets."""
        if self._parts:
            answers = self._shared_out(answers, targets)
        self._losses.append(loss.detach())
        self._sizes.append(len(targets))
        if self.task.weight is not None:
            self._weights.append(self.task.weight(targets))
        numbers = answers.numel()
        if numbers >= self.LARGE_ANSWER:
            self._scores.append(self.task.score(answers.detach(), targets))
        else:
            self._answers.append(answers.detach())
            self._targets.append(targets)
            self._kept += numbers
        if len(self._losses) >= self.MOST_BATCHES or self._kept > self.MAX_KEPT_NUMBERS:
            self._sums = self.own_sums()
            self._open()

    @torch.no_grad()
    def _shared_out(self, answers: Any, targets: Tensor) -> Tensor:
        """Let each Output count its own; returns the answers of the main one."""
        outputs = self.task.outputs
        assert outputs is not None
        for number, (part, tally) in enumerate(zip(outputs.parts, self._parts, strict=True)):
            own, wanted = outputs.pair(number, answers, targets)
            tally.add(part.task.loss(own, wanted), own, wanted)
        return outputs.main_answers(answers)

    def sums(self) -> Sums:
        """The sums so far. What is kept stays open."""
        return self.own_sums()

    @torch.no_grad()
    def own_sums(self) -> Sums:
        """The same, of what was added here."""
        sums = replace(self._sums, parts=tuple(part.own_sums() for part in self._parts))
        if not self._losses:
            return sums
        sizes = torch.tensor(self._sizes, dtype=torch.float64)
        weights = torch.stack(self._weights).cpu() if self._weights else sizes
        scores = self._scores
        if self._answers:
            scores = [*scores, self.task.score(torch.cat(self._answers), torch.cat(self._targets))]
        loss = float(torch.stack(self._losses).float().cpu().double() @ weights)
        score = float(torch.stack(scores).cpu().double().sum())
        sums.add(Sums(loss, score, float(weights.sum()), sum(self._sizes)))
        return sums

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on counting: plain values and tensors."""
        return {
            "sums": [self._sums.loss, self._sums.score, self._sums.weight, self._sums.samples],
            "losses": self._losses, "sizes": self._sizes, "weights": self._weights, "scores": self._scores,
            "answers": self._answers, "targets": self._targets, "kept": self._kept,
            **({"parts": [part.state_dict() for part in self._parts]} if self._parts else {}),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device | str = "cpu") -> None:
        """Go on where another one was; its tensors are moved to the device of the batches that follow."""
        self._sums = Sums(*state["sums"])
        self._sizes, self._kept = list(state["sizes"]), state["kept"]
        self._losses, self._weights, self._scores, self._answers, self._targets = (
            [tensor.to(device) for tensor in state[name]]
            for name in ("losses", "weights", "scores", "answers", "targets")
        )
        for part, kept in zip(self._parts, state.get("parts", []), strict=True):
            part.load_state_dict(kept, device)
