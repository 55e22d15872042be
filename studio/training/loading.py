"""The data of a run: as the project says, and as its losses want it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from studio.compile.outputs import answers_shares
from studio.compile.target_kinds import kind_of
from studio.data.base import Progress
from studio.data.dataset import Dataset, prepare
from studio.data.scaling import IDENTITY
from studio.project import Project
from studio.settings.losses import NUMBERS, KLDivergence
from studio.training.errors import TrainingError

_ROWS_AT_ONCE = 100_000
_NEAR = 1e-3  # to 1, for what sums to it: shares in a file are rounded


def load(project: Project, folder: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load, split and measure the data of a project.

    Args:
        folder: where the person keeps the files; None for the studio's cache.
        progress: told how far the files are decoded, where that has to be done first; may raise to cancel.

    Raises:
        TrainingError: if a loss compares shares, and the numbers to predict are none.
        DataError: if the data is missing or broken.
    """
    dataset = prepare(project.data, folder, progress)
    shares = any(answers_shares(node, project.training.loss) for node in project.graph.outputs)
    target = dataset.spec.target
    # Of another kind of target the analysis tells that the loss is not made for it.
    if not shares or kind_of(target) != NUMBERS or target.dims or target.size < 2:
        return dataset
    dataset = replace(dataset, answers=IDENTITY)
    _check_shares(dataset)
    return dataset


def _check_shares(dataset: Dataset) -> None:
    rows = torch.cat(list(dataset.splits.values())).sort().values
    for some in torch.split(rows, _ROWS_AT_ONCE):
        values = dataset.wanted(some)
        wrong = (values < 0).any(1) | ((values.sum(1) - 1).abs() > _NEAR)
        if bool(wrong.any()):
            first = int(wrong.int().argmax())
            raise TrainingError(_message(dataset.spec.target.names, int(some[first]), values[first].tolist()))


def _message(names: tuple[str, ...], row: int, values: list[float]) -> str:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in list(zip(names, values, strict=True))[:8])
    more = ", …" * (len(names) > 8)
    return (
        f"The loss “{KLDivergence.title}” compares shares: the numbers to predict of each sample have to be zero or "
        f"more and sum to 1. Those of sample {row:,} are {shown}{more}, and sum to {sum(values):.4g}. Divide them by "
        "their sum, or choose another loss in the training settings."
    )
