"""Blocks in which several wires meet."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, registry
from studio.fields import field
from studio.tensors import TensorSpec


@registry.add
class Add(Block):
    """The sum of all inputs, number by number: the join of a residual connection.

    Shape: in (N, *), all the same, out (N, *)
    """

    kind: ClassVar[str] = "add"
    title: ClassVar[str] = "Add"
    group: ClassVar[str] = "Merge"
    synonyms: ClassVar[tuple[str, ...]] = ("sum", "plus", "residual", "skip", "shortcut")
    inputs: ClassVar[tuple[str, ...]] = ("input",)
    many_inputs: ClassVar[bool] = True

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        _check_several(self.title, inputs)
        first = inputs[0].spec
        for number, other in enumerate(inputs[1:], start=1):
            if other.spec.dims != first.dims:
                raise ShapeError(
                    f"Add needs equal shapes, but gets ({first}) and ({other.spec}). "
                    "Put a Dense or Convolution on one side, or use Concatenate.",
                    *_projections(inputs, number),
                )
        total: Value = functools.reduce(lambda a, b: rec.function("add", a, b), inputs)
        return total.named(first.axes)


@registry.add
class Concatenate(Block):
    """All inputs one after the other along one axis.

    Axis 1 is the first after the batch: channels of images, steps of sequences. -1 is the last: features.

    Shape: in (N, *), the same but for the axis, out (N, *) with the sum of sizes on it
    """

    kind: ClassVar[str] = "concatenate"
    title: ClassVar[str] = "Concatenate"
    group: ClassVar[str] = "Merge"
    synonyms: ClassVar[tuple[str, ...]] = ("cat", "concat", "join", "merge")
    many_inputs: ClassVar[bool] = True

    axis: int = field(1, min=-1, max=7, help="1 is the first after the batch, -1 the last.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        _check_several(self.title, inputs)
        first = inputs[0].spec
        rank = len(first.dims)
        if self.axis == 0 or self.axis > rank:
            raise ShapeError(f"Concatenate: ({first}) has no axis {self.axis} to join on; use 1 to {rank}, or -1.")
        index = (self.axis if self.axis > 0 else rank) - 1
        for other in inputs[1:]:
            if _without(other.spec.dims, index) != _without(first.dims, index) or len(other.spec.dims) != rank:
                raise ShapeError(
                    f"Concatenate: ({first}) and ({other.spec}) may differ only on axis {index + 1}, where they join."
                )
        return rec.function("cat", tuple(inputs), dim=self.axis).named(first.axes)


def _projections(inputs: tuple[Value, ...], number: int) -> list[Remedy]:
    """Learned maps that give input `number` the shape of the first, or the first that of it."""
    first, other = inputs[0].spec, inputs[number].spec
    return [*_projection(first, other, 0), *_projection(other, first, number)]


def _projection(spec: TensorSpec, wanted: TensorSpec, number: int) -> list[Remedy]:
    if len(spec.dims) != len(wanted.dims):
        return []
    if spec.axes != "CHW":
        return [Remedy("dense", (("units", wanted.dims[-1]),), number)]
    stride = max(1, round(spec.dims[1] / wanted.dims[1]))
    return [Remedy("conv2d", (("filters", wanted.dims[0]), ("kernel_size", 1), ("stride", stride)), number)]


def _without(dims: tuple[int, ...], index: int) -> tuple[int, ...]:
    return dims[:index] + dims[index + 1 :]


def _check_several(title: str, inputs: tuple[Value, ...]) -> None:
    if len(inputs) < 2:
        raise ShapeError(f"{title} joins at least two inputs, but has {len(inputs)}. Link another one.")
    if len({value.spec.dtype for value in inputs}) > 1:
        raise ShapeError(f"{title} cannot join real numbers and tokens.")
