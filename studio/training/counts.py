"""How often classes and labels occur in the training split.

Axis letters: K classes or labels.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from studio.data.base import IGNORED
from studio.data.dataset import Dataset

CHUNK_NUMBERS = 2_000_000  # of targets at a time


def training_targets(dataset: Dataset) -> Iterator[Tensor]:
    """The targets of the training split, some at a time."""
    rows = dataset.splits["train"]
    step = max(1, CHUNK_NUMBERS // max(dataset.targets[:1].numel(), 1))
    for start in range(0, len(rows), step):
        yield dataset.wanted(rows[start : start + step])


def class_counts(dataset: Dataset) -> Tensor:
    """How many samples, or places of samples, are of each class (K,), float64; ignored ones left out."""
    counts_K = torch.zeros(dataset.spec.target.size, dtype=torch.float64)
    for targets in training_targets(dataset):
        known = targets[targets != IGNORED]
        counts_K += torch.bincount(known, minlength=len(counts_K))
    return counts_K


def label_counts(dataset: Dataset) -> tuple[Tensor, int]:
    """How many samples have each label (K,), float64, and how many samples there are."""
    counts_K = torch.zeros(dataset.spec.target.size, dtype=torch.float64)
    for targets in training_targets(dataset):
        counts_K += (targets > 0.5).double().sum(0)
    return counts_K, len(dataset.splits["train"])
