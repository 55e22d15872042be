"""Blocks that move numbers about without changing them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from studio.blocks.base import ANY_AXIS, Block, Recorder, Remedy, ShapeError, Value, axis_index, registry
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


_AXIS_HELP = "1 is the first after the batch, -1 the last."


@registry.add
class Unflatten(Block):
    """One axis becomes several; the others stay.

    Shape: in (N, *, D, *) out (N, *, sizes, *) with D the product of the sizes; -1 stands once for what is left
    """

    kind: ClassVar[str] = "unflatten"
    title: ClassVar[str] = "Unflatten"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("view", "split axis", "unfold")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)
    sizes: tuple[int, ...] = field((2, -1), min=-1, max=1_000_000, help="What the axis becomes; -1 once for the rest.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        size, known = x.spec.dims[index], math.prod(s for s in self.sizes if s != -1)
        if 0 in self.sizes or self.sizes.count(-1) > 1:
            raise ShapeError("Unflatten: sizes are at least 1; -1 may stand once, for what is left.")
        if size % known if -1 in self.sizes else size != known:
            raise ShapeError(
                f"Unflatten: the {size} numbers of axis {index + 1} do not fill {' × '.join(map(str, self.sizes))}.",
                Remedy(fields=(("sizes", (-1, 1)),)),
            )
        sizes = tuple(size // known if s == -1 else s for s in self.sizes)
        result = rec.layer("Unflatten", dim=index + 1, unflattened_size=sizes)(x)
        rank = len(x.spec.dims) + len(sizes) - 1
        return result.named("L" * rank if x.spec.dtype == "int" else axes_for(rank))


@registry.add
class Permute(Block):
    """The axes in another order.

    The order names each axis once, 1 for the first after the batch: 2, 1 makes a sequence (N, T, D) a signal (N, D, T).

    Shape: in (N, *) out (N, *) with the axes in that order
    """

    kind: ClassVar[str] = "permute"
    title: ClassVar[str] = "Permute"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("transpose", "swap axes", "reorder", "channels last")

    order: tuple[int, ...] = field((2, 1), min=1, max=8, help="The axes as they are now, in the order wanted.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        rank = len(x.spec.dims)
        if sorted(self.order) != list(range(1, rank + 1)):
            raise ShapeError(
                f"Permute: ({x.spec}) has the axes {', '.join(map(str, range(1, rank + 1)))}; name each of them once.",
                Remedy(fields=(("order", tuple(range(rank, 0, -1))),)),
            )
        axes = "".join(x.spec.axes[axis - 1] for axis in self.order)
        padded = self.order.index(x.spec.padded) + 1 if x.spec.padded else 0
        return rec.function("permute", x, (0, *self.order)).named(axes).masked(x.mask, padded)


@registry.add
class Transpose(Block):
    """Two axes change places.

    Shape: in (N, *) out (N, *) with the two axes exchanged
    """

    kind: ClassVar[str] = "transpose"
    title: ClassVar[str] = "Transpose"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("swap axes", "permute", "matrix transpose")

    first: int = field(-2, min=-8, max=8, help=_AXIS_HELP)
    second: int = field(-1, min=-8, max=8, help=_AXIS_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        one, other = (axis_index(axis, x.spec, self.title) for axis in (self.first, self.second))
        axes = list(x.spec.axes)
        axes[one], axes[other] = axes[other], axes[one]
        moved = {one + 1: other + 1, other + 1: one + 1}.get(x.spec.padded, x.spec.padded)
        return rec.function("transpose", x, one + 1, other + 1).named("".join(axes)).masked(x.mask, moved)


@registry.add
class Squeeze(Block):
    """Takes away an axis of size 1.

    Shape: in (N, *) out (N, *) without the axis
    """

    kind: ClassVar[str] = "squeeze"
    title: ClassVar[str] = "Squeeze"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("remove axis", "drop axis")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        if x.spec.dims[index] != 1:
            ones = [number + 1 for number, size in enumerate(x.spec.dims) if size == 1]
            raise ShapeError(
                f"Squeeze: axis {index + 1} of ({x.spec}) has {x.spec.dims[index]} numbers, not 1.",
                *(Remedy(fields=(("axis", axis),)) for axis in ones[:3]),
            )
        if len(x.spec.dims) == 1:
            raise ShapeError(f"Squeeze: ({x.spec}) has no other axis. Remove it.")
        return rec.function("squeeze", x, index + 1).named(x.spec.axes[:index] + x.spec.axes[index + 1 :])


@registry.add
class Unsqueeze(Block):
    """Adds an axis of size 1: a grey picture (N, H, W) becomes one of one channel (N, 1, H, W).

    Shape: in (N, *) out (N, *) with one axis more
    """

    kind: ClassVar[str] = "unsqueeze"
    title: ClassVar[str] = "Unsqueeze"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("add axis", "expand dims", "new axis")

    axis: int = field(1, min=-8, max=8, help="Which the new axis will be: 1 the first after the batch, -1 the last.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        rank = len(x.spec.dims) + 1
        if self.axis == 0 or not -rank <= self.axis <= rank:
            raise ShapeError(
                f"Unsqueeze: ({x.spec}) cannot get an axis {self.axis}; use 1 to {rank}, or -1.",
                Remedy(fields=(("axis", 1),)),
            )
        index = self.axis if self.axis > 0 else rank + 1 + self.axis
        return rec.function("unsqueeze", x, index).named("L" * rank if x.spec.dtype == "int" else axes_for(rank))


@registry.add
class Slice(Block):
    """A part of an axis: so many numbers from one place on.

    Shape: in (N, *) out (N, *) with the axis as long as the part
    """

    kind: ClassVar[str] = "slice"
    title: ClassVar[str] = "Slice"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("crop", "narrow", "select", "cut", "split")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)
    start: int = field(0, min=0, max=1_000_000, help="The first one taken; 0 is the first there is.")
    length: int = field(1, min=1, max=1_000_000, help="How many are taken.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        size = x.spec.dims[index]
        if self.start + self.length > size:
            raise ShapeError(
                f"Slice: axis {index + 1} of ({x.spec}) has {size} numbers, not {self.start + self.length}.",
                Remedy(fields=(("length", max(1, size - self.start)), ("start", min(self.start, size - 1)))),
            )
        return rec.function("narrow", x, index + 1, self.start, self.length).named(x.spec.axes)


@registry.add
class Flip(Block):
    """Turns an axis around: the last becomes the first.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "flip"
    title: ClassVar[str] = "Flip"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("reverse", "mirror")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        return rec.function("flip", x, (index + 1,)).named(x.spec.axes)


