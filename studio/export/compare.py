"""What was written must load back as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from studio.export.formats import ExportError


def check_equal(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], target: Path) -> None:
    """Raises ExportError unless both hold the same tensors, bit for bit."""
    if set(expected) != set(found):
        raise ExportError(f"{target}: the exported weights have other names than the checkpoint. Nothing was written.")
    for name, tensor in expected.items():
        if not same_bits(tensor, found[name]):
            raise ExportError(f"{target}: “{name}” changed in the export. Nothing was written.")


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same type, shape and bytes."""
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_bits(one), _bits(other))


def _bits(tensor: Tensor) -> Tensor:
    """The tensor's bytes, (bytes,): unlike numbers, they compare equal where there is no number (NaN)."""
    return tensor.contiguous().flatten().view(torch.uint8)
