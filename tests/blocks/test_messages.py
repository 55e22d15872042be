"""A block that does not fit says so in plain words, and its remedies are sound."""

from __future__ import annotations

import pytest

from studio.blocks import Block, Remedy, ShapeError, registry
from studio.compile.record import record
from studio.fields import FieldError, replace
from studio.tensors import TensorSpec
from tests.helpers import block

IMAGE = TensorSpec((3, 8, 8), "CHW")
SEQUENCE = TensorSpec((7, 10), "TD")
VECTOR = TensorSpec((10,), "D")
PHOTO = TensorSpec((3, 32, 48), "CHW")
TOKENS = TensorSpec((6,), "L", "int")

CASES: list[tuple[Block, tuple[TensorSpec, ...], str]] = [
    (block("dense"), (IMAGE,), r"Dense works on feature vectors .* gets \(N, 3 C, 8 H, 8 W\)\. Put Flatten"),
    (block("dense"), (TOKENS,), "Put an Embedding in between"),
    (block("conv2d"), (VECTOR,), r"needs an image \(N, C, H, W\), but gets \(N, 10 D\)"),
    (block("conv2d", kernel_size=9), (IMAGE,), "spans 9 places, but only 8 are there"),
    (block("conv2d", kernel_width=9), (IMAGE,), r"spans 9 places, but only 8 are there \(8 W"),
    (block("conv2d", groups=2), (IMAGE,), "2 groups must divide both the 3 channels"),
    (block("conv1d"), (IMAGE,), "needs a signal"),
    (block("max_pool", size=9), (IMAGE,), "larger than the 8 H that come"),
    (block("max_pool", size=2, padding=2), (IMAGE,), "more than half the window"),
    (block("global_average_pool"), (VECTOR,), "Remove it"),
    (block("reshape", shape=(5, 5)), (IMAGE,), "has 192 numbers, which do not fill 5 × 5 = 25"),
    (block("reshape", shape=(-1, -1)), (IMAGE,), "-1 may stand once"),
    (block("batch_norm"), (TensorSpec((1, 2, 3, 4, 5), "DDDDD"),), "Use Layer norm"),
    (block("embedding"), (VECTOR,), "needs tokens|needs token numbers"),
    (block("embedding"), (IMAGE,), "Give it token numbers"),
    (block("gru"), (VECTOR,), r"needs a sequence \(N, T, D\)"),
    (block("lstm", dropout=0.5), (SEQUENCE,), "dropout acts between layers"),
    (block("self_attention", heads=4), (SEQUENCE,), "4 heads do not divide 10 features. Possible: 1, 2, 5, 10"),
    (block("add"), (VECTOR, SEQUENCE), "Add needs equal shapes"),
    (block("add"), (VECTOR,), "at least two inputs, but has 1"),
    (block("add"), (VECTOR, TOKENS), "Add needs equal shapes|cannot join real numbers and tokens"),
    (block("concatenate"), (IMAGE, TensorSpec((3, 9, 8), "CHW")), "may differ only on axis 1"),
    (block("concatenate", axis=3), (VECTOR, VECTOR), "has no axis 3"),
    (block("softmax"), (TOKENS,), "needs real numbers"),
    (block("output"), (TOKENS,), "needs real numbers"),
    (block("hardtanh", low=1.0, high=1.0), (VECTOR,), "lowest number 1 must be below the highest 1"),
    (block("glu"), (IMAGE,), "halves 3 C of .* must be even"),
    (block("conv_transpose2d", output_padding=2), (IMAGE,), "output padding 2 must be less than the stride 2"),
    (block("conv_transpose1d", padding=9), (TensorSpec((2, 3), "CT"),), "nothing would be left of 3 T"),
    (block("depthwise_conv2d", kernel_size=99), (IMAGE,), "Depthwise convolution 2D: the filter spans 99 places, but"),
    (block("group_norm"), (IMAGE,), "4 groups do not divide 3 channels"),
    (block("instance_norm"), (TensorSpec((3, 1, 1), "CHW"),), "one place only"),
    (block("cross_attention", heads=3), (SEQUENCE, SEQUENCE), "3 heads do not divide 10 features"),
    (block("transformer_decoder_layer", heads=2), (SEQUENCE, TensorSpec((5, 4), "TD")), "Put a Dense in between"),
    (block("position_embedding", positions=3), (SEQUENCE,), "steps come, but only 3 positions are learned"),
    (block("bilinear"), (VECTOR, SEQUENCE), "may differ only on the last axis"),
    (block("upsample", mode="cubic"), (TensorSpec((2, 3), "CT"),), "cubic curves are for images"),
    (block("pixel_shuffle"), (IMAGE,), "3 channels cannot be split into groups of 4"),
    (block("pixel_unshuffle", factor=3), (IMAGE,), "8 × 8 places cannot be cut into squares of 3"),
    (block("channel_shuffle"), (IMAGE,), "2 groups do not divide 3 channels"),
    (block("pad", size=8, mode="reflect"), (IMAGE,), "8 places cannot be taken from the 8 that there are; at most 7"),
    (block("unflatten", sizes=(3, 3)), (VECTOR,), "the 10 numbers of axis 1 do not fill 3 × 3"),
    (block("unflatten", sizes=(-1, -1)), (VECTOR,), "-1 may stand once"),
    (block("permute", order=(1, 1)), (SEQUENCE,), "name each of them once"),
    (block("transpose", first=4), (SEQUENCE,), "has no axis 4; use 1 to 2"),
    (block("squeeze"), (IMAGE,), "axis 3 of .* has 8 numbers, not 1"),
    (block("squeeze"), (TensorSpec((1,), "D"),), "has no other axis"),
    (block("unsqueeze", axis=5), (IMAGE,), "cannot get an axis 5"),
    (block("slice", start=8, length=4), (VECTOR,), "has 10 numbers, not 12"),
    (block("residual", kernel_size=4), (IMAGE,), "an even filter of 4 would change the size"),
    (block("split"), (IMAGE,), "the 3 numbers of axis 1 of .* cannot be shared equally by 2 parts"),
    (block("rotary_positions", heads=2), (SEQUENCE,), "2 heads of 5, an odd number"),
    (block("dot_product_attention", heads=2), (SEQUENCE, TensorSpec((7, 4), "TD"), SEQUENCE), "as many features"),
    (block("dot_product_attention", heads=2), (SEQUENCE, SEQUENCE, TensorSpec((5, 10), "TD")), "as many steps"),
    (block("dot_product_attention", heads=2, causal=True), (TensorSpec((5, 10), "TD"), SEQUENCE, SEQUENCE), "causal"),
    (block("learned_scale", axis=4), (IMAGE,), "has no axis 4"),
    (block("multiply"), (VECTOR, IMAGE), "needs equal sizes, or sizes of 1"),
    (block("stack"), (VECTOR, SEQUENCE), "Stack needs equal shapes"),
    (block("stack", axis=7), (VECTOR, VECTOR), "cannot get an axis 7"),
    (block("matrix_product"), (SEQUENCE, SEQUENCE), "do not fit"),
    (block("matrix_product"), (TOKENS, TOKENS), "needs real numbers"),
    (block("clamp", low=2.0), (VECTOR,), "lowest number 2 must be below the highest 1"),
    (block("mean"), (VECTOR,), "Keep the axis"),
    (block("sum", axis=0), (VECTOR,), "has no axis 0"),
    (block("backbone"), (VECTOR,), "needs an image"),
    (block("backbone"), (TensorSpec((1, 64, 64), "CHW"),), "3 channels of a colour image, but gets 1: a Convolution"),
    (block("backbone"), (IMAGE,), "at least 32 × 32, but gets 8 × 8. Put an Upsample by 4 before it"),
    (block("backbone", network="convnext_tiny", stage="1/2"), (PHOTO,), "convnext_tiny has no stage of 1/2"),
    (block("backbone", network="squeezenet1_1"), (PHOTO,), "squeezenet1_1 has no stage of 1/32 .* Take 1/16"),
]


