"""What a target means for training: which loss, and which score beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Task:
    """Loss and score of one kind of target.

    Args:
        metric: the score's name.
        loss: answers (N, K) and targets to the mean loss (); targets are (N,) class numbers or (N, K).
        score: the same to the sum over samples of the score ().
    """

    metric: str
    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]


def _correct(answers_NK: Tensor, targets_N: Tensor) -> Tensor:
    return (answers_NK.argmax(1) == targets_N).sum()


def _absolute_error(answers_NK: Tensor, targets_NK: Tensor) -> Tensor:
    return (answers_NK - targets_NK).abs().mean(1).sum()


TASKS = {
    "classification": Task("accuracy", functional.cross_entropy, _correct),
    "regression": Task("mae", functional.mse_loss, _absolute_error),
}


class Tally:
    """Means of loss and score over many batches, at almost no cost per step.

    A step only keeps its tensors; they are counted together when someone reads, or when they grow large.
    """

    MAX_KEPT_NUMBERS = 1_000_000

    def __init__(self, task: Task) -> None:
        self.task = task
        self._losses: list[Tensor] = []
        self._answers: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._kept = 0
        self._loss = self._score = 0.0
        self._samples = 0

    def add(self, loss: Tensor, answers: Tensor, targets: Tensor) -> None:
        """Take in a batch: its mean loss (), its answers (N, K) and its targets."""
        self._losses.append(loss.detach())
        self._answers.append(answers.detach())
        self._targets.append(targets)
        self._kept += answers.numel()
        if self._kept > self.MAX_KEPT_NUMBERS:
            self._count()

    @torch.no_grad()
    def _count(self) -> None:
        if not self._losses:
            return
        sizes = torch.tensor([len(targets) for targets in self._targets], dtype=torch.float32)
        losses = torch.stack(self._losses)
        self._loss += float(losses.float().cpu().double() @ sizes.double())
        self._score += float(self.task.score(torch.cat(self._answers), torch.cat(self._targets)))
        self._samples += int(sizes.sum())
        self._losses, self._answers, self._targets, self._kept = [], [], [], 0

    def sums(self) -> tuple[float, float, int]:
        """Sum of loss, sum of score and number of samples so far."""
        self._count()
        return self._loss, self._score, self._samples
