"""A few samples of a dataset, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.answers import target_text
from studio.data.choice import DataChoice
from studio.data.dataset import Dataset, prepare

if TYPE_CHECKING:
    import torch

COUNT = 24
TEXT_LENGTH = 200  # characters of a text that are shown


@dataclass(frozen=True, eq=False)
class Example:
    """One sample of the training split.

    Args:
        number: its place in the dataset, from 0.
        inputs: one tensor (1, *dims) per input, scaled as for training.
        target: what is to be predicted, in words: the name of the class, the numbers, the beginning of a sequence, or
            how large a share of the places each class has.
        text: the beginning of its text; empty if it has none.
        pixels: the class of every pixel (H, W), where that is to be predicted.
    """

    number: int
    inputs: tuple[torch.Tensor, ...]
    target: str
    text: str = ""
    pixels: torch.Tensor | None = None


def examples(choice: DataChoice, folder: Path | None = None) -> tuple[Example, ...]:
    """At most COUNT samples of the training split, always the same ones, in a mixed order.

    Args:
        choice: which data, and how it is divided and scaled.
        folder: where the person keeps the files; None for the studio's own cache folder.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken, or there are too few samples.
    """
    import torch

    dataset = prepare(choice, folder)
    rows = dataset.splits["train"]
    # A generator of its own: a run in another thread draws from the global one.
    mixed = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    return tuple(_example(dataset, int(rows[place])) for place in mixed[:COUNT])


def _example(dataset: Dataset, row: int) -> Example:
    pairs = zip(dataset.scalings, dataset.inputs, strict=True)
    inputs = tuple(scaling.apply(values[row : row + 1].clone()) for scaling, values in pairs)
    target = dataset.spec.target
    pixels = dataset.targets[row] if target.task == "classification" and len(target.dims) == 2 else None
    return Example(
        row,
        inputs,
        target_text(target, target.names, dataset.targets[row].numpy()),
        " ".join(dataset.text(row)[:TEXT_LENGTH].split()),
        pixels,
    )
