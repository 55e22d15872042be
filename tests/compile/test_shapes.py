"""Shapes and problems of whole graphs, from the real layers."""

from __future__ import annotations

import pytest
import torch

from studio.blocks import Block
from studio.compile import record as record_module
from studio.compile.analysis import ERROR, WARNING, Analysis
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.data import DataSpec, Target
from studio.fields import replace
from studio.graph import Graph
from studio.graph.edits import SetBlock
from studio.tensors import TensorSpec
from tests.helpers import add, block, chain

DIGITS = DataSpec((TensorSpec((1, 8, 8), "CHW"),), Target("classification", tuple("0123456789")))
HOUSES = DataSpec((TensorSpec((8,), "D"),), Target("regression", ("price",)))


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
    ("graph", "data", "message"),
    [
        (Graph(), DIGITS, "The network has no Input"),
        (chain(block("input")), DIGITS, "The network has no Output"),
        (chain(block("dense"), block("output")), DIGITS, "“dense_1” has nothing to work on"),
        (digits_net(block("flatten"), block("dense", units=7)), DIGITS, "it needs (N, 10 D). End with a Dense of 10"),
        (chain(block("input", shape=(3, 8, 8)), block("output")), DIGITS, "Set its shape to 1, 8, 8"),
        (chain(block("input", shape=(8,), values="tokens"), block("embedding"), block("output")), HOUSES,
         "“input_1” expects tokens, but the dataset gives real numbers. Set its values to “real”"),
        (chain(block("input", shape=(1, 8, 8)), block("output", task="regression")), DIGITS, "is set to regression"),
        (chain(block("input", shape=(8,)), block("output", task="classification")), HOUSES, "target is for regression"),
        (chain(block("input", shape=(8,)), block("output")), HOUSES, "has 1 numbers to predict: it needs (N, 1 D)"),
        (add(digits_net(block("flatten")), block("input", shape=(1, 8, 8))), DIGITS, "has 2 Inputs, but the dataset"),
        (chain(block("input", shape=(10**6,) * 8), block("flatten"), block("output")), None, "than any computer holds"),
    ],
)  # fmt: skip
def test_problems_are_told(graph: Graph, data: DataSpec | None, message: str) -> None:
    analysis = analyze(graph, data)
    assert not analysis.trainable
    assert any(message in text for text in messages(analysis))


@pytest.mark.parametrize("task", ["from data", "regression"])
def test_regression_wants_a_number_per_target(task: str) -> None:
    graph = chain(block("input", shape=(8,)), block("dense", units=1), block("output", task=task))
    assert analyze(graph, HOUSES).problems == ()


def test_an_error_is_told_once_where_it_arises() -> None:
    graph = digits_net(block("dense"), block("relu"), block("dense"), block("relu"))
    analysis = analyze(graph, DIGITS)
    assert [problem.node_id for problem in analysis.problems if problem.severity == ERROR] == ["n2"]
    assert analysis.nodes["n4"].outputs == ()


def test_errors_come_before_warnings() -> None:
    graph = add(digits_net(block("dense")), block("relu"), "n1")
    assert [problem.severity for problem in analyze(graph, DIGITS).problems] == [ERROR, WARNING]


def test_a_loose_end_is_a_warning_and_left_out() -> None:
    graph = digits_net(block("flatten"), block("dense", units=10))
    graph = add(graph, block("conv1d"))  # has nothing to work on
    graph = add(graph, block("dense", units=99), "n2")
    analysis = analyze(graph, DIGITS)
    assert analysis.trainable
    assert len(messages(analysis, WARNING)) == 3
    assert analysis.parameters == 650
    assert make_plan(graph).parameters == 650
    assert sum(p.numel() for p in build_network(make_plan(graph)).parameters()) == 650


def test_analysis_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    analyze(digits_net(block("conv2d", filters=13), block("dropout"), block("gru", layers=2)), DIGITS)
    assert torch.equal(before, torch.get_rng_state())


def test_only_what_changed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    middle = [block("flatten"), *(block("dense", units=20 + i) for i in range(500)), block("dense", units=10)]
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
