"""A dataset made ready for training: tensors in memory, splits, scalings and a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import DataSpec, Samples
from studio.data.choice import DataChoice
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
        targets: class numbers (M,) int64, or (M, targets) float32.
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
        DataError: if a file is broken, or there are too few samples.
    """
    import torch

    spec = choice.source.spec
    samples = choice.source.load(folder)
    _check(spec, samples)
    stratify = spec.target.task == "classification"
    splits = split_indices(
        samples.targets,
        choice.split,
        stratify=stratify,
        test_start=samples.test_start,
        validation_start=samples.validation_start,
    )
    return Dataset(
        spec=spec,
        inputs=tuple(_tensor(values) for values in samples.inputs),
        targets=_tensor(samples.targets),
        splits={name: torch.from_numpy(indices) for name, indices in splits.items()},
        scalings=tuple(
            measure(choice.scaling, values, tensor.axes, splits["train"])
            for values, tensor in zip(samples.inputs, spec.inputs, strict=True)
        ),
        fingerprint=_fingerprint([*samples.inputs, samples.targets, *splits.values()], choice.scaling),
    )


def _check(spec: DataSpec, samples: Samples) -> None:
    """A source must keep what its spec promises."""
    shapes = [values.shape for values in samples.inputs]
    count = len(samples.targets)
    assert shapes == [(count, *tensor.dims) for tensor in spec.inputs], (shapes, spec)
    assert all(values.dtype in ("uint8", "float32", "int64") for values in samples.inputs)
    assert samples.targets.dtype == ("int64" if spec.target.task == "classification" else "float32")


def _tensor(values: np.ndarray) -> torch.Tensor:
    import numpy as np
    import torch

    # torch shares the memory, and wants to be allowed to write there.
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def _fingerprint(arrays: list[np.ndarray], scaling: str) -> str:
    """SHA-256 of the arrays' types, shapes and bytes.

    The name of the scaling goes in, not its numbers: those follow from the rest, but for their last digits, which
    differ between machines.
    """
    import numpy as np

    digest = hashlib.sha256(scaling.encode())
    for array in arrays:
        digest.update(f"|{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
