"""Ways out of problems: each that is offered was tried, helps, and is one edit."""

from __future__ import annotations

import pytest

from studio.compile import repairs
from studio.compile.analysis import ERROR, Analysis
from studio.compile.repairs import with_repairs
from studio.compile.shapes import analyze
from studio.data import DataSpec, Target
from studio.graph import Graph
from studio.graph.edits import Dissolve, Remove
from studio.tensors import TensorSpec
from tests.helpers import add, block, chain, link

DIGITS = DataSpec((TensorSpec((1, 8, 8), "CHW"),), Target("classification", tuple("0123456789")))


def repaired(graph: Graph) -> Analysis:
    return with_repairs(graph, analyze(graph, DIGITS), DIGITS)


def texts(graph: Graph, node_id: str | None = "") -> list[str]:
    """The repairs offered for the problem of a node, or for the first."""
    problems = [p for p in repaired(graph).problems if node_id == "" or p.node_id == node_id]
    return [repair.text for repair in problems[0].repairs]


def net(*middle) -> Graph:
    return chain(block("input", shape=(1, 8, 8)), *middle, block("output"))


@pytest.mark.parametrize(
    ("graph", "best"),
    [
        (net(block("dense", units=10)), "Insert Flatten"),
        (net(block("flatten"), block("dense", units=7)), "Set “dense_1” to 10 units"),
        (net(block("flatten")), "Insert Dense (10 units)"),
        (net(block("conv2d", filters=4)), "Insert Flatten and Dense (10 units)"),
        (net(block("reshape", shape=(8, 8)), block("self_attention", heads=3), block("flatten"),
             block("dense", units=10)),
         "Set heads to 2"),
        (net(block("conv2d", filters=6, groups=4), block("flatten"), block("dense", units=10)), "Set groups to 1"),
        (net(block("gru"), block("dense", units=10)), "Insert Reshape (shape 8, 8)"),
        (chain(block("input", shape=(3, 9)), block("flatten"), block("dense", units=10), block("output")),
         "Set the shape to 1, 8, 8"),
        (chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=10)),
         "Add an Output after “dense_1”"),
        (chain(block("flatten"), block("dense", units=10), block("output")), "Add an Input before “flatten_1”"),
        (net(block("flatten"), block("dense", units=10), block("reshape", shape=(3, 3))), "Set shape to 3, -1"),
    ],
)  # fmt: skip
def test_the_best_repair_comes_first(graph: Graph, best: str) -> None:
    if best == "Set shape to 3, -1":  # 10 numbers have no such shape: only taking it away helps
        best = "Remove “reshape_1” and link its neighbours"
    assert texts(graph)[0] == best


def test_a_sum_is_made_to_fit_by_a_projection() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("conv2d", filters=4, padding=1))
    graph = add(graph, block("conv2d", filters=8, padding=1, stride=2), "n2")
    graph = add(graph, block("add"), "n2", "n3")
    graph = add(add(add(graph, block("flatten"), "n4"), block("dense", units=10), "n5"), block("output"), "n6")
    offered = texts(graph, "n4")
    assert "Insert Convolution 2D (filters 8, kernel size 1, stride 2)" in offered


def test_every_offered_repair_solves_its_problem_without_a_new_error() -> None:
    graph = net(block("dense"), block("max_pool", size=9), block("gru"))
    graph = Remove(links=frozenset({graph.links[2]})).apply(graph)
    before = repaired(graph)
    offered = [(problem, repair) for problem in before.problems for repair in problem.repairs]
    assert len(offered) >= 3
    for problem, repair in offered:
        after = analyze(repair.edit.apply(graph).check(), DIGITS)
        errors = [p for p in after.problems if p.severity == ERROR]
        assert len(errors) <= sum(p.severity == ERROR for p in before.problems)
        assert not any(p.node_id == problem.node_id and p.severity == problem.severity for p in after.problems)


def test_a_sound_network_is_left_alone() -> None:
    graph = net(block("flatten"), block("dense", units=10))
    assert repaired(graph) == analyze(graph, DIGITS)


def test_a_loose_end_can_be_linked_or_removed() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("dense", units=10))
    graph = add(graph, block("output"))
    first = texts(graph)
    assert "Link “dense_1” to it" in first


def test_a_gap_that_needs_a_flatten_is_closed_through_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs, "MOST_REPAIRS", 99)
    graph = net(block("conv2d", filters=4), block("flatten"), block("dense", units=10))
    offered = texts(Remove(frozenset({"n3"})).apply(graph))
    assert offered[0] == "Link “conv2d_1” to it through Flatten"
    assert "Link “conv2d_1” to it" not in offered  # the block would still not fit


def test_a_repair_does_not_move_the_problem_to_a_new_block() -> None:
    offered = texts(net(block("conv2d", filters=4)))
    assert "Insert Dense (10 units)" not in offered  # it cannot take an image
    assert "Insert Flatten and Dense (10 units)" in offered


def test_dissolving_links_the_neighbours() -> None:
    graph = chain(block("input"), block("relu"), block("tanh"), block("output"))
    assert [(k.source, k.target) for k in Dissolve(frozenset({"n2", "n3"})).apply(graph).links] == [("n1", "n4")]
    fork = link(add(graph, block("add")), "n2", "n5")
    bridged = Dissolve(frozenset({"n2"})).apply(fork)
    assert {(k.source, k.target) for k in bridged.links} == {("n1", "n3"), ("n3", "n4"), ("n1", "n5")}


def test_a_search_that_is_no_longer_wanted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    graph = net(block("dense", units=10))
    analysis = analyze(graph, DIGITS)
    monkeypatch.setattr(repairs, "analyze", lambda *given: tries.append(given) or analyze(*given))
    left = iter((True, False))
    with_repairs(graph, analysis, DIGITS, wanted=lambda: next(left, False))
    assert len(tries) == 1
