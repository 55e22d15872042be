"""Pooling: many places become one."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.fields import field

_ADVICE = "Put Reshape in between."


class _Pooling(Block):
    group: ClassVar[str] = "Pooling"
    axes: ClassVar[str] = "CHW|CT"
    layer_prefix: ClassVar[str]

    size: int = field(2, min=1, max=1_023, help="Side of the window.")
    stride: int = field(0, min=0, max=1_023, special="same as size", help="Step between two windows.")
    padding: int = field(0, min=0, max=511, help="Places added on each side; at most half the size.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], self.axes, self.title, _ADVICE)
        expect_float(x, self.title)
        self._check(x)
        layer_class = f"{self.layer_prefix}{len(x.spec.dims) - 1}d"
        pool = rec.layer(layer_class, kernel_size=self.size, stride=self.stride or self.size, padding=self.padding)
        return pool(x).named(x.spec.axes)

    def _check(self, x: Value) -> None:
        if self.padding > self.size // 2:
            raise ShapeError(
                f"{self.title}: padding {self.padding} is more than half the window of {self.size}.",
                Remedy(fields=(("padding", self.size // 2),)),
            )
        for size, letter in zip(x.spec.dims[1:], x.spec.axes[1:], strict=True):
            if size + 2 * self.padding < self.size:
                raise ShapeError(
                    f"{self.title}: the window of {self.size} is larger than the {size} {letter} that come. "
                    "Use a smaller window or remove an earlier pooling.",
                    Remedy(fields=(("size", max(1, size + 2 * self.padding)), ("padding", 0))),
                )


@registry.add
class MaxPool(_Pooling):
    """The largest number of each window, channel by channel. Halves an image with size 2.

    Shape: in (N, C, H, W) out (N, C, H', W'), or in (N, C, T) out (N, C, T')
    """

    kind: ClassVar[str] = "max_pool"
    title: ClassVar[str] = "Max pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("maxpool", "maximum", "downsample", "subsampling")
    layer_prefix: ClassVar[str] = "MaxPool"


@registry.add
class AveragePool(_Pooling):
    """The mean of each window, channel by channel.

    Shape: in (N, C, H, W) out (N, C, H', W'), or in (N, C, T) out (N, C, T')
    """

    kind: ClassVar[str] = "average_pool"
    title: ClassVar[str] = "Average pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("avgpool", "mean", "downsample")
    layer_prefix: ClassVar[str] = "AvgPool"


@registry.add
class GlobalAveragePool(Block):
    """The mean of each channel over all places, or of each feature over all times: a vector, whatever the size.

    Shape: in (N, C, H, W) or (N, C, T) out (N, C); in (N, T, D) or (N, L, D) out (N, D)
    Source: Lin et al., "Network in network", 2014.
    """

    kind: ClassVar[str] = "global_average_pool"
    title: ClassVar[str] = "Global average pooling"
    group: ClassVar[str] = "Pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("gap", "avgpool", "mean", "adaptive")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        if len(x.spec.dims) < 2:
            raise ShapeError(f"{self.title} needs an image, a signal or a sequence, but gets ({x.spec}). Remove it.")
        channels_first = x.spec.axes.startswith("C")
        rank = len(x.spec.dims)
        places = tuple(range(2, rank + 1)) if channels_first else tuple(range(1, rank))
        return rec.function("mean", x, dim=places).named("D")
