"""What a transform of training samples is.

Axis letters: N samples of a batch, C channels, H W space, T steps, D features, L tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from studio.fields import Declared
from studio.registry import Registry
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import torch

    from studio.data.transforms.draws import Draws


class Transform(Declared):
    """Base of every transform: declared without importing torch.

    What it does to a sample depends on the sample and its draws alone, never on what else is in the batch.
    """

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    group: ClassVar[str]  # heading in the list
    axes: ClassVar[tuple[str, ...]]  # of the inputs that it takes, such as "CHW"
    after_scaling: ClassVar[bool] = False  # it needs features of comparable size
    geometric: ClassVar[bool] = False  # it moves pixels, and must do the same to their classes
    exact: ClassVar[bool] = False  # it moves whole pixels

    def refusal(self, spec: TensorSpec) -> str:
        """Why it cannot be used on an input, in plain words; empty if it can."""
        if spec.dtype == "int" and "L" not in self.axes:
            return f"{self.title} is not for texts."
        if not any(spec.axes == axes or (axes == "T" and spec.axes[:1] == "T") for axes in self.axes):
            return f"{self.title} is for {_NAMES[self.axes[0]]}; the data gives ({spec})."
        return ""

    def apply(self, x: torch.Tensor, draws: Draws) -> torch.Tensor:
        """A changed batch of the same shape; `x` itself is not written to.

        Args:
            x: (N, *dims) as it is stored: uint8 pictures, float32, or int64 tokens; scaled if it is `after_scaling`.
            draws: random numbers for each sample.

        Returns:
            of the same type, or float32 in the same units.
        """
        raise AssertionError(f"{type(self).__name__} cannot be applied")

    def matrices(self, height: int, width: int, draws: Draws) -> torch.Tensor:
        """How the pixels move, (N, 2, 3): from places of the answer to places of what is given; only if `geometric`.

        Places go from -1 to 1 over the width and over the height. It draws what `apply` draws.
        """
        raise AssertionError(f"{type(self).__name__} moves nothing")

    def apply_to_places(self, classes: torch.Tensor, draws: Draws) -> torch.Tensor:
        """The classes of pixels (N, H, W) int64, moved as `apply` moves the pixels; only if it is `geometric`."""
        raise AssertionError(f"{type(self).__name__} moves nothing")


_NAMES = {"CHW": "pictures", "T": "series", "CT": "sounds", "D": "tables", "L": "texts"}

registry: Registry[Transform] = Registry("transform")


def unusable(transforms: Sequence[Transform], inputs: Sequence[TensorSpec]) -> str:
    """Why the first transform that cannot be used on the first input cannot; empty if all can."""
    return next((reason for transform in transforms if (reason := transform.refusal(inputs[0]))), "")


def usable_kinds(spec: TensorSpec) -> list[type[Transform]]:
    """The transforms that can be used on an input."""
    return [kind for kind in registry if not kind().refusal(spec)]
