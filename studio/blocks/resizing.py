"""Blocks that make images and signals larger or smaller without learning anything."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.fields import field

_PLACES = "CHW|CT|CZHW"
_ADVICE = "Put Reshape in between."
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}  # by the number of axes of space or time


@registry.add
class Upsample(Block):
    """Makes images, signals and volumes larger by repeating numbers or by drawing lines (or curves) between them.

    Shape: in (N, C, H, W) out (N, C, factor · H, factor · W); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "upsample"
    title: ClassVar[str] = "Upsample"
    group: ClassVar[str] = "Resizing"
    synonyms: ClassVar[tuple[str, ...]] = ("interpolate", "resize", "enlarge", "nearest", "bilinear")

    factor: int = field(2, min=1, max=64, help="How many times as large.")
    mode: str = field("nearest", choices=("nearest", "linear", "cubic"), help="How what lies between is found.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], _PLACES, self.title, _ADVICE)
        expect_float(x, self.title)
        places = len(x.spec.dims) - 1
        if self.mode == "cubic" and places != 2:
            raise ShapeError(
                f"Upsample: cubic curves are for images, but ({x.spec}) comes.", Remedy(fields=(("mode", "linear"),))
            )
        arguments: dict[str, Any] = {"scale_factor": self.factor, "mode": "nearest"}
        if self.mode != "nearest":
            mode = "bicubic" if self.mode == "cubic" else _LINEAR[places]
            arguments |= {"mode": mode, "align_corners": False}
        return rec.layer("Upsample", **arguments)(x).named(x.spec.axes)


@registry.add
class PixelShuffle(Block):
    """Channels become places: each group of factor² channels is one channel of a finer image.

    Shape: in (N, factor² · C, H, W) out (N, C, factor · H, factor · W)
    Source: Shi et al., "Real-time single image and video super-resolution", 2016.
    """

    kind: ClassVar[str] = "pixel_shuffle"
    title: ClassVar[str] = "Pixel shuffle"
    group: ClassVar[str] = "Resizing"
    synonyms: ClassVar[tuple[str, ...]] = ("depth to space", "subpixel", "super-resolution")

    factor: int = field(2, min=1, max=64, help="How many times as large.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, _ADVICE)
        expect_float(x, self.title)
        channels = x.spec.dims[0]
        if channels % self.factor**2:
            fitting = [f for f in range(1, 65) if channels % f**2 == 0]
            raise ShapeError(
                f"Pixel shuffle: {channels} channels cannot be split into groups of {self.factor**2}.",
                *(Remedy(fields=(("factor", f),)) for f in sorted(fitting, key=lambda f: abs(f - self.factor))[:3]),
            )
        return rec.layer("PixelShuffle", upscale_factor=self.factor)(x).named("CHW")


@registry.add
class PixelUnshuffle(Block):
    """Places become channels: each square of factor² places is one place with as many channels. Nothing is lost.

    Shape: in (N, C, factor · H, factor · W) out (N, factor² · C, H, W)
    """

    kind: ClassVar[str] = "pixel_unshuffle"
    title: ClassVar[str] = "Pixel unshuffle"
    group: ClassVar[str] = "Resizing"
    synonyms: ClassVar[tuple[str, ...]] = ("space to depth", "downsample", "patches")

    factor: int = field(2, min=1, max=64, help="How many times as small.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, _ADVICE)
        expect_float(x, self.title)
        _, height, width = x.spec.dims
        if height % self.factor or width % self.factor:
            fitting = [f for f in range(1, 65) if height % f == 0 == width % f]
            raise ShapeError(
                f"Pixel unshuffle: {height} × {width} places cannot be cut into squares of {self.factor}.",
                *(Remedy(fields=(("factor", f),)) for f in sorted(fitting, key=lambda f: abs(f - self.factor))[:3]),
            )
        return rec.layer("PixelUnshuffle", downscale_factor=self.factor)(x).named("CHW")


@registry.add
class ChannelShuffle(Block):
    """Mixes the groups of a grouped convolution: the channels of each group are dealt out to all.

    Shape: in (N, C, H, W) out (N, C, H, W); groups must divide C
    Source: Zhang et al., "ShuffleNet", 2018.
    """

    kind: ClassVar[str] = "channel_shuffle"
    title: ClassVar[str] = "Channel shuffle"
    group: ClassVar[str] = "Resizing"
    synonyms: ClassVar[tuple[str, ...]] = ("shufflenet", "permute channels")

    groups: int = field(2, min=1, max=65_536, help="How many groups.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, _ADVICE)
        channels = x.spec.dims[0]
        if channels % self.groups:
            fitting = [g for g in range(1, min(channels, 256) + 1) if channels % g == 0]
            raise ShapeError(
                f"Channel shuffle: {self.groups} groups do not divide {channels} channels.",
                *(Remedy(fields=(("groups", g),)) for g in sorted(fitting, key=lambda g: abs(g - self.groups))[:3]),
            )
        return rec.layer("ChannelShuffle", groups=self.groups)(x).named("CHW")


@registry.add
class Pad(Block):
    """Adds places on every side: zeros, mirror images, copies of the border, or what comes from the other side.

    Shape: in (N, C, H, W) out (N, C, H + 2 size, W + 2 size); also for (N, C, T) and (N, C, Z, H, W)
    """

    kind: ClassVar[str] = "pad"
    title: ClassVar[str] = "Pad"
    group: ClassVar[str] = "Resizing"
    synonyms: ClassVar[tuple[str, ...]] = ("padding", "zero padding", "reflect", "border", "margin")

    size: int = field(1, min=0, max=1_023, help="Places on each side.")
    mode: str = field("zeros", choices=("zeros", "reflect", "replicate", "circular"), help="What stands there.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], _PLACES, self.title, _ADVICE)
        expect_float(x, self.title)
        smallest = min(x.spec.dims[1:])
        most = {"reflect": smallest - 1, "circular": smallest}.get(self.mode, self.size)
        if self.size > most:
            raise ShapeError(
                f"Pad: {self.size} places cannot be taken from the {smallest} that there are; at most {most} can.",
                Remedy(fields=(("size", most),)),
                Remedy(fields=(("mode", "replicate"),)),
            )
        prefix = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad"}.get(self.mode)
        layer = rec.layer(f"{prefix or 'CircularPad'}{len(x.spec.dims) - 1}d", padding=self.size)
        return layer(x).named(x.spec.axes)
