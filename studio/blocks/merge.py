"""Blocks in which several wires meet."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from studio.blocks.base import ANY_AXIS, Block, Recorder, Remedy, ShapeError, Value, registry
from studio.fields import field
from studio.tensors import TensorSpec, axes_for


@registry.add
class Add(Block):
    """The sum of all inputs, number by number: the join of a residual connection.

    Shape: in (N, *), all the same, out (N, *)
    """

    kind: ClassVar[str] = "add"
    title: ClassVar[str] = "Add"
    stepwise: ClassVar[str] = ANY_AXIS
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
                    f"{self.title} needs equal shapes, but gets ({first}) and ({other.spec}). "
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
    stepwise: ClassVar[str] = ANY_AXIS
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


class _Pairwise(Block):
    """Number by number; sizes of 1 are stretched."""

    group: ClassVar[str] = "Merge"
    stepwise: ClassVar[str] = ANY_AXIS
    function: ClassVar[str]

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        _check_several(self.title, inputs)
        total: Value = functools.reduce(lambda a, b: self._joined(rec, a, b), inputs)
        return total.named(max((value.spec for value in inputs), key=lambda spec: spec.numel).axes)

    def _joined(self, rec: Recorder, a: Value, b: Value) -> Value:
        one, other = a.spec.dims, b.spec.dims
        fits = len(one) == len(other) and all(x == y or 1 in (x, y) for x, y in zip(one, other, strict=True))
        if not fits:
            raise ShapeError(f"{self.title} needs equal sizes, or sizes of 1, but gets ({a.spec}) and ({b.spec}).")
        return rec.function(self.function, a, b)


_PAIR = ("first", "second")


@registry.add
class Subtract(_Pairwise):
    """The first input less the second, number by number; sizes of 1 are stretched.

    Shape: in (N, *) and (N, *) out (N, *)
    """

    kind: ClassVar[str] = "subtract"
    title: ClassVar[str] = "Subtract"
    synonyms: ClassVar[tuple[str, ...]] = ("minus", "difference")
    inputs: ClassVar[tuple[str, ...]] = _PAIR
    function: ClassVar[str] = "sub"


@registry.add
class Multiply(_Pairwise):
    """The product of all inputs, number by number; sizes of 1 are stretched: how a gate opens and closes channels.

    Shape: in (N, *), of equal sizes or of 1, out (N, *)
    """

    kind: ClassVar[str] = "multiply"
    title: ClassVar[str] = "Multiply"
    synonyms: ClassVar[tuple[str, ...]] = ("product", "times", "gate", "hadamard")
    many_inputs: ClassVar[bool] = True
    function: ClassVar[str] = "mul"


@registry.add
class Divide(_Pairwise):
    """The first input divided by the second, number by number; sizes of 1 are stretched. A zero makes it infinite.

    Shape: in (N, *) and (N, *) out (N, *)
    """

    kind: ClassVar[str] = "divide"
    title: ClassVar[str] = "Divide"
    synonyms: ClassVar[tuple[str, ...]] = ("quotient", "ratio")
    inputs: ClassVar[tuple[str, ...]] = _PAIR
    function: ClassVar[str] = "div"


@registry.add
class Maximum(_Pairwise):
    """The largest of all inputs, number by number; sizes of 1 are stretched.

    Shape: in (N, *), of equal sizes or of 1, out (N, *)
    """

    kind: ClassVar[str] = "maximum"
    title: ClassVar[str] = "Maximum"
    synonyms: ClassVar[tuple[str, ...]] = ("max", "larger", "maxout")
    many_inputs: ClassVar[bool] = True
    function: ClassVar[str] = "maximum"


@registry.add
class Minimum(_Pairwise):
    """The smallest of all inputs, number by number; sizes of 1 are stretched.

    Shape: in (N, *), of equal sizes or of 1, out (N, *)
    """

    kind: ClassVar[str] = "minimum"
    title: ClassVar[str] = "Minimum"
    synonyms: ClassVar[tuple[str, ...]] = ("min", "smaller")
    many_inputs: ClassVar[bool] = True
    function: ClassVar[str] = "minimum"


@registry.add
class Average(Add):
    """The mean of all inputs, number by number.

    Shape: in (N, *), all the same, out (N, *)
    """

    kind: ClassVar[str] = "average"
    title: ClassVar[str] = "Average"
    synonyms: ClassVar[tuple[str, ...]] = ("mean", "ensemble")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        total = super().record(rec, *inputs)
        return rec.function("div", total, len(inputs)).named(total.spec.axes)


@registry.add
class Stack(Block):
    """All inputs beside each other on a new axis.

    Shape: in (N, *), all the same, out (N, *) with one axis more, as long as there are inputs
    """

    kind: ClassVar[str] = "stack"
    title: ClassVar[str] = "Stack"
    group: ClassVar[str] = "Merge"
    synonyms: ClassVar[tuple[str, ...]] = ("new axis", "join", "combine")
    many_inputs: ClassVar[bool] = True

    axis: int = field(1, min=-8, max=8, help="Which the new axis will be: 1 the first after the batch, -1 the last.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        _check_several(self.title, inputs)
        first = inputs[0].spec
        for other in inputs[1:]:
            if other.spec.dims != first.dims:
                raise ShapeError(f"Stack needs equal shapes, but gets ({first}) and ({other.spec}).")
        rank = len(first.dims) + 1
        if self.axis == 0 or not -rank <= self.axis <= rank:
            raise ShapeError(
                f"Stack: ({first}) cannot get an axis {self.axis}; use 1 to {rank}, or -1.",
                Remedy(fields=(("axis", 1),)),
            )
        index = self.axis if self.axis > 0 else rank + 1 + self.axis
        stacked = rec.function("stack", tuple(inputs), dim=index)
        return stacked.named("L" * rank if first.dtype == "int" else axes_for(rank))


@registry.add
class MatrixProduct(Block):
    """The matrix product of the last two axes: y = a b.

    Shape: in (N, *, A, B) and (N, *, B, C) out (N, *, A, C)
    """

    kind: ClassVar[str] = "matrix_product"
    title: ClassVar[str] = "Matrix product"
    group: ClassVar[str] = "Merge"
    synonyms: ClassVar[tuple[str, ...]] = ("matmul", "dot", "batch matrix multiply", "bmm")
    inputs: ClassVar[tuple[str, ...]] = _PAIR

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        a, b = (value.spec for value in inputs)
        if "int" in (a.dtype, b.dtype):
            raise ShapeError("Matrix product needs real numbers, not tokens. Put an Embedding in between.")
        fits = len(a.dims) == len(b.dims) >= 2 and a.dims[:-2] == b.dims[:-2] and a.dims[-1] == b.dims[-2]
        if not fits:
            raise ShapeError(
                f"Matrix product: ({a}) and ({b}) do not fit: the last axis of the first must be as long as the last "
                "but one of the second, and those before must be equal.",
                Remedy("transpose", (), 1),
                Remedy("transpose", (), 0),
            )
        return rec.function("matmul", *inputs).named(a.axes[:-1] + b.axes[-1])


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
