"""Whether tensors are the same."""

from __future__ import annotations

import torch
from torch import Tensor


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same type, shape and bytes."""
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_bits(one), _bits(other))


def _bits(tensor: Tensor) -> Tensor:
    """The tensor's bytes, (bytes,): unlike numbers, they compare equal where there is no number (NaN)."""
    return tensor.contiguous().flatten().view(torch.uint8)
