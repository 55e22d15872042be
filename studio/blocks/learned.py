"""Tensors of the network's own: learned or constant, not made of the input."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.blocks.base import ANY_AXIS, Block, Recorder, Value, axis_index, expect_float, registry
from studio.fields import field
from studio.tensors import axes_for

_SHAPE_HELP = "Size of the tensor for one sample."


@registry.add
class LearnedScale(Block):
    """Multiplies each channel, or each feature, by a learned number: y_c = w_c x_c.

    With a small start at the end of a residual branch it is the layer scale of deep networks.

    Shape: in (N, *) out (N, *)
    Source: Touvron et al., "Going deeper with image transformers", 2021.
    """

    kind: ClassVar[str] = "learned_scale"
    title: ClassVar[str] = "Learned scale"
    stepwise: ClassVar[str] = ANY_AXIS
    group: ClassVar[str] = "Math"
    synonyms: ClassVar[tuple[str, ...]] = ("layer scale", "parameter", "gain", "gamma", "weight")

    axis: int = field(1, min=-8, max=8, help="1 is the first after the batch (channels), -1 the last (features).")
    start: float = field(1.0, min=-1e6, max=1e6, help="What every number is before training.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (x,) = inputs
        expect_float(x, self.title)
        index = axis_index(self.axis, x.spec, self.title)
        weight = rec.parameter((x.spec.dims[index], *[1] * (len(x.spec.dims) - index - 1)), fill=self.start)
        return rec.function("mul", x, weight).named(x.spec.axes)


def _for_each_sample(rec: Recorder, like: Value, rank: int) -> Value:
    """Zeros (N, 1, ...) with so many axes after the batch, as many samples as another tensor has."""
    like = like.masked(like.mask, like.spec.padded)  # how far it is filled up plays no part
    one = rec.function("narrow", rec.function("reshape", like, (-1, like.spec.numel)), 1, 0, 1)
    return rec.function("zeros_like", rec.function("reshape", one, (-1, *[1] * rank)))


class _Tensor(Block):
    group: ClassVar[str] = "Math"
    inputs: ClassVar[tuple[str, ...]] = ("batch",)

    shape: tuple[int, ...] = field((1, 64), min=1, max=1_000_000, help=_SHAPE_HELP)


@registry.add
class LearnedTensor(_Tensor):
    """A tensor that is learned, the same for every sample. What is linked to it only says how many samples there are.

    Joined before a sequence, it is the class token of a vision transformer.

    Shape: in (N, *) out (N, *shape)
    Source: Dosovitskiy et al., "An image is worth 16x16 words", 2021.
    """

    kind: ClassVar[str] = "learned_tensor"
    title: ClassVar[str] = "Learned tensor"
    synonyms: ClassVar[tuple[str, ...]] = ("parameter", "class token", "cls", "query", "prompt", "variable")

    deviation: float = field(0.02, min=0.0, max=100.0, help="Standard deviation of its numbers before training.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (like,) = inputs
        expect_float(like, self.title)
        weight = rec.parameter(self.shape, std=self.deviation)
        return rec.function("add", _for_each_sample(rec, like, len(self.shape)), weight).named(
            axes_for(len(self.shape))
        )


@registry.add
class Constant(_Tensor):
    """A tensor of one number that is never learned. What is linked to it only says how many samples there are.

    Shape: in (N, *) out (N, *shape)
    """

    kind: ClassVar[str] = "constant"
    title: ClassVar[str] = "Constant"
    synonyms: ClassVar[tuple[str, ...]] = ("number", "zeros", "ones", "fill", "full")

    value: float = field(1.0, min=-1e6, max=1e6, help="What all of its numbers are.")

    def record(self, rec: Recorder, *inputs: Any) -> Value:
        (like,) = inputs
        expect_float(like, self.title)
        start = _for_each_sample(rec, like, len(self.shape))
        grown = rec.function("tile", start, (1, *self.shape))
        return rec.function("add", grown, self.value).named(axes_for(len(self.shape)))
