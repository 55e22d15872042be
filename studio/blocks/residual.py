"""Ready residual blocks: what a stack of layers adds to its own input."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import Block, Recorder, Remedy, ShapeError, Value, expect, expect_float, registry
from studio.fields import field


@registry.add
class Residual(Block):
    """Two convolutions with batch norms, and a way around them: y = relu(x + F(x)), F = conv, norm, relu, conv, norm.

    Where the size or the channels change, the way around is a convolution of size 1 with a batch norm. The gradient
    always finds the short way, so that very deep networks of these learn.

    Shape: in (N, C, H, W) out (N, filters, H / stride, W / stride), rounded up
    Source: He et al., "Deep residual learning for image recognition", 2016.
    """

    kind: ClassVar[str] = "residual"
    title: ClassVar[str] = "Residual block"
    group: ClassVar[str] = "Convolution"
    synonyms: ClassVar[tuple[str, ...]] = ("resnet", "skip", "shortcut", "basic block")

    filters: int = field(0, min=0, max=65_536, special="as many as come", help="Channels that come out.")
    kernel_size: int = field(3, min=1, max=31, help="Side of the filters, an odd number.")
    stride: int = field(1, min=1, max=16, help="Step of the first convolution: 2 halves the image.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        x = expect(inputs[0], "CHW", self.title, "Put Reshape in between, or use Add around other layers.")
        expect_float(x, self.title)
        if self.kernel_size % 2 == 0:
            raise ShapeError(
                f"Residual block: an even filter of {self.kernel_size} would change the size: the sum would not fit.",
                Remedy(fields=(("kernel_size", self.kernel_size - 1),)),
            )
        channels = x.spec.dims[0]
        filters = self.filters or channels
        inner = rec.layer("ReLU")(self._convolved(rec, x, filters, self.kernel_size, self.stride))
        inner = self._convolved(rec, inner, filters, self.kernel_size, 1)
        if self.stride > 1 or filters != channels:
            x = self._convolved(rec, x, filters, 1, self.stride)
        return rec.layer("ReLU")(rec.function("add", inner, x)).named("CHW")

    def _convolved(self, rec: Recorder, x: Value, filters: int, size: int, stride: int) -> Value:
        convolution = rec.layer(
            "Conv2d", in_channels=x.spec.dims[0], out_channels=filters, kernel_size=size, stride=stride,
            padding=size // 2, bias=False,
        )  # fmt: skip
        return rec.layer("BatchNorm2d", num_features=filters)(convolution(x))
