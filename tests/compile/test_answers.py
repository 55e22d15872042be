"""Targets with places: what an Output needs is said in plain words, and one click gives it."""

from __future__ import annotations

import pytest

from studio.blocks import Block
from studio.compile.repairs import with_repairs
from studio.compile.shapes import analyze
from studio.data import DataChoice, DataSpec, Target
from studio.data import registry as sources
from studio.graph import Graph
from studio.tensors import TensorSpec
from tests.helpers import block, chain

PIXELS = DataChoice(sources.get("shapes")()).spec
STEPS = DataChoice(sources.get("tiny-shakespeare")()).spec
PICTURE = DataChoice(target="the input itself").spec
FLOWER = DataChoice(sources.get("iris")(), target="the input itself").spec
VECTORS = block("embedding", vocabulary=65, features=16)


def net(data: DataSpec, *middle: Block) -> Graph:
    (given,) = data.inputs
    values = "tokens" if given.dtype == "int" else "real"
    return chain(block("input", shape=given.dims, values=values), *middle, block("output"))


def conv(filters: int) -> Block:
    return block("conv2d", filters=filters, padding=1)


def dense(units: int) -> Block:
    return block("dense", units=units)


@pytest.mark.parametrize(
    ("data", "middle", "said", "repair"),
    [
        (PIXELS, [conv(7)], "4 classes at each of 32 × 32 places: it needs (N, 4 C, 32 H, 32 W). End with a Convol"
         "ution of 4 filters and kernel size 1.", "Set “conv2d_1” to 4 filters"),
        (PIXELS, [block("batch_norm")], "End with a Convolution of 4 filters", "Insert Convolution 2D (4 filters)"),
        (PIXELS, [conv(4), block("max_pool")], "Bring it to 32 × 32 places first", "Insert Upsample"),
        (PIXELS, [block("max_pool"), block("max_pool")], "Bring it to 32 × 32 places first",
         "Insert Upsample and Convolution 2D (4 filters)"),
        (PIXELS, [block("flatten"), dense(4)], "Keep the picture: leave out Flatten", ""),
        (STEPS, [VECTORS], "65 classes at each of 64 steps: it needs (N, 64 T, 65 D). End with a Dense of 65 units.",
         "Insert Dense (65 units)"),
        (STEPS, [VECTORS, dense(9)], "End with a Dense of 65", "Set “dense_1” to 65 units"),
        (STEPS, [VECTORS, block("gru")], "set the output of a recurrent layer to “sequence”", ""),
        (STEPS, [VECTORS, block("transpose"), block("conv1d", filters=65, kernel_size=1)], "End with a Dense",
         "Insert Transpose"),
        (PICTURE, [block("flatten"), dense(9)], "the target is the input itself: it needs (N, 1 C, 8 H, 8 W). End with "
         "a Dense of 64 units and Reshape to 1, 8, 8.", "Insert Dense (64 units) and Reshape"),
        (PICTURE, [block("flatten"), dense(64)], "Put Reshape to 1, 8, 8 before it.", "Insert Reshape"),
        (PICTURE, [conv(3)], "End with a Convolution of 1 filter and", "Set “conv2d_1” to 1 filter"),
        (FLOWER, [dense(3)], "it needs (N, 4 D). End with a Dense of 4 units.", "Set “dense_1” to 4 units"),
    ],
)  # fmt: skip
def test_a_misfit_is_told_and_mended(data: DataSpec, middle: list[Block], said: str, repair: str) -> None:
    graph = net(data, *middle)
    (problem,) = with_repairs(graph, analyze(graph, data), data).problems
    assert said in problem.message
    texts = [found.text for found in problem.repairs]
    assert texts[:1] == ([repair] if repair else [])
    for found in problem.repairs:
        assert analyze(found.edit.apply(graph), data).trainable


@pytest.mark.parametrize(
    ("data", "middle"),
    [
        (PIXELS, [conv(4)]),
        (STEPS, [VECTORS, block("gru", output="sequence"), dense(65)]),
        (PICTURE, [conv(1)]),
        (FLOWER, [dense(2), dense(4)]),
    ],
)
def test_what_fits_is_left_in_peace(data: DataSpec, middle: list[Block]) -> None:
    assert analyze(net(data, *middle), data).problems == ()


def test_volumes_and_numbers_with_places() -> None:
    voxels = DataSpec((TensorSpec((1, 2, 4, 4), "CZHW"),), Target("classification", ("a", "b"), (2, 4, 4)))
    assert voxels.target.answer.dims == (2, 2, 4, 4)
    heights = DataSpec((TensorSpec((1, 4, 4), "CHW"),), Target("regression", ("height",), (1, 4, 4)))
    (problem,) = analyze(net(heights, conv(2)), heights).problems
    assert "the dataset has numbers to predict: it needs (N, 1 C, 4 H, 4 W)" in problem.message


def test_several_labels() -> None:
    labels = DataSpec((TensorSpec((4,), "D"),), Target("multi-label", ("a", "b", "c")))
    (problem,) = analyze(net(labels, dense(2)), labels).problems
    assert "the dataset has 3 labels, of which each sample may have any: it needs (N, 3 D)" in problem.message
    graph = chain(block("input", shape=(4,)), dense(3), block("output", task="multi-label"))
    assert analyze(graph, labels).problems == ()
    assert "set to multi-label, but" in analyze(graph, FLOWER).problems[-1].message


def test_tokens_are_no_target() -> None:
    data = DataChoice(sources.get("tiny-shakespeare")(), target="the input itself").spec
    (problem,) = analyze(net(data, VECTORS), data).problems
    assert problem.message.endswith("gives tokens, which are no real numbers. Set the target of the data to “labels”.")


def test_an_output_for_another_task_is_told() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), conv(1), block("output", task="classification"))
    (problem,) = analyze(graph, PICTURE).problems
    assert "is set to classification, but the target is the input itself, which is for regression" in problem.message
