"""A dataset made ready for training: tensors in memory, splits, scalings and a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataError, DataSpec, Samples
from studio.data.choice import LABELS, DataChoice
from studio.data.scaling import Scaling, measure
from studio.data.splits import split_indices

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class Dataset:
    """All samples, as they were stored, and what training needs to know of them.

    Args:
        spec: shapes of one sample, and the target.
        inputs: one tensor (M, *dims) per input, on the CPU; uint8, float32 or int64.
        targets: class numbers (M,) int64, or (M, targets) float32; with places (M, *dims) of the same types. The first
            of `inputs`, as it is stored, if that is to be predicted: then its scaling is the targets', too.
        splits: sorted int64 indices for each of SPLITS.
        scalings: one per input; applied to batches, not to `inputs`.
        fingerprint: the same for the same samples, split and kind of scaling; hexadecimal digits.
    """

    spec: DataSpec
    inputs: tuple[torch.Tensor, ...]
    targets: torch.Tensor
    splits: dict[str, torch.Tensor]
    scalings: tuple[Scaling, ...]
    fingerprint: str


def prepare(choice: DataChoice, folder: Path | None = None) -> Dataset:
    """Load, split and measure.

    Args:
        choice: what to load and how to divide and scale it.
        folder: where the person keeps the files; None for the studio's own cache folder.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken, there are too few samples, or the input cannot be the target.
    """
    import torch

    spec, source = choice.spec, choice.source
    if spec.refusal:
        raise DataError(spec.refusal)
    samples = source.load(folder)
    _check(source.spec, samples)
    splits = _split(choice, samples)
    inputs = tuple(_tensor(values) for values in samples.inputs)
    return Dataset(
        spec=spec,
        inputs=inputs,
        targets=inputs[0] if spec.target.is_input else _tensor(samples.targets),
        splits={name: torch.from_numpy(indices) for name, indices in splits.items()},
        scalings=tuple(
            measure(choice.scaling, values, tensor.axes, splits["train"])
            for values, tensor in zip(samples.inputs, spec.inputs, strict=True)
        ),
        fingerprint=_fingerprint([*samples.inputs, samples.targets, *splits.values()], _chosen(choice)),
    )


def _split(choice: DataChoice, samples: Samples) -> dict[str, np.ndarray]:
    """By the labels, where each sample has one, also if something else is to be predicted."""
    labels = choice.source.spec.target
    return split_indices(
        samples.targets,
        choice.split,
        stratify=labels.task == "classification" and not labels.dims,
        test_start=samples.test_start,
        in_order=choice.source.in_order,
    )


def _chosen(choice: DataChoice) -> str:
    """What was chosen beside the source and the split."""
    return choice.scaling if choice.target == LABELS else f"{choice.scaling}|{choice.target}"


def _check(spec: DataSpec, samples: Samples) -> None:
    """A source must keep what its spec promises."""
    shapes = [values.shape for values in samples.inputs]
    count = len(samples.targets)
    assert shapes == [(count, *tensor.dims) for tensor in spec.inputs], (shapes, spec)
    assert all(values.dtype in ("uint8", "float32", "int64") for values in samples.inputs)
    classes, places = spec.target.task == "classification", spec.target.dims
    assert samples.targets.dtype == ("int64" if classes else "float32")
    assert samples.targets.shape == (count, *(places if classes or places else (spec.target.size,)))


def _tensor(values: np.ndarray) -> torch.Tensor:
    import numpy as np
    import torch

    # torch shares the memory, and wants to be allowed to write there.
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def _fingerprint(arrays: list[np.ndarray], chosen: str) -> str:
    """SHA-256 of the arrays' types, shapes and bytes, and of what was chosen.

    The name of the scaling goes in, not its numbers: those follow from the rest, but for their last digits, which
    differ between machines.
    """
    import numpy as np

    digest = hashlib.sha256(chosen.encode())
    for array in arrays:
        digest.update(f"|{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
