"""What means little though it fits is told, with a repair that is tried; what is right is left in peace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.compile.analysis import ERROR, HINT, WARNING
from studio.compile.repairs import with_repairs
from studio.compile.shapes import analyze
from studio.data import DataChoice, DataSpec
from studio.data import registry as sources
from studio.data.base import Target
from studio.graph import Graph
from studio.graph.edits import SetBypassed, SetFrozen
from studio.graph.group_edits import MakeGroup
from studio.settings import TrainingSettings
from studio.tensors import TensorSpec
from tests.helpers import add, block, chain

CLASSES = DataSpec((TensorSpec((8,), "D"),), Target("classification", ("a", "b", "c")))
LABELS = DataSpec((TensorSpec((8,), "D"),), Target("multi-label", ("a", "b", "c")))
NUMBERS = DataSpec((TensorSpec((8,), "D"),), Target("regression", ("a", "b", "c")))


def network(*kinds: str) -> Graph:
    """Input of 8, blocks, Output; a Dense gives 3."""
    blocks = [block(kind, **{"units": 3} if kind == "dense" else {}) for kind in kinds]
    return chain(block("input", shape=(8,)), *blocks, block("output"))


def problems(graph: Graph, data: DataSpec | None = CLASSES, **settings: int) -> list[tuple[str, str | None]]:
    return [(p.severity, p.node_id) for p in analyze(graph, data, TrainingSettings(**settings)).problems]


@pytest.mark.parametrize(
    ("kinds", "data", "severity", "node_id"),
    [
        (("dense", "softmax"), CLASSES, WARNING, "n3"),
        (("dense", "sigmoid"), CLASSES, WARNING, "n3"),
        (("dense", "relu"), CLASSES, WARNING, "n3"),
        (("dense", "dropout"), CLASSES, WARNING, "n3"),
        (("dense", "sigmoid"), LABELS, WARNING, "n3"),
        (("dense", "softmax"), LABELS, WARNING, "n3"),
        (("dense", "relu"), LABELS, WARNING, "n3"),
        (("dense", "relu"), NUMBERS, WARNING, "n3"),
        (("dense", "tanh"), NUMBERS, WARNING, "n3"),
        (("dense", "batch_norm", "relu", "dense"), CLASSES, HINT, "n2"),
        (("dense", "dense"), CLASSES, HINT, "n3"),
    ],
)
def test_it_is_told_and_one_click_mends_it(kinds: tuple[str, ...], data: DataSpec, severity: str, node_id: str) -> None:
    graph = network(*kinds)
    analysis = with_repairs(graph, analyze(graph, data), data)
    assert [(p.severity, p.node_id) for p in analysis.problems] == [(severity, node_id)]
    assert analysis.trainable
    repair = analysis.problems[0].repairs[0]
    assert analyze(repair.edit.apply(graph), data).problems == ()


@pytest.mark.parametrize(
    ("kinds", "data"),
    [
        (("dense", "tanh"), CLASSES),
        (("dense",), LABELS),
        (("dense", "softmax", "dense"), CLASSES),
        (("dropout", "dense"), CLASSES),
        (("dense", "relu", "batch_norm", "dense"), CLASSES),
        (("dense", "relu", "dense"), NUMBERS),
    ],
)
def test_what_is_right_is_left_in_peace(kinds: tuple[str, ...], data: DataSpec) -> None:
    assert problems(network(*kinds), data) == []


ITSELF = DataSpec((TensorSpec((8,), "D"),), Target("regression", ("input",), (8,), is_input=True))
UNIT = replace(ITSELF, target=replace(ITSELF.target, limits=(0.0, 1.0)))


@pytest.mark.parametrize(
    ("kind", "data", "advice"),
    [
        ("sigmoid", ITSELF, "between 0 and 1. Remove it, or scale the data to the unit range."),
        ("tanh", ITSELF, "between -1 and 1. Remove it."),
        ("softmax", UNIT, "between 0 and 1. Remove it."),
        ("sigmoid", UNIT, ""),
        ("tanh", UNIT, ""),
        ("relu", UNIT, ""),
    ],
)
def test_an_activation_before_the_answer_is_fine_where_it_reaches_all_that_is_to_be_predicted(
    kind: str, data: DataSpec, advice: str
) -> None:
    graph = chain(block("input", shape=(8,)), block("dense", units=8), block(kind), block("output"))
    messages = [problem.message for problem in analyze(graph, data).problems]
    assert len(messages) == bool(advice)
    assert all(message.endswith(advice) for message in messages)


@pytest.mark.parametrize(("middle", "told"), [(2, False), (8, True), (20, True)])
def test_the_code_of_an_autoencoder_needs_no_activation(middle: int, told: bool) -> None:
    layers = [block("dense", units=units) for units in (middle, 8)]
    graph = chain(block("input", shape=(8,)), *layers, block("output"))
    assert problems(graph, ITSELF) == ([(HINT, "n3")] if told else [])


def test_an_embedding_must_have_a_row_for_every_character() -> None:
    data = DataChoice(sources.get("tiny-shakespeare")()).spec
    table, answer = block("embedding", vocabulary=64), block("dense", units=65)
    graph = chain(block("input", shape=(64,), values="tokens"), table, answer, block("output"))
    (problem,) = with_repairs(graph, analyze(graph, data), data).problems
    assert (problem.severity, problem.node_id) == (ERROR, "n2")
    assert analyze(problem.repairs[0].edit.apply(graph), data).problems == ()


def test_bypassed_blocks_and_ports_of_groups_are_looked_through() -> None:
    graph = SetBypassed(frozenset({"n4"}), True).apply(network("dense", "softmax", "layer_norm"))
    assert problems(graph) == [(WARNING, "n3")]
    grouped = MakeGroup(frozenset({"n2", "n3"})).apply(network("dense", "softmax"))
    ((severity, path),) = problems(grouped)
    assert (severity, path is not None and path.endswith("/n3")) == (WARNING, True)


def test_a_bias_that_others_see_is_kept() -> None:
    graph = add(network("dense", "batch_norm"), block("relu"), "n2")
    assert (HINT, "n2") not in problems(graph)


def test_batch_norms_in_a_backbone() -> None:
    photo = block("input", shape=(3, 32, 32))

    def check(graph: Graph, size: int = 1) -> list[str]:
        found = analyze(graph, None, TrainingSettings(batch_size=size)).problems
        return [p.severity for p in found if p.node_id and "compare the samples" in p.message]

    graph = chain(photo, block("backbone", stage="1/32"), block("output"))
    assert (check(graph), check(graph, 2)) == ([ERROR], [])
    assert check(chain(photo, block("backbone", stage="1/16"), block("output"))) == [WARNING]
    assert check(chain(photo, block("backbone", network="convnext_tiny"), block("output"))) == []
    assert check(SetFrozen(frozenset({"n2"}), True).apply(graph)) == []
    group = MakeGroup(frozenset({"n2"})).apply(graph)
    (outer,) = (node.id for node in group.nodes if node.block.kind == "group")
    assert (check(group), check(SetFrozen(frozenset({outer}), True).apply(group))) == ([ERROR], [])


@pytest.mark.parametrize(("kind", "shape", "severity"), [("dense", (8,), ERROR), ("conv2d", (1, 8, 8), WARNING)])
def test_a_batch_norm_of_one_sample(kind: str, shape: tuple[int, ...], severity: str) -> None:
    layer = block(kind, bias=False)
    graph = chain(block("input", shape=shape), layer, block("batch_norm"), block("output"))

    def check(size: int) -> list[str]:
        found = analyze(graph, None, TrainingSettings(batch_size=size)).problems
        return [p.severity for p in found if p.node_id == "n3"]

    assert check(1) == [severity]
    assert check(2) == []
    training = TrainingSettings(batch_size=1)
    analysis = with_repairs(graph, analyze(graph, None, training), None, training)
    texts = [r.text for p in analysis.problems if p.node_id == "n3" for r in p.repairs]
    assert "Use Layer norm instead" in texts


def test_a_huge_dense_is_told() -> None:
    graph = chain(block("input", shape=(64, 100, 100)), block("flatten"), block("dense", units=100), block("output"))
    (problem,) = (p for p in analyze(graph).problems if p.severity == HINT)
    assert "64,000,100 parameters" in problem.message
