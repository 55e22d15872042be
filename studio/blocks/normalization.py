"""Normalization: numbers kept at a healthy size."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import (
    ANY_AXIS,
    NOT_LAST_AXIS,
    Block,
    Recorder,
    Remedy,
    ShapeError,
    Value,
    expect,
    expect_float,
    registry,
)
from studio.fields import field


@registry.add
class BatchNorm(Block):
    """Each channel gets mean 0 and variance 1 over the batch, then a learned scale and shift.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β. In evaluation it uses running averages from training.
    A batch of one sample has no variance: use batches of 2 or more.

    Shape: in (N, D), (N, C, T), (N, C, H, W) or (N, C, Z, H, W) out the same
    Source: Ioffe and Szegedy, "Batch normalization", 2015.
    """

    kind: ClassVar[str] = "batch_norm"
    title: ClassVar[str] = "Batch norm"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("batchnorm", "bn", "normalisation")

    momentum: float = field(0.1, min=0.0, max=1.0, help="How fast the running averages follow the batches.")
    epsilon: float = field(1e-5, min=1e-12, max=1.0, help="Added to the variance, so that nothing is divided by zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        axes = value.spec.axes
        x = expect(value, "D|CT|CHW|CZHW", self.title, "Use Layer norm for other shapes.")
        expect_float(x, self.title)
        layer_class = f"BatchNorm{max(1, len(x.spec.dims) - 1)}d"
        norm = rec.layer(layer_class, num_features=x.spec.dims[0], eps=self.epsilon, momentum=self.momentum)
        return norm(x).named(axes)


_EPSILON = "Added to the variance, so that nothing is divided by zero."


@registry.add
class GroupNorm(Block):
    """The channels of each sample in groups: each group gets mean 0 and variance 1, then a learned scale and shift.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β. It does not depend on the batch; good for small ones.

    Shape: in (N, C, *) out (N, C, *); groups must divide C
    Source: Wu and He, "Group normalization", 2018.
    """

    kind: ClassVar[str] = "group_norm"
    title: ClassVar[str] = "Group norm"
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("groupnorm", "gn", "normalisation")

    groups: int = field(4, min=1, max=65_536, help="How many groups the channels are split into.")
    epsilon: float = field(1e-5, min=1e-12, max=1.0, help=_EPSILON)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        x = expect(value, "D|CT|CHW|CZHW", self.title, "Use Layer norm for other shapes.")
        expect_float(x, self.title)
        channels = x.spec.dims[0]
        if channels % self.groups:
            fitting = [g for g in range(1, min(channels, 256) + 1) if channels % g == 0]
            raise ShapeError(
                f"Group norm: {self.groups} groups do not divide {channels} channels.",
                *(Remedy(fields=(("groups", g),)) for g in sorted(fitting, key=lambda g: abs(g - self.groups))[:3]),
            )
        norm = rec.layer("GroupNorm", num_groups=self.groups, num_channels=channels, eps=self.epsilon)
        return norm(x).named(value.spec.axes)


@registry.add
class InstanceNorm(Block):
    """Each channel of each sample gets mean 0 and variance 1 over its places. Usual where pictures are made.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β, with γ and β if they are learned.

    Shape: in (N, C, T), (N, C, H, W) or (N, C, Z, H, W) out the same
    Source: Ulyanov et al., "Instance normalization", 2016.
    """

    kind: ClassVar[str] = "instance_norm"
    title: ClassVar[str] = "Instance norm"
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("instancenorm", "style", "contrast", "normalisation")

    learned: bool = field(False, help="Learn a scale and a shift for each channel.")
    epsilon: float = field(1e-5, min=1e-12, max=1.0, help=_EPSILON)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        x = expect(value, "CT|CHW|CZHW", self.title, "Use Layer norm for other shapes.")
        expect_float(x, self.title)
        if x.spec.numel == x.spec.dims[0]:
            raise ShapeError(f"Instance norm: ({x.spec}) has one place only, of which there is no variance. Remove it.")
        norm = rec.layer(
            f"InstanceNorm{len(x.spec.dims) - 1}d",
            num_features=x.spec.dims[0],
            eps=self.epsilon,
            affine=self.learned,
        )
        return norm(x).named(value.spec.axes)


@registry.add
class RMSNorm(Block):
    """The features of each sample get a mean square of 1 over the last axis, then a learned scale.

    y = x / sqrt(mean(x²) + epsilon) · γ. A layer norm without means: cheaper, and usual in large language models.

    Shape: in (N, *, D) out (N, *, D)
    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """

    kind: ClassVar[str] = "rms_norm"
    title: ClassVar[str] = "RMS norm"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("rmsnorm", "root mean square", "normalisation")

    epsilon: float = field(1e-6, min=1e-12, max=1.0, help=_EPSILON)

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        norm = rec.layer("RMSNorm", normalized_shape=x.spec.dims[-1], eps=self.epsilon)
        return norm(x).named(x.spec.axes)


@registry.add
class LocalResponseNorm(Block):
    """Each number is divided by what its neighbouring channels hold at the same place.

    y = x / (k + α mean(x²))^β, with the mean over `size` channels around.

    Shape: in (N, C, *) out (N, C, *)
    Source: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012.
    """

    kind: ClassVar[str] = "local_response_norm"
    title: ClassVar[str] = "Local response norm"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("lrn", "alexnet", "normalisation")

    size: int = field(5, min=1, max=1_023, help="How many channels count as neighbours.")
    alpha: float = field(1e-4, min=0.0, max=10.0, help="How much they count.")
    beta: float = field(0.75, min=0.0, max=10.0, help="The exponent.")
    k: float = field(1.0, min=0.01, max=100.0, help="Added to what is divided by.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (value,) = inputs
        x = expect(value, "CT|CHW|CZHW", self.title, "Use Layer norm for other shapes.")
        expect_float(x, self.title)
        norm = rec.layer("LocalResponseNorm", size=self.size, alpha=self.alpha, beta=self.beta, k=self.k)
        return norm(x).named(value.spec.axes)


@registry.add
class LayerNorm(Block):
    """The features of each sample get mean 0 and variance 1 over the last axis, then a learned scale and shift.

    y = (x - mean) / sqrt(variance + epsilon) · γ + β. It does not depend on the batch.

    Shape: in (N, *, D) out (N, *, D)
    Source: Ba et al., "Layer normalization", 2016.
    """

    kind: ClassVar[str] = "layer_norm"
    title: ClassVar[str] = "Layer norm"
    stepwise: ClassVar[str] = NOT_LAST_AXIS
    group: ClassVar[str] = "Normalization"
    synonyms: ClassVar[tuple[str, ...]] = ("layernorm", "ln", "normalisation")

    epsilon: float = field(1e-5, min=1e-12, max=1.0, help="Added to the variance, so that nothing is divided by zero.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        norm = rec.layer("LayerNorm", normalized_shape=x.spec.dims[-1], eps=self.epsilon)
        return norm(x).named(x.spec.axes)
