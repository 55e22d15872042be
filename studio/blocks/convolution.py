"""Convolutions: the same small filter at every place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.blocks.masking import filled, without_first
from studio.fields import field, replace


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
        start = self.dilation * (self.kernel_size - 1) - 2 * self.padding  # what must be real for the first window
        along_time = x.spec.padded == 2 and len(sizes) == 1 and self.stride == 1 and start >= 0
        mask = x.mask if along_time else None
        convolution = rec.layer(
            self.layer_class,
            in_channels=channels,
            out_channels=self.filters,
            **self._windows(),
            dilation=self.dilation,
            groups=self.groups,
            bias=self.bias,
        )
        if mask is None:
            return convolution(x).named(self.axes)
        answer = convolution(filled(rec, x, mask, 0.0)).named(self.axes)
        # As many answers are real as the sample would have alone.
        return answer.masked(without_first(rec, mask, sizes[0], start), 2)

    def _windows(self) -> dict[str, Any]:
        return {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}

    def _check_groups(self, channels: int) -> None:
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"{self.title}: {self.groups} groups must divide both the {channels} channels that come "
                f"and the {self.filters} filters.",
                *(Remedy(fields=(("groups", g),)) for g in _common_divisors(channels, self.filters, self.groups)),
            )

    def _check_sizes(self, sizes: list[int]) -> None:
        check_reach(self, sizes, self.axes[1:])


class _Reaching(Protocol):
    """What `check_reach` looks at in a block."""

    title: ClassVar[str]

    @property
    def kernel_size(self) -> int: ...
    @property
    def padding(self) -> int: ...
    @property
    def dilation(self) -> int: ...


def check_reach(block: _Reaching, sizes: Sequence[int], letters: str) -> None:
    """Raises ShapeError if a block's filter spans more places than there are.

    Args:
        block: with its filter.
        sizes: of the axes over which the filter goes.
        letters: of these axes.
    """
    reach = block.dilation * (block.kernel_size - 1) + 1
    for size, letter in zip(sizes, letters, strict=True):
        if size + 2 * block.padding < reach:
            smallest = min(sizes)
            padding, kernel = -(-(reach - smallest) // 2), (smallest + 2 * block.padding - 1) // block.dilation + 1
            raise ShapeError(
                f"{block.title}: the filter spans {reach} places, but only {size + 2 * block.padding} are there "
                f"({size} {letter} with padding {block.padding}). Use a smaller kernel or more padding.",
                Remedy(fields=(("padding", padding),)),
                Remedy(fields=(("kernel_size", kernel),)),
            )


def _common_divisors(a: int, b: int, near: int) -> list[int]:
    """Divisors of both, the nearest to `near` first; at most three."""
    common = math.gcd(a, b)
    divisors = [d for d in range(1, common + 1) if common % d == 0]
    return sorted(divisors, key=lambda d: abs(d - near))[:3]


@registry.add
class Conv2d(_Convolution):
    """A convolution over an image: each filter slides over it and answers where it fits.

    Size out: floor((H + 2 padding - dilation (kernel size - 1) - 1) / stride) + 1; the same for W.
    Padding (kernel size - 1) / 2 keeps the size. The width has settings of its own, if it shall differ.

    Shape: in (N, C, H, W) out (N, filters, H', W')
    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """

    kind: ClassVar[str] = "conv2d"
    title: ClassVar[str] = "Convolution 2D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "cnn", "filter", "kernel")
    axes: ClassVar[str] = "CHW"
    layer_class: ClassVar[str] = "Conv2d"
    advice: ClassVar[str] = "Put Reshape in between, or use Convolution 1D for signals."

    kernel_width: int = field(0, min=0, max=1_023, special="as kernel size", help="Width, if the filter is no square.")
    stride_width: int = field(0, min=0, max=1_023, special="as stride", help="Step along the width, if it differs.")
    padding_width: int = field(
        -1, min=-1, max=1_023, special="as padding", help="Zeros added left and right, if they differ."
    )

    @property
    def _wide(self) -> Conv2d:
        """The square convolution that does along the height what this one does along the width."""
        return replace(
            self,
            kernel_size=self.kernel_width or self.kernel_size,
            stride=self.stride_width or self.stride,
            padding=self.padding if self.padding_width < 0 else self.padding_width,
        )

    def _windows(self) -> dict[str, Any]:
        high, wide = super()._windows(), super(Conv2d, self._wide)._windows()
        return {name: value if value == wide[name] else (value, wide[name]) for name, value in high.items()}

    def _check_sizes(self, sizes: list[int]) -> None:
        wide = self._wide
        if (wide.kernel_size, wide.padding) == (self.kernel_size, self.padding):
            super()._check_sizes(sizes)
            return
        check_reach(self, sizes[:1], "H")
        try:
            check_reach(wide, sizes[1:], "W")
        except ShapeError as error:  # its remedies are for the height
            raise ShapeError(str(error)) from None


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
class Conv3d(_Convolution):
    """A convolution over a volume, or over the pictures of a film: each filter slides in three directions.

    Size out: floor((Z + 2 padding - dilation (kernel size - 1) - 1) / stride) + 1; the same for H and W.

    Shape: in (N, C, Z, H, W) out (N, filters, Z', H', W')
    Source: Tran et al., "Learning spatiotemporal features with 3D convolutional networks", 2015.
    """

    kind: ClassVar[str] = "conv3d"
    title: ClassVar[str] = "Convolution 3D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "volume", "video", "filter")
    axes: ClassVar[str] = "CZHW"
    layer_class: ClassVar[str] = "Conv3d"
    advice: ClassVar[str] = "Put Reshape in between, or use Convolution 2D for images."


class _TransposedConvolution(_Convolution):
    stride: int = field(2, min=1, max=1_023, help="Step between two places of the filter: how much larger it becomes.")
    output_padding: int = field(0, min=0, max=1_022, help="Places added at one end; less than stride or dilation.")

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
            output_padding=self.output_padding,
            groups=self.groups,
            bias=self.bias,
            dilation=self.dilation,
        )
        return convolution(x).named(self.axes)

    def _check_sizes(self, sizes: list[int]) -> None:
        if self.output_padding >= max(self.stride, self.dilation):
            raise ShapeError(
                f"{self.title}: output padding {self.output_padding} must be less than the stride {self.stride} or the "
                f"dilation {self.dilation}.",
                Remedy(fields=(("output_padding", max(self.stride, self.dilation) - 1),)),
            )
        reach = self.dilation * (self.kernel_size - 1) + 1
        for size, letter in zip(sizes, self.axes[1:], strict=True):
            out = (size - 1) * self.stride - 2 * self.padding + reach + self.output_padding
            if out < 1:
                raise ShapeError(
                    f"{self.title}: with padding {self.padding} nothing would be left of {size} {letter}. Use less.",
                    Remedy(fields=(("padding", 0),)),
                )


_TRANSPOSED = ("deconvolution", "upconvolution", "fractionally strided", "upsample")


@registry.add
class ConvTranspose1d(_TransposedConvolution):
    """A convolution backwards: every number spreads a filter over the signal, which becomes longer.

    Length out: (T - 1) stride - 2 padding + dilation (kernel size - 1) + output padding + 1.

    Shape: in (N, C, T) out (N, filters, T')
    Source: Zeiler et al., "Deconvolutional networks", 2010.
    """

    kind: ClassVar[str] = "conv_transpose1d"
    title: ClassVar[str] = "Transposed convolution 1D"
    synonyms: ClassVar[tuple[str, ...]] = _TRANSPOSED
    axes: ClassVar[str] = "CT"
    layer_class: ClassVar[str] = "ConvTranspose1d"
    advice: ClassVar[str] = "Put Reshape in between, or use Transposed convolution 2D for images."


@registry.add
class ConvTranspose2d(_TransposedConvolution):
    """A convolution backwards: every number spreads a filter over the image, which becomes larger.

    Size out: (H - 1) stride - 2 padding + dilation (kernel size - 1) + output padding + 1; the same for W.

    Shape: in (N, C, H, W) out (N, filters, H', W')
    Source: Zeiler et al., "Deconvolutional networks", 2010.
    """

    kind: ClassVar[str] = "conv_transpose2d"
    title: ClassVar[str] = "Transposed convolution 2D"
    synonyms: ClassVar[tuple[str, ...]] = _TRANSPOSED
    axes: ClassVar[str] = "CHW"
    layer_class: ClassVar[str] = "ConvTranspose2d"
    advice: ClassVar[str] = "Put Reshape in between, or use Transposed convolution 1D for signals."


@registry.add
class ConvTranspose3d(_TransposedConvolution):
    """A convolution backwards: every number spreads a filter over the volume, which becomes larger.

    Size out: (Z - 1) stride - 2 padding + dilation (kernel size - 1) + output padding + 1; the same for H and W.

    Shape: in (N, C, Z, H, W) out (N, filters, Z', H', W')
    Source: Zeiler et al., "Deconvolutional networks", 2010.
    """

    kind: ClassVar[str] = "conv_transpose3d"
    title: ClassVar[str] = "Transposed convolution 3D"
    synonyms: ClassVar[tuple[str, ...]] = _TRANSPOSED
    axes: ClassVar[str] = "CZHW"
    layer_class: ClassVar[str] = "ConvTranspose3d"
    advice: ClassVar[str] = "Put Reshape in between, or use Transposed convolution 2D for images."


class _ByChannel(Block):
    """Filters that see one channel each."""

    group: ClassVar[str] = "Convolution"

    kernel_size: int = field(3, min=1, max=1_023, help="Side of the filter.")
    stride: int = field(1, min=1, max=1_023, help="Step between two places of the filter.")
    padding: int = field(1, min=0, max=1_023, help="Zeros added on each side.")
    dilation: int = field(1, min=1, max=1_023, help="Distance between the filter's points.")
    bias: bool = field(True, help="Add a learned constant to each channel.")

    def filtered(self, rec: Recorder, value: Value, multiplier: int) -> Value:
        """Each channel through filters of its own."""
        x = expect(value, "CHW", self.title, "Put Reshape in between.")
        expect_float(x, self.title)
        channels, *sizes = x.spec.dims
        check_reach(self, sizes, "HW")
        convolution = rec.layer(
            "Conv2d",
            in_channels=channels,
            out_channels=channels * multiplier,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=channels,
            bias=self.bias,
        )
        return convolution(x)


@registry.add
class DepthwiseConv2d(_ByChannel):
    """A convolution in which every filter sees one channel only: far fewer weights, nothing mixed between channels.

    Shape: in (N, C, H, W) out (N, multiplier · C, H', W')
    Source: Howard et al., "MobileNets", 2017.
    """

    kind: ClassVar[str] = "depthwise_conv2d"
    title: ClassVar[str] = "Depthwise convolution 2D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "mobilenet", "grouped")

    multiplier: int = field(1, min=1, max=1_024, help="Filters for each channel.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        return self.filtered(rec, inputs[0], self.multiplier).named("CHW")


@registry.add
class SeparableConv2d(_ByChannel):
    """A depthwise convolution, then one of size 1 that mixes the channels: nearly a whole convolution at a ninth of it.

    Shape: in (N, C, H, W) out (N, filters, H', W')
    Source: Chollet, "Xception", 2017.
    """

    kind: ClassVar[str] = "separable_conv2d"
    title: ClassVar[str] = "Separable convolution 2D"
    synonyms: ClassVar[tuple[str, ...]] = ("conv", "xception", "mobilenet", "pointwise")

    filters: int = field(32, min=1, max=65_536, help="How many channels come out.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = self.filtered(rec, inputs[0], 1)
        mix = rec.layer("Conv2d", in_channels=x.spec.dims[0], out_channels=self.filters, kernel_size=1, bias=self.bias)
        return mix(x).named("CHW")


@registry.add
class SqueezeExcitation(Block):
    """Weighs the channels of an image by what is in it as a whole: means, two small layers, a gate for each channel.

    y = x · σ(W₂ relu(W₁ mean(x) + b₁) + b₂), with C / reduction units between.

    Shape: in (N, C, H, W) out (N, C, H, W)
    Source: Hu et al., "Squeeze-and-excitation networks", 2018.
    """

    kind: ClassVar[str] = "squeeze_excitation"
    title: ClassVar[str] = "Squeeze and excitation"
    group: ClassVar[str] = "Convolution"
    synonyms: ClassVar[tuple[str, ...]] = ("se block", "channel attention", "gate")

    reduction: int = field(16, min=1, max=65_536, help="How many times fewer units there are between.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, "Put Reshape in between.")
        expect_float(x, self.title)
        channels = x.spec.dims[0]
        units = max(1, channels // self.reduction)
        mean = rec.function("mean", x, dim=(2, 3), keepdim=True)
        squeezed = rec.layer("Conv2d", in_channels=channels, out_channels=units, kernel_size=1)(mean)
        excited = rec.layer("Conv2d", in_channels=units, out_channels=channels, kernel_size=1)(
            rec.layer("ReLU")(squeezed)
        )
        return rec.function("mul", x, rec.layer("Sigmoid")(excited)).named("CHW")
