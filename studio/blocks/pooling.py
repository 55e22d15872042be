"""Pooling: many places become one."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.blocks.masking import filled, length
from studio.fields import field

_ADVICE = "Put Reshape in between."


def check_window(title: str, x: Value, window: int, padding: int) -> None:
    """Raises ShapeError if a window is larger than what it slides over, (C, *), with its padding."""
    for size, letter in zip(x.spec.dims[1:], x.spec.axes[1:], strict=True):
        if size + 2 * padding < window:
            no_padding = (("padding", 0),) if padding else ()
            raise ShapeError(
                f"{title}: the window of {window} is larger than the {size} {letter} that come. "
                "Use a smaller window or remove an earlier pooling.",
                Remedy(fields=(("size", max(1, size)), *no_padding)),
            )


class _Pooling(Block):
    group: ClassVar[str] = "Pooling"
    axes: ClassVar[str] = "CHW|CT|CZHW"
    layer_prefix: ClassVar[str]

    size: int = field(2, min=1, max=1_023, help="Side of the window.")
    stride: int = field(0, min=0, max=1_023, special="same as size", help="Step between two windows.")
    padding: int = field(0, min=0, max=511, help="Places added on each side; at most half the size.")
    partial: bool = field(False, help="Keep a last window that is not full (ceil mode).")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], self.axes, self.title, _ADVICE)
        expect_float(x, self.title)
        self._check(x)
        layer_class = f"{self.layer_prefix}{len(x.spec.dims) - 1}d"
        partial = {"ceil_mode": True} if self.partial else {}
        pool = rec.layer(
            layer_class, kernel_size=self.size, stride=self.stride or self.size, padding=self.padding, **partial
        )
        return pool(x).named(x.spec.axes)

    def _check(self, x: Value) -> None:
        if self.padding > self.size // 2:
            raise ShapeError(
                f"{self.title}: padding {self.padding} is more than half the window of {self.size}.",
                Remedy(fields=(("padding", self.size // 2),)),
            )
        # Of volumes, torch's means need a whole window of what came.
        counted = 0 if self.layer_prefix == "AvgPool" and len(x.spec.dims) == 4 else self.padding
        check_window(self.title, x, self.size, counted)


@registry.add
class MaxPool(_Pooling):
    """The largest number of each window, channel by channel. Halves an image with size 2.

    Shape: in (N, C, H, W) out (N, C, H', W'); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "max_pool"
    title: ClassVar[str] = "Max pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("maxpool", "maximum", "downsample", "subsampling")
    layer_prefix: ClassVar[str] = "MaxPool"


@registry.add
class AveragePool(_Pooling):
    """The mean of each window, channel by channel.

    Shape: in (N, C, H, W) out (N, C, H', W'); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "average_pool"
    title: ClassVar[str] = "Average pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("avgpool", "mean", "downsample")
    layer_prefix: ClassVar[str] = "AvgPool"


@registry.add
class LPPool(Block):
    """The p-norm of each window, channel by channel: (Σ |x|^p)^(1/p). p = 1 is a sum; a large p comes near the largest.

    Shape: in (N, C, H, W) out (N, C, H', W'); also for (N, C, T) and (N, C, Z, H, W)
    Source: Sermanet et al., "Convolutional neural networks applied to house numbers digit classification", 2012.
    """

    kind: ClassVar[str] = "lp_pool"
    title: ClassVar[str] = "Lp pooling"
    group: ClassVar[str] = "Pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("power average", "norm", "downsample")

    power: float = field(2.0, min=1.0, max=16.0, help="The exponent p.")
    size: int = field(2, min=1, max=1_023, help="Side of the window.")
    stride: int = field(0, min=0, max=1_023, special="same as size", help="Step between two windows.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW|CT|CZHW", self.title, _ADVICE)
        expect_float(x, self.title)
        check_window(self.title, x, self.size, 0)
        layer_class = f"LPPool{len(x.spec.dims) - 1}d"
        pool = rec.layer(layer_class, norm_type=self.power, kernel_size=self.size, stride=self.stride or self.size)
        return pool(x).named(x.spec.axes)


class _AdaptivePool(Block):
    group: ClassVar[str] = "Pooling"
    layer_prefix: ClassVar[str]

    size: int = field(1, min=1, max=1_023, help="Side of what comes out.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW|CT|CZHW", self.title, _ADVICE)
        expect_float(x, self.title)
        pool = rec.layer(f"{self.layer_prefix}{len(x.spec.dims) - 1}d", output_size=self.size)
        return pool(x).named(x.spec.axes)


@registry.add
class AdaptiveAveragePool(_AdaptivePool):
    """The means of as many windows as needed, so that the output has the same size for every input.

    Shape: in (N, C, H, W) out (N, C, size, size); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "adaptive_average_pool"
    title: ClassVar[str] = "Adaptive average pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("avgpool", "mean", "resize")
    layer_prefix: ClassVar[str] = "AdaptiveAvgPool"


