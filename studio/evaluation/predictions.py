"""What a network answers to all samples of a split, and how far off it is.

Axis letters: N samples, K classes or labels, D numbers, P places of a sample, such as steps or pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from studio.data.base import IGNORED
from studio.data.batches import Batches
from studio.evaluation.trained import Trained
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES, STEPS, kind_of

Progress = Callable[[int, int], None]  # samples done, and of how many; may raise to cancel

BATCH = 512  # samples; where one is large, fewer
MOST_NUMBERS = 8_000_000  # of the answers of a batch
MOST_CONFUSED = 50  # classes of places whose confusion is looked at sample by sample


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers to one split.

    Args:
        split: its name.
        kind: which of the kinds in studio.training.tasks the target is.
        names: of the classes, labels or numbers.
        rows: the numbers of the samples in the dataset (N,) int64.
        losses: of each sample (N,) float32, the mean over its places.
        answers: raw scores (N, K) of classes or labels, or numbers in their own units (N, D); None where a sample has
            places, since there are so many.
        targets: class numbers (N,), labels (N, K) or numbers (N, D); None where a sample has places.
        counts: how often the places of a class (row) were taken for a class (column), (K, K) int64; None where a
            sample has one answer.
        rights, sizes: how many places of each sample (N,) are right, and how many it has; None where a sample has one
            answer.
        cells: which samples have places in which cells of `counts`: place of the sample, number of the cell counted row
            after row, and how many places, (E, 3) int64; None where a sample has one answer, or there are more than
            MOST_CONFUSED classes.
    """

    split: str
    kind: str
    names: tuple[str, ...]
    rows: Tensor
    losses: Tensor
    answers: Tensor | None = None
    targets: Tensor | None = None
    counts: Tensor | None = None
    rights: Tensor | None = None
    sizes: Tensor | None = None
    cells: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def probabilities(self) -> Tensor:
        """Of the classes (N, K), which sum up to 1, or of each label (N, K)."""
        assert self.answers is not None, self.kind
        return self.answers.softmax(1) if self.kind == CLASSES else self.answers.sigmoid()

    @property
    def guesses(self) -> Tensor:
        """The most probable class of each sample (N,)."""
        assert self.answers is not None, self.kind
        return self.answers.argmax(1)


def predict(trained: Trained, split: str, progress: Progress | None = None) -> Predictions:
    """Let a network answer all samples of a split.

    Args:
        split: "train", "validation" or "test".
    """
    target = trained.dataset.spec.target
    kind = kind_of(target)
    rows, total = trained.dataset.splits[split], len(trained.dataset.splits[split])
    collector = (_Places if kind in (STEPS, PLACES) else _Whole)(trained, kind)
    done, size = 0, max(1, min(BATCH, MOST_NUMBERS // target.answer.numel))
    for inputs, targets in batches_of(trained, split, size):
        with torch.inference_mode():
            collector.add(trained.model(*inputs), targets)
        done += len(targets)
        if progress is not None:
            progress(done, total)
    return Predictions(split, kind, target.names, rows, **collector.result())


def batches_of(trained: Trained, split: str, size: int) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    """The inputs and targets of a split in the order of its samples, so many at a time, as the network takes them."""
    return Batches(trained.dataset, split, size, trained.device, trained.channels_last).epoch(None)


class _Whole:
    """Keeps the answers of samples that have one each."""

    def __init__(self, trained: Trained, kind: str) -> None:
        self._kind = kind
        self._scaling = trained.dataset.answers
        self._losses: list[Tensor] = []
        self._answers: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, answers: Tensor, targets: Tensor) -> None:
        answers = answers.float()
        self._losses.append(_losses(self._kind, answers, targets).cpu())
        self._answers.append(self._in_units(answers).cpu())
        self._targets.append(self._in_units(targets).cpu() if self._kind == NUMBERS else targets.cpu())

    def _in_units(self, values: Tensor) -> Tensor:
        if self._kind != NUMBERS:
            return values
        if self._scaling.shift:
            shape = self._scaling.along(values.ndim)
            shift, scale = (
                torch.tensor(numbers, device=values.device).view(shape)
                for numbers in (self._scaling.shift, self._scaling.scale)
            )
            values = values / scale + shift
        return values.flatten(1)

    def result(self) -> dict[str, Tensor]:
        return {
            "losses": torch.cat(self._losses),
            "answers": torch.cat(self._answers),
            "targets": torch.cat(self._targets),
        }


class _Places:
    """Counts the answers to the places of samples, batch by batch."""

    def __init__(self, trained: Trained, kind: str) -> None:
        self._kind = kind
        classes = trained.dataset.spec.target.size
        self._counts = torch.zeros(classes, classes, dtype=torch.int64)
        self._losses: list[Tensor] = []
        self._rights: list[Tensor] = []
        self._sizes: list[Tensor] = []
        self._cells: list[Tensor] = []
        self._done = 0

    def add(self, answers: Tensor, targets: Tensor) -> None:
        guesses, wanted = guessed(self._kind, answers).flatten(1), targets.flatten(1)
        real = wanted != IGNORED
        self._losses.append(_losses(self._kind, answers.float(), targets).cpu())
        self._rights.append(((guesses == wanted) & real).sum(1).cpu())
        self._sizes.append(real.sum(1).cpu())
        classes = len(self._counts)
        pairs = torch.bincount((wanted[real] * classes + guesses[real]).cpu(), minlength=classes**2)
        self._counts += pairs.view(classes, classes)
        if classes <= MOST_CONFUSED:
            self._cells.append(self._in_cells(wanted * classes + guesses, real))
        self._done += len(targets)

    def _in_cells(self, cells_NP: Tensor, real_NP: Tensor) -> Tensor:
        """How many places of each sample are in which cell, (E, 3)."""
        count, cells = len(cells_NP), len(self._counts) ** 2
        samples = torch.arange(count, device=cells_NP.device)[:, None].expand_as(cells_NP)
        filled = torch.bincount((samples * cells + cells_NP)[real_NP].cpu(), minlength=count * cells)
        numbers = filled.nonzero().squeeze(1)
        return torch.stack([numbers // cells + self._done, numbers % cells, filled[numbers]], 1)

    def result(self) -> dict[str, Tensor]:
        return {
            **({"cells": torch.cat(self._cells)} if self._cells else {}),
            "losses": torch.cat(self._losses),
            "counts": self._counts,
            "rights": torch.cat(self._rights),
            "sizes": torch.cat(self._sizes),
        }


def guessed(kind: str, answers: Tensor) -> Tensor:
    """The most probable class of each place (N, *places), of scores (N, T, K) of steps or (N, K, H, W) of pixels."""
    return answers.argmax(2 if kind == STEPS else 1)


def _losses(kind: str, answers: Tensor, targets: Tensor) -> Tensor:
    """The loss of each sample (N,), the mean over its places that are not ignored."""
    if kind == CLASSES:
        return functional.cross_entropy(answers, targets, reduction="none")
    if kind == LABELS:
        return functional.binary_cross_entropy_with_logits(answers, targets, reduction="none").mean(1)
    if kind == NUMBERS:
        return (answers - targets).square().flatten(1).mean(1)
    scores = answers.movedim(2, 1) if kind == STEPS else answers
    places = functional.cross_entropy(scores, targets, ignore_index=IGNORED, reduction="none").flatten(1)
    return places.sum(1) / (targets != IGNORED).flatten(1).sum(1).clamp(min=1)
