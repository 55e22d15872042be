"""What a network costs, against figures worked out by hand."""

from __future__ import annotations

import pytest

from studio.blocks import registry
from studio.compile.cost import FUNCTION_RULES, LAYER_RULES
from studio.compile.layers import BackboneSpec, CustomSpec, ParameterSpec
from studio.compile.plan import make_plan
from studio.compile.record import BlockRecord, record
from studio.compile.shapes import analyze
from studio.graph.edits import SetBypassed, SetRepeat
from studio.graph.group_edits import MakeGroup
from studio.tensors import TensorSpec
from tests.blocks.test_sweep import EXAMPLES
from tests.helpers import add, block, chain

IMAGE, SEQUENCE, VECTOR = TensorSpec((3, 8, 8), "CHW"), TensorSpec((5, 6), "TD"), TensorSpec((10,), "D")
TOKENS = TensorSpec((7,), "L", "int")


@pytest.mark.parametrize(
    ("kind", "fields", "given", "flops", "numbers"),
    [
        ("dense", {"units": 4}, VECTOR, 4 * (2 * 10 + 1), 4),
        ("dense", {"units": 4, "bias": False}, SEQUENCE, 5 * 4 * 2 * 6, 20),
        ("conv2d", {"filters": 4, "kernel_size": 3}, IMAGE, 4 * 36 * (2 * 27 + 1), 4 * 36),
        ("conv2d", {"filters": 6, "groups": 3, "bias": False}, IMAGE, 6 * 36 * 2 * 9, 6 * 36),
        ("conv1d", {"filters": 2, "kernel_size": 2}, SEQUENCE, 2 * 5 * (2 * 10 + 1), 10),
        ("max_pool", {"size": 2}, IMAGE, 3 * 16 * 4, 3 * 16),
        ("global_average_pool", {}, IMAGE, 3 * 64, 3),
        ("relu", {}, IMAGE, 192, 192),
        ("softmax", {}, VECTOR, 30, 10),
        ("batch_norm", {}, IMAGE, 2 * 192, 192),
        ("flatten", {}, IMAGE, 0, 0),  # a view of what is there
        ("embedding", {"vocabulary": 9, "features": 6}, TOKENS, 0, 42),
        ("gru", {"units": 4}, SEQUENCE, 5 * (2 * 12 * (6 + 4) + 24), 5 * 4 + 4),
        ("lstm", {"units": 4, "layers": 2}, SEQUENCE, 5 * (2 * 16 * (6 + 4 + 4 + 4) + 64), 5 * 4 + 2 * 2 * 4),
        ("self_attention", {"heads": 2}, SEQUENCE, 4 * 5 * (2 * 36 + 6) + 4 * 25 * 6, 5 * 6),
    ],
)  # fmt: skip
def test_a_block_costs(kind: str, fields: dict[str, object], given: TensorSpec, flops: int, numbers: int) -> None:
    found = record(block(kind, **fields), (given,))
    assert found.flops == flops
    assert found.memory == 4 * numbers


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_layer_and_function_has_a_rule(kind: str) -> None:
    for example, inputs in EXAMPLES.get(kind, []):
        found = record(example, inputs)
        layers = (layer for layer in found.layers if not isinstance(layer, ParameterSpec | CustomSpec | BackboneSpec))
        assert {layer.class_name for layer in layers} <= LAYER_RULES.keys()
        assert {o.target for o in found.operations if o.kind == "function"} <= FUNCTION_RULES.keys()


def test_a_network_costs_the_sum_however_it_is_grouped() -> None:
    graph = chain(block("input", shape=(10,)), block("dense", units=10), block("relu"), block("dense"), block("output"))
    analysis = analyze(graph)
    assert analysis.flops == 10 * 21 + 10 + 64 * 21
    assert analysis.memory == 4 * (10 + 10 + 64)
    group = analyze(MakeGroup(frozenset({"n2", "n3"})).apply(graph))
    assert (group.flops, group.memory, group.parameters) == (analysis.flops, analysis.memory, analysis.parameters)
    assert analyze(SetRepeat("n2", 3).apply(graph)).flops == analysis.flops + 2 * 10 * 21
    assert analyze(SetBypassed(frozenset({"n2"}), True).apply(graph)).flops == analysis.flops - 10 * 21


def test_what_is_left_out_of_the_network_costs_nothing() -> None:
    graph = add(chain(block("input", shape=(10,)), block("dense", units=2), block("output")), block("dense"), "n1")
    assert analyze(graph).flops == 2 * 21


def test_functions_on_masks_have_a_rule_too() -> None:
    chains = (
        [block("gru", bidirectional=True, layers=2)],
        [block("transformer_encoder_layer", causal=True), block("global_average_pool")],
        [block("permute"), block("conv1d"), block("global_max_pool")],
    )
    for items in chains:
        tokens = block("input", shape=(9,), values="tokens")
        plan = make_plan(chain(tokens, block("embedding", padding=True), *items, block("output")))
        for step in plan.steps:
            (part,) = step.parts
            assert isinstance(part, BlockRecord)
            assert {o.target for o in part.operations if o.kind == "function"} <= FUNCTION_RULES.keys()
