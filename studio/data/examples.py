"""A few samples of a dataset, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.choice import DataChoice
from studio.data.dataset import Dataset, prepare

if TYPE_CHECKING:
    import torch

COUNT = 24
TEXT_LENGTH = 200  # characters of a text that are shown
_MOST_STEPS = 40  # of a sequence that is to be predicted, in words


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
    text = next((texts[row] for texts in dataset.texts if texts is not None), "")
    target = dataset.spec.target
    pixels = dataset.targets[row] if target.task == "classification" and len(target.dims) == 2 else None
    return Example(row, inputs, _target_text(dataset, row), " ".join(text[:TEXT_LENGTH].split()), pixels)


def _target_text(dataset: Dataset, row: int) -> str:
    target, value = dataset.spec.target, dataset.targets[row]
    if target.is_input:
        return "the target is the input itself"
    if target.task == "classification":
        return (_class_text, _steps_text, _places_text)[min(len(target.dims), 2)](target.names, value)
    if target.dims:
        return f"numbers from {float(value.min()):.3g} to {float(value.max()):.3g}"
    return ", ".join(f"{name} {number:.3g}" for name, number in zip(target.names, value.reshape(-1), strict=True))


def _class_text(names: tuple[str, ...], value: torch.Tensor) -> str:
    return names[int(value)]


def _steps_text(names: tuple[str, ...], values: torch.Tensor) -> str:
    between = "" if all(len(name) == 1 for name in names) else ", "  # characters make a text
    text = between.join(names[int(value)] for value in values[:_MOST_STEPS])
    return f"“{text}{'…' if len(values) > _MOST_STEPS else ''}”".replace("\n", "↵")


def _places_text(names: tuple[str, ...], values: torch.Tensor) -> str:
    counts = values.flatten().bincount(minlength=len(names)).tolist()
    shares = ((name, count / values.numel()) for name, count in zip(names, counts, strict=True) if count)
    return ", ".join(f"{name} {f'{100 * share:.0f} %' if share >= 0.005 else 'under 1 %'}" for name, share in shares)