@pytest.mark.parametrize(("example", "inputs", "message"), CASES, ids=lambda v: getattr(v, "kind", None))
def test_plain_words(example: Block, inputs: tuple[TensorSpec, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message) as caught:
        record(example, inputs)
    text = str(caught.value)
    for word in ("mat1", "Expected", "RuntimeError", "tensor a", "Size", "FakeTensor"):
        assert word not in text


def tried(example: Block, inputs: tuple[TensorSpec, ...], remedy: Remedy) -> bool:
    """Whether a block fits after a remedy."""
    try:
        if not remedy.insert:
            return bool(record(replace(example, **dict(remedy.fields)), inputs))
        before = record(block(remedy.insert, **dict(remedy.fields)), (inputs[remedy.input],)).spec
        return bool(record(example, (*inputs[: remedy.input], before, *inputs[remedy.input + 1 :])))
    except (ShapeError, FieldError):
        return False


CURED: list[tuple[Block, tuple[TensorSpec, ...], int]] = [
    (block("dense"), (IMAGE,), 2),
    (block("dense"), (TOKENS,), 1),
    (block("conv2d", kernel_size=9), (IMAGE,), 2),
    (block("conv2d", kernel_size=5, dilation=3), (TensorSpec((3, 9, 8), "CHW"),), 2),
    (block("conv2d", groups=2), (IMAGE,), 1),
    (block("gru"), (VECTOR,), 1),
    (block("gru"), (IMAGE,), 1),
    (block("gru"), (TOKENS,), 1),
    (block("self_attention", heads=4), (SEQUENCE,), 3),
    (block("self_attention"), (IMAGE,), 1),
    (block("add"), (VECTOR, TensorSpec((7,), "D")), 2),
    (block("add"), (TensorSpec((3, 4, 4), "CHW"), IMAGE), 1),
    (block("backbone"), (TensorSpec((1, 64, 64), "CHW"),), 1),
    (block("backbone"), (TensorSpec((3, 20, 30), "CHW"),), 2),
    (block("backbone", network="convnext_tiny", stage="1/2"), (PHOTO,), 1),
    (block("backbone", network="squeezenet1_1"), (PHOTO,), 1),
]


@pytest.mark.parametrize(("example", "inputs", "working"), CURED, ids=lambda v: getattr(v, "kind", None))
def test_remedies_work(example: Block, inputs: tuple[TensorSpec, ...], working: int) -> None:
    with pytest.raises(ShapeError) as caught:
        record(example, inputs)
    remedies = caught.value.remedies
    assert all(remedy.insert in ("", *registry.kinds()) for remedy in remedies)
    assert sum(tried(example, inputs, remedy) for remedy in remedies) >= working
