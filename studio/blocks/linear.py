"""Fully connected layers."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import NOT_LAST_AXIS, Block, Recorder, Remedy, ShapeError, Value, expect_float, registry
from studio.fields import field


@registry.add
class Dense(Block):
    """A fully connected layer: y = x Wᵀ + b, over the last axis.

    Every output number is a weighted sum of all input numbers. An image is made a vector by Flatten first.

    Shape: in (N, *, D) out (N, *, units)
    """

    kind: ClassVar[str] = "dense"
    title: ClassVar[str] = "Dense"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    group: ClassVar[str] = "Dense"
    synonyms: ClassVar[tuple[str, ...]] = ("linear", "fully connected", "fc", "mlp", "perceptron")

    units: int = field(64, min=1, max=1_000_000, help="How many numbers come out.")
    bias: bool = field(True, help="Add a learned constant to each output.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        if "C" in x.spec.axes[:-1] or x.spec.axes.endswith(("H", "W")):
            raise ShapeError(
                f"Dense works on feature vectors (N, D), but gets ({x.spec}). "
                "Put Flatten or Global average pooling in between.",
                Remedy("flatten"),
                Remedy("global_average_pool"),
            )
        linear = rec.layer("Linear", in_features=x.spec.dims[-1], out_features=self.units, bias=self.bias)
        return linear(x).named(x.spec.axes[:-1] + "D")


@registry.add
class Bilinear(Block):
    """Two inputs weighed against each other: y_k = x₁ᵀ A_k x₂ + b_k, over the last axes.

    Shape: in (N, *, D₁) and (N, *, D₂) out (N, *, units)
    """

    kind: ClassVar[str] = "bilinear"
    title: ClassVar[str] = "Bilinear"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    group: ClassVar[str] = "Dense"
    synonyms: ClassVar[tuple[str, ...]] = ("interaction", "pair", "tensor product")
    inputs: ClassVar[tuple[str, ...]] = ("first", "second")

    units: int = field(64, min=1, max=65_536, help="How many numbers come out.")
    bias: bool = field(True, help="Add a learned constant to each output.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        first, second = inputs
        for x in inputs:
            expect_float(x, self.title)
        if first.spec.dims[:-1] != second.spec.dims[:-1]:
            raise ShapeError(
                f"Bilinear: ({first.spec}) and ({second.spec}) may differ only on the last axis.",
                Remedy("flatten", (), 0),
                Remedy("flatten", (), 1),
            )
        sizes = (first.spec.dims[-1], second.spec.dims[-1])
        layer = rec.layer(
            "Bilinear", in1_features=sizes[0], in2_features=sizes[1], out_features=self.units, bias=self.bias
        )
        return layer(first, second).named(first.spec.axes[:-1] + "D")