@registry.add
class Roll(Block):
    """Moves all numbers along an axis; what leaves at one end comes in at the other.

    Shape: in (N, *) out (N, *)
    """

    kind: ClassVar[str] = "roll"
    title: ClassVar[str] = "Roll"
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("shift", "rotate", "circular")

    axis: int = field(-1, min=-8, max=8, help=_AXIS_HELP)
    places: int = field(1, min=-1_000_000, max=1_000_000, help="How far; backwards if it is negative.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        return rec.function("roll", x, self.places, index + 1).named(x.spec.axes)


@registry.add
class Split(Block):
    """An axis in equal parts, one for each output.

    Shape: in (N, *) out parts times (N, *) with the axis divided by the number of parts
    """

    kind: ClassVar[str] = "split"
    title: ClassVar[str] = "Split"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Shape"
    synonyms: ClassVar[tuple[str, ...]] = ("chunk", "divide", "halves", "branches")

    axis: int = field(1, min=-8, max=8, help=_AXIS_HELP)
    parts: int = field(2, min=2, max=16, help="How many parts of equal size, and so outputs.")

    @property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]  # as many as there are parts
        """Names of the output ports."""
        return tuple(f"part_{number + 1}" for number in range(self.parts))

    def record(self, rec: Recorder, *inputs: Any) -> tuple[Value, ...]:
        (x,) = inputs
        index = axis_index(self.axis, x.spec, self.title)
        size = x.spec.dims[index]
        if size % self.parts:
            possible = [parts for parts in range(2, 17) if size % parts == 0]
            raise ShapeError(
                f"Split: the {size} numbers of axis {index + 1} of ({x.spec}) cannot be shared equally by "
                f"{self.parts} parts.",
                *(Remedy(fields=(("parts", parts),)) for parts in possible[:3]),
            )
        parts = rec.function("split", x, size // self.parts, dim=index + 1)
        return tuple(parts[number].named(x.spec.axes) for number in range(self.parts))
