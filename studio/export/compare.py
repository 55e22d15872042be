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
        if tensor.dtype != found[name].dtype or not torch.equal(_bits(tensor), _bits(found[name])):
            raise ExportError(f"{target}: “{name}” changed in the export. Nothing was written.")


def _bits(tensor: Tensor) -> Tensor:
    """The tensor's bytes, (bytes,): unlike numbers, they compare equal where there is no number (NaN)."""
    return tensor.contiguous().flatten().view(torch.uint8)
