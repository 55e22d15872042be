"""Blocks that act against overfitting."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import ANY_AXIS, Block, Recorder, Value, expect, expect_float, registry
from studio.fields import field


@registry.add
class Dropout(Block):
    """Sets a random share of the numbers to zero while training and scales the rest up; does nothing in evaluation.

    Shape: in (N, *) out (N, *)
    Source: Srivastava et al., "Dropout", 2014.
    """

    kind: ClassVar[str] = "dropout"
    title: ClassVar[str] = "Dropout"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("noise", "drop")

    rate: float = field(0.5, min=0.0, max=0.99, help="Share of numbers set to zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return rec.layer("Dropout", p=self.rate)(x).named(x.spec.axes)


@registry.add
class SpatialDropout(Block):
    """Sets whole channels to zero while training and scales the rest up: neighbours in a feature map are much alike.

    Shape: in (N, C, T), (N, C, H, W) or (N, C, Z, H, W) out the same
    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """

    kind: ClassVar[str] = "spatial_dropout"
    title: ClassVar[str] = "Spatial dropout"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("channel dropout", "dropout2d", "drop")

    rate: float = field(0.2, min=0.0, max=0.99, help="Share of channels set to zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        x = expect(value, "CT|CHW|CZHW", self.title, "Use Dropout for other shapes.")
        expect_float(x, self.title)
        return rec.layer(f"Dropout{len(x.spec.dims) - 1}d", p=self.rate)(x).named(value.spec.axes)


@registry.add
class StochasticDepth(Block):
    """Sets whole samples to zero while training and scales the others up; does nothing in evaluation.

    At the end of a residual branch, these samples go past the branch.

    Shape: in (N, *) out (N, *)
    Source: Huang et al., "Deep networks with stochastic depth", 2016.
    """

    kind: ClassVar[str] = "stochastic_depth"
    title: ClassVar[str] = "Stochastic depth"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("drop path", "drop connect", "skip", "residual", "drop")

    rate: float = field(0.1, min=0.0, max=0.99, help="Share of samples set to zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        one = x  # number of each sample; views, so that the order of x in memory stays as it is
        for axis in range(1, len(x.spec.dims) + 1):
            one = rec.function("narrow", one, axis, 0, 1)
        kept = rec.layer("Dropout", p=self.rate)(rec.function("ones_like", one))
        return rec.function("mul", x, kept).named(x.spec.axes)


@registry.add
class AlphaDropout(Block):
    """A dropout that keeps mean and variance, made for SELU: it sets a share of the numbers to SELU's lowest value.

    Shape: in (N, *) out (N, *)
    Source: Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    kind: ClassVar[str] = "alpha_dropout"
    title: ClassVar[str] = "Alpha dropout"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Regularization"
    synonyms: ClassVar[tuple[str, ...]] = ("selu", "noise", "drop")

    rate: float = field(0.1, min=0.0, max=0.99, help="Share of numbers set to the lowest value.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        return rec.layer("AlphaDropout", p=self.rate)(x).named(x.spec.axes)
