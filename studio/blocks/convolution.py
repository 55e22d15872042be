"""Convolutions: the same small filter at every place."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.fields import field


class _Convolution(Block):
    group: ClassVar[str] = "Convolution"
    axes: ClassVar[str]
    layer_class: ClassVar[str]
    advice: ClassVar[str]

    filters: int = field(32, min=1, max=65_536, help="How many filters, and so channels come out.")
    kernel_size: int = field(3, min=1, max=1_023, help="Side of the filter.")
    stride: int = field(1, min=1, max=1_023, help="Step between two places of the filter.")
    padding: int = field(0, min=0, max=1_023, help="Zeros added on each side.")
    dilation: int = field(1, min=1, max=1_023, help="Distance between the filter's points.")
    groups: int = field(1, min=1, max=65_536, help="Channels are split into so many independent groups.")
    bias: bool = field(True, help="Add a learned constant to each channel.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], self.axes, self.title, self.advice)
        expect_float(x, self.title)
        channels, *sizes = x.spec.dims
        self._check_groups(channels)
        self._check_sizes(sizes)
        convolution = rec.layer(
            self.layer_class,
            in_channels=channels,
            out_channels=self.filters,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            bias=self.bias,
        )
        return convolution(x).named(self.axes)

    def _check_groups(self, channels: int) -> None:
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"{self.title}: {self.groups} groups must divide both the {channels} channels that come "
                f"and the {self.filters} filters.",
                *(Remedy(fields=(("groups", g),)) for g in _common_divisors(channels, self.filters, self.groups)),
            )

    def _check_sizes(self, sizes: list[int]) -> None:
        reach = self.dilation * (self.kernel_size - 1) + 1
        for size, letter in zip(sizes, self.axes[1:], strict=True):
            if size + 2 * self.padding < reach:
                raise ShapeError(
                    f"{self.title}: the filter spans {reach} places, but only {size + 2 * self.padding} are there "
                    f"({size} {letter} with padding {self.padding}). Use a smaller kernel or more padding.",
                    *self._size_remedies(min(sizes)),
                )

    def _size_remedies(self, size: int) -> list[Remedy]:
        padding = -(-(self.dilation * (self.kernel_size - 1) + 1 - size) // 2)
        kernel = (size + 2 * self.padding - 1) // self.dilation + 1
        return [Remedy(fields=(("padding", padding),)), Remedy(fields=(("kernel_size", kernel),))]


def _common_divisors(a: int, b: int, near: int) -> list[int]:
    """Divisors of both, the nearest to `near` first; at most three."""
    common = math.gcd(a, b)
    divisors = [d for d in range(1, common + 1) if common % d == 0]
    return sorted(divisors, key=lambda d: abs(d - near))[:3]


@registry.add
class Conv1d(_Convolution):
    """A convolution along time: each filter slides over the signal and answers where it fits.

    Length out: floor((T + 2 padding - dilation (kernel size - 1) - 1) / stride) + 1.

    Shape: in (N, C, T) out (N, filters, T')
    """

    kind: ClassVar[str] = "conv1d"
    title: ClassVar[str] = "Convolution 1D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "temporal convolution", "filter")
    axes: ClassVar[str] = "CT"
    layer_class: ClassVar[str] = "Conv1d"
    advice: ClassVar[str] = "Put Reshape in between, or use Convolution 2D for images."


@registry.add
class Conv2d(_Convolution):
    """A convolution over an image: each filter slides over it and answers where it fits.

    Size out: floor((H + 2 padding - dilation (kernel size - 1) - 1) / stride) + 1; the same for W.
    Padding (kernel size - 1) / 2 keeps the size.

    Shape: in (N, C, H, W) out (N, filters, H', W')
    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """

    kind: ClassVar[str] = "conv2d"
    title: ClassVar[str] = "Convolution 2D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "cnn", "filter", "kernel")
    axes: ClassVar[str] = "CHW"
    layer_class: ClassVar[str] = "Conv2d"
    advice: ClassVar[str] = "Put Reshape in between, or use Convolution 1D for signals."
