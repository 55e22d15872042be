"""Blocks that move numbers about without changing them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, registry
from studio.fields import field
from studio.tensors import axes_for


@registry.add
class Flatten(Block):
    """All numbers of a sample in one row.

    Shape: in (N, *) out (N, D) with D the product of all sizes
    """

    kind: ClassVar[str] = "flatten"
    title: ClassVar[str] = "Flatten"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("vector", "view", "unroll")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        return rec.layer("Flatten", start_dim=1)(inputs[0]).named("D")


@registry.add
class Reshape(Block):
    """The same numbers in another shape; the batch stays.

    A row of an image becomes a step of a sequence with (28, 28), for example. Use -1 once for "what is left".

    Shape: in (N, *) out (N, *shape)
    """

    kind: ClassVar[str] = "reshape"
    title: ClassVar[str] = "Reshape"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("view", "resize")

    shape: tuple[int, ...] = field((28, 28), min=-1, max=1_000_000, help="Size of one sample; -1 once for the rest.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        self._check(x)
        axes = "L" * len(self.shape) if x.spec.dtype == "int" else axes_for(len(self.shape))
        return rec.function("reshape", x, (-1, *self._resolved(x.spec.numel))).named(axes)

    def _resolved(self, numel: int) -> tuple[int, ...]:
        known = math.prod(size for size in self.shape if size != -1)
        return tuple(numel // known if size == -1 else size for size in self.shape)

    def _check(self, x: Value) -> None:
        if 0 in self.shape or self.shape.count(-1) > 1:
            raise ShapeError("Reshape: sizes are at least 1; -1 may stand once, for what is left.")
        known = math.prod(size for size in self.shape if size != -1)
        fits = x.spec.numel % known == 0 if -1 in self.shape else x.spec.numel == known
        if not fits:
            raise ShapeError(
                f"Reshape: ({x.spec}) has {x.spec.numel} numbers, which do not fill "
                f"{' × '.join(map(str, self.shape))}{f' = {known}' if -1 not in self.shape else ''}.",
                *self._remedies(x.spec.numel),
            )

    def _remedies(self, numel: int) -> list[Remedy]:
        """Keep all sizes but one, and let that one take what is left; the last first."""
        shapes = [(*self.shape[:i], -1, *self.shape[i + 1 :]) for i in reversed(range(len(self.shape)))]
        return [Remedy(fields=(("shape", s),)) for s in shapes if numel % abs(math.prod(s)) == 0]