@registry.add
class AdaptiveMaxPool(_AdaptivePool):
    """The largest numbers of as many windows as needed, so that the output has the same size for every input.

    Shape: in (N, C, H, W) out (N, C, size, size); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "adaptive_max_pool"
    title: ClassVar[str] = "Adaptive max pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("maxpool", "maximum", "resize")
    layer_prefix: ClassVar[str] = "AdaptiveMaxPool"


class _GlobalPool(Block):
    group: ClassVar[str] = "Pooling"
    function: ClassVar[str]

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        if len(x.spec.dims) < 2:
            raise ShapeError(f"{self.title} needs an image, a signal or a sequence, but gets ({x.spec}). Remove it.")
        mask = x.mask
        if mask is not None and len(x.spec.dims) == 2:
            return self.of_real_steps(rec, x, mask).named("D")
        channels_first = x.spec.axes.startswith("C")
        rank = len(x.spec.dims)
        places = tuple(range(2, rank + 1)) if channels_first else tuple(range(1, rank))
        return rec.function(self.function, x, dim=places).named("D")

    def of_real_steps(self, rec: Recorder, x: Value, mask: Value) -> Value:
        """The same (N, D) of a sequence or a signal in which some steps only fill up."""
        raise AssertionError(f"{type(self).__name__} does not say what it does with padding")


@registry.add
class GlobalAveragePool(_GlobalPool):
    """The mean of each channel over all places, or of each feature over all times: a vector, whatever the size.

    Shape: in (N, C, H, W) or (N, C, T) out (N, C); in (N, T, D) or (N, L, D) out (N, D)
    Source: Lin et al., "Network in network", 2014.
    """

    kind: ClassVar[str] = "global_average_pool"
    title: ClassVar[str] = "Global average pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("gap", "avgpool", "mean", "adaptive")
    function: ClassVar[str] = "mean"

    def of_real_steps(self, rec: Recorder, x: Value, mask: Value) -> Value:
        """The mean over the real steps."""
        total = rec.function("sum", filled(rec, x, mask, 0.0), dim=x.spec.padded)
        return rec.function("div", total, length(rec, mask))


@registry.add
class GlobalMaxPool(_GlobalPool):
    """The largest number of each channel over all places, or of each feature over all times: a vector.

    Shape: in (N, C, H, W) or (N, C, T) out (N, C); in (N, T, D) or (N, L, D) out (N, D)
    """

    kind: ClassVar[str] = "global_max_pool"
    title: ClassVar[str] = "Global max pooling"
    synonyms: ClassVar[tuple[str, ...]] = ("maxpool", "maximum", "adaptive")
    function: ClassVar[str] = "amax"

    def of_real_steps(self, rec: Recorder, x: Value, mask: Value) -> Value:
        """The largest over the real steps."""
        return rec.function("amax", filled(rec, x, mask, -math.inf), dim=x.spec.padded)
