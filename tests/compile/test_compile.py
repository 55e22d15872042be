"""Shapes, problems, module and source of whole graphs."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.blocks import Block, ShapeError
from studio.compile import record as record_module
from studio.compile.analysis import ERROR, WARNING, Analysis
from studio.compile.network import build_network
from studio.compile.plan import CompileError, make_plan
from studio.compile.record import record
from studio.compile.shapes import analyze
from studio.compile.source import class_name, class_source
from studio.data import DataSpec, Target
from studio.fields import replace
from studio.graph import Graph
from studio.graph.edits import AddNode, Remove, SetBlock, new_node
from studio.tensors import TensorSpec
from tests.helpers import block, chain, link

DIGITS = DataSpec((TensorSpec((1, 8, 8), "CHW"),), Target("classification", tuple("0123456789")))


def digits_net(*middle: Block) -> Graph:
    return chain(block("input", shape=(1, 8, 8)), *middle, block("output"))


def messages(analysis: Analysis, severity: str = ERROR) -> list[str]:
    return [problem.message for problem in analysis.problems if problem.severity == severity]


def test_shapes_carry_axis_letters() -> None:
    graph = digits_net(block("conv2d", filters=16, padding=1), block("flatten"), block("dense", units=10))
    analysis = analyze(graph, DIGITS)
    shapes = [str(analysis.nodes[node.id].outputs[0]) for node in graph.nodes[:-1]]
    assert shapes == ["N, 1 C, 8 H, 8 W", "N, 16 C, 8 H, 8 W", "N, 1024 D", "N, 10 D"]
    assert analysis.parameters == 16 * 10 + 1024 * 10 + 10
    assert analysis.trainable
    assert analysis.problems == ()


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (chain(block("input")), "The network has no Output"),
        (chain(block("dense"), block("output")), "“dense_1” has nothing to work on"),
        (digits_net(block("flatten"), block("dense", units=7)), "it needs (N, 10 D). End with a Dense of 10 units"),
        (chain(block("input", shape=(3, 8, 8)), block("output")), "Set its shape to 1, 8, 8"),
        (chain(block("input", shape=(1, 8, 8)), block("output", task="regression")), "is set to regression"),
    ],
)
def test_problems_are_told(graph: Graph, message: str) -> None:
    analysis = analyze(graph, DIGITS)
    assert not analysis.trainable
    assert any(message in text for text in messages(analysis))


def test_an_error_is_told_once_where_it_arises() -> None:
    graph = digits_net(block("dense"), block("relu"), block("dense"), block("relu"))
    analysis = analyze(graph, DIGITS)
    assert [problem.node_id for problem in analysis.problems if problem.severity == ERROR] == ["n2"]
    assert analysis.nodes["n4"].outputs == ()


def test_a_loose_end_is_a_warning_and_left_out() -> None:
    graph = digits_net(block("flatten"), block("dense", units=10))
    graph = AddNode(new_node(graph, block("conv1d"))).apply(graph)  # has nothing to work on
    side = new_node(graph, block("dense", units=99))
    graph = link(AddNode(side).apply(graph), "n2", side.id)
    analysis = analyze(graph, DIGITS)
    assert analysis.trainable
    assert len(messages(analysis, WARNING)) == 3
    assert analysis.parameters == 650
    assert make_plan(graph).parameters == 650
    assert sum(p.numel() for p in build_network(make_plan(graph)).parameters()) == 650


def test_several_outputs_need_several_targets() -> None:
    graph = digits_net(block("flatten"), block("dense", units=10))
    second = new_node(graph, block("output"))
    graph = link(AddNode(second).apply(graph), "n3", second.id)
    assert any("2 Outputs" in text for text in messages(analyze(graph, DIGITS)))
    answers = build_network(make_plan(graph))(torch.zeros(2, 1, 8, 8))
    assert isinstance(answers, tuple)
    assert torch.equal(*answers)


def test_analysis_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    analyze(digits_net(block("conv2d", filters=13), block("dropout"), block("gru", layers=2)), DIGITS)
    assert torch.equal(before, torch.get_rng_state())


def test_only_what_changed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    middle = [block("flatten"), *(block("dense", units=20 + i % 2) for i in range(60)), block("dense", units=10)]
    graph = digits_net(*middle)
    analyze(graph, DIGITS)
    made: list[object] = []
    original = record_module._Recorder
    monkeypatch.setattr(record_module, "_Recorder", lambda: made.append(1) or original())
    analyze(graph, DIGITS)
    assert made == []
    node = graph.nodes[-3]
    assert analyze(SetBlock(node.id, replace(node.block, units=33)).apply(graph), DIGITS).trainable
    assert len(made) == 2  # the changed block and the one after it


def test_long_sequences_keep_their_length() -> None:
    spec = record(block("lstm", units=4, output="sequence"), (TensorSpec((5_000, 3), "TD"),)).spec
    assert str(spec) == "N, 5000 T, 4 D"


def test_an_unfinished_graph_cannot_be_compiled() -> None:
    with pytest.raises(CompileError, match="nothing to work on"):
        make_plan(Remove(frozenset({"n1"})).apply(digits_net(block("flatten"))))


def exported(graph: Graph, seed: int) -> torch.nn.Module:
    namespace: dict[str, object] = {"torch": torch, "nn": torch.nn}
    exec(class_source(make_plan(graph), "Exported"), namespace)
    torch.manual_seed(seed)
    return namespace["Exported"]()  # type: ignore[operator, no-any-return]


def two_inputs() -> Graph:
    """Two inputs that meet twice."""
    graph = chain(block("input", shape=(6,)), block("dense", units=4))
    second = new_node(graph, block("input", shape=(3,)))
    graph = AddNode(second).apply(graph)
    other = new_node(graph, block("dense", units=4))
    graph = link(AddNode(other).apply(graph), second.id, other.id)
    for kind, sources in (("add", ("n2", "n4")), ("concatenate", ("n5", "n2"))):
        node = new_node(graph, block(kind))
        graph = AddNode(node).apply(graph)
        for source in sources:
            graph = link(graph, source, node.id)
    output = new_node(graph, block("output"))
    return link(AddNode(output).apply(graph), "n6", output.id)


def test_inputs_that_meet_compile_and_export_the_same() -> None:
    graph = two_inputs()
    torch.manual_seed(1)
    model = build_network(make_plan(graph))
    a, b = torch.randn(5, 6), torch.randn(5, 3)
    total = model.dense_1(a) + model.dense_2(b)
    assert torch.equal(model(a, b), torch.cat((total, model.dense_1(a)), 1))
    assert torch.equal(exported(graph, 1)(a, b), model(a, b))


@pytest.mark.parametrize(
    ("title", "name"),
    [("digits-cnn", "DigitsCnn"), ("", "Network"),
     ("3 layers", "Layers"), ("none", "Network"), ("'); import os #", "ImportOs"),
     ("数字", "Network"), ("x" * 500, "X" + "x" * 79)],
)  # fmt: skip
def test_class_names_are_plain(title: str, name: str) -> None:
    assert class_name(title) == name


def random_graph(rng: random.Random) -> Graph:
    """A sound network on a vector of 12: a chain with skips."""
    kinds = ["dense", "relu", "gelu", "tanh", "batch_norm", "layer_norm", "dropout", "softmax", "sigmoid"]
    graph = chain(block("input", shape=(12,)))
    last, ends = "n1", ["n1"]
    for _ in range(rng.randrange(2, 12)):
        if rng.random() < 0.3 and len(ends) > 1:
            node = new_node(graph, block(rng.choice(["add", "concatenate"])))
            graph = AddNode(node).apply(graph)
            for source in rng.sample(ends, 2):
                graph = link(graph, source, node.id)
        else:
            kind = rng.choice(kinds)
            node = new_node(graph, block(kind, units=12) if kind == "dense" else block(kind))
            graph = link(AddNode(node).apply(graph), last, node.id)
        try:
            outputs = analyze(graph).nodes[node.id].outputs
        except ShapeError:
            outputs = ()
        if not outputs:
            graph = Remove(frozenset({node.id})).apply(graph)
            continue
        last = node.id
        ends.append(last)
    output = new_node(graph, block("output"))
    return link(AddNode(output).apply(graph), last, output.id)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_random_networks_equal_their_source(seed: int) -> None:
    graph = random_graph(random.Random(seed))
    torch.manual_seed(seed % 1000)
    model = build_network(make_plan(graph)).eval()
    other = exported(graph, seed % 1000).eval()
    x = torch.randn(4, 12)
    assert torch.equal(model(x), other(x))
    assert [*model.state_dict()] == [*other.state_dict()]
