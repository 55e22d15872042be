"""Normalization: numbers kept at a healthy size."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Value, expect, expect_float, registry
from studio.fields import field


@registry.add
class BatchNorm(Block):
    """Each channel gets mean 0 and variance 1 over the batch, then a learned scale and shift.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β. In evaluation it uses running averages from training.
    A batch of one sample has no variance: use batches of 2 or more.

    Shape: in (N, D), (N, C, T) or (N, C, H, W) out the same
    Source: Ioffe and Szegedy, "Batch normalization", 2015.
    """

    kind: ClassVar[str] = "batch_norm"
    title: ClassVar[str] = "Batch norm"
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("batchnorm", "bn", "normalisation")

    momentum: float = field(0.1, min=0.0, max=1.0, help="How fast the running averages follow the batches.")
    epsilon: float = field(1e-5, min=1e-12, max=1.0, help="Added to the variance, so that nothing is divided by zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        axes = value.spec.axes
        x = expect(value, "D|CT|CHW", self.title, "Use Layer norm for other shapes.")
        expect_float(x, self.title)
        layer_class = "BatchNorm2d" if len(x.spec.dims) == 3 else "BatchNorm1d"
        norm = rec.layer(layer_class, num_features=x.spec.dims[0], eps=self.epsilon, momentum=self.momentum)
        return norm(x).named(axes)


@registry.add
class LayerNorm(Block):
    """The features of each sample get mean 0 and variance 1 over the last axis, then a learned scale and shift.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β. It does not depend on the batch.

    Shape: in (N, *, D) out (N, *, D)
    Source: Ba et al., "Layer normalization", 2016.
    """

    kind: ClassVar[str] = "layer_norm"
    title: ClassVar[str] = "Layer norm"
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("layernorm", "ln", "normalisation")

    epsilon: float = field(1e-5, min=1e-12, max=1.0, help="Added to the variance, so that nothing is divided by zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        norm = rec.layer("LayerNorm", normalized_shape=x.spec.dims[-1], eps=self.epsilon)
        return norm(x).named(x.spec.axes)
