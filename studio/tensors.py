"""What is known of a tensor without its values.

Axis letters: N batch, C channels, Z H W space (Z is depth), T time, D features, L tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AXIS_LETTERS = "CZHWTDL"


@dataclass(frozen=True)
class TensorSpec:
    """Size, axis meaning and type of a tensor, without its batch axis.

    Args:
        dims: sizes after the batch axis, each at least 1.
        axes: one letter for each of them.
        dtype: "float" for real numbers, "int" for whole numbers such as token ids, "bool" for masks.
        padded: number of the axis, 1 for the first after the batch, at whose end short samples are filled up; a mask
            (N, T) that is true for real steps comes along. 0 if there is none.
    """

    dims: tuple[int, ...]
    axes: str
    dtype: str = "float"
    padded: int = 0

    def __post_init__(self) -> None:
        assert len(self.dims) == len(self.axes), (self.dims, self.axes)
        assert set(self.axes) <= set(AXIS_LETTERS), self.axes
        assert self.dtype in ("float", "int", "bool"), self.dtype
        assert 0 <= self.padded <= len(self.dims), self.padded

    def __str__(self) -> str:
        return ", ".join(["N", *(f"{size} {letter}" for size, letter in zip(self.dims, self.axes, strict=True))])

    @property
    def numel(self) -> int:
        """How many numbers one sample has."""
        return math.prod(self.dims)


def axes_for(rank: int) -> str:
    """The usual letters for a sample of `rank` axes: features, a sequence of features, an image, a volume."""
    return {0: "", 1: "D", 2: "TD", 3: "CHW", 4: "CZHW"}.get(rank, "D" * rank)
