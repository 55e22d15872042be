"""Whether a link that is about to be made would fit."""

import itertools
from dataclasses import replace

import pytest

from studio.blocks import registry
from studio.compile.analysis import ERROR
from studio.compile.fitting import Trial, misfit, trial_of_block, trial_of_link
from studio.compile.shapes import analyze
from studio.data.choice import DataChoice
from studio.graph import Graph, Link, Node
from studio.graph.edits import AddLink
from studio.graph.groups import Group, GroupInput, GroupOutput, GroupUse
from studio.tensors import TensorSpec

IMAGE, VECTOR = TensorSpec((16, 14, 14), "CHW"), TensorSpec((64,), "D")
DIGITS = DataChoice().source.spec  # ten classes


def block(kind: str, **fields: object):
    return registry.get(kind)(**fields)


@pytest.mark.parametrize(
    ("kind", "came", "told"),
    [
        ("dense", VECTOR, ""),
        ("dense", IMAGE, "gets (N, 16 C, 14 H, 14 W)"),
        ("conv2d", IMAGE, ""),
        ("conv2d", VECTOR, "needs an image"),
        ("add", VECTOR, ""),  # another wire is to come
        ("flatten", IMAGE, ""),
        ("embedding", VECTOR, "Embedding"),
    ],
)
def test_a_new_block_is_tried_on_what_would_come_in(kind: str, came: TensorSpec, told: str) -> None:
    reason = misfit(trial_of_block(block(kind), came))
    assert told in reason
    assert bool(reason) == bool(told)


def test_an_output_is_measured_by_the_dataset() -> None:
    trial = trial_of_block(block("output"), VECTOR)
    assert "10 classes" in misfit(trial, DIGITS)
    assert misfit(trial) == ""
    assert misfit(trial_of_block(block("output"), TensorSpec((10,), "D")), DIGITS) == ""


@pytest.mark.parametrize("shape", [(8,), (1, 8, 8)])
def test_what_is_told_of_a_link_is_what_becomes_of_it(shape: tuple[int, ...]) -> None:
    """Every block after every other: the trial says the same as the analysis of the linked graph."""
    kinds = [b for b in registry if not b.many_inputs and len(b().inputs) == 1]
    for kind in kinds:
        nodes = (Node("n1", "input", block("input", shape=shape)), Node("n2", "second", kind()))
        graph, link = Graph(nodes), Link("n1", 0, "n2", 0)
        trial = trial_of_link(graph, analyze(graph), link)
        after = analyze(AddLink(link).apply(graph))
        wrong = [p.message for p in after.problems if p.node_id == "n2" and "leads to no Output" not in p.message]
        assert misfit(trial) == next(iter(wrong), ""), kind


def test_other_wires_at_the_block_count() -> None:
    nodes = tuple(Node(f"n{i}", f"input_{i}", block("input", shape=(i,))) for i in (1, 2, 3))
    join = Node("n9", "add", block("add"))
    graph = AddLink(Link("n2", 0, "n9", 0)).apply(Graph((*nodes, join)))
    known = analyze(graph)
    assert "equal shapes" in misfit(trial_of_link(graph, known, Link("n1", 0, "n9", 1)))
    assert misfit(trial_of_link(graph, known, Link("n2", 0, "n9", 1))) == ""
    assert misfit(trial_of_link(graph, known, Link("n1", 0, "n9", 0))) == ""  # it would take the other's place


def test_what_is_not_known_is_not_judged() -> None:
    graph = Graph((Node("n1", "relu", block("relu")), Node("n2", "dense", block("dense"))))
    assert trial_of_link(graph, analyze(graph), Link("n1", 0, "n2", 0)) is None
    bypassed = Node("n2", "dense", block("dense"), bypassed=True)
    assert misfit(Trial(bypassed, ((0, IMAGE),))) == ""


def group_of(*blocks: object) -> GroupUse:
    inner = [Node("a", "a", GroupInput()), *(Node(f"m{i}", f"m_{i}", b) for i, b in enumerate(blocks))]
    inner.append(Node("z", "z", GroupOutput()))
    links = tuple(Link(x.id, 0, y.id, 0) for x, y in itertools.pairwise(inner))
    return GroupUse(Group("g1", "Part", Graph(tuple(inner), links)))


def test_a_group_is_tried_as_a_whole_and_a_repeated_block_each_time() -> None:
    use = Node("n1", "part", group_of(block("conv2d", filters=8), block("dense")))
    assert "Dense" in misfit(Trial(use, ((0, IMAGE),)))
    assert misfit(Trial(replace(use, block=group_of(block("flatten"), block("dense"))), ((0, IMAGE),))) == ""
    pool = Node("n1", "pool", block("max_pool", size=4), repeat=3)
    assert "repetition" in misfit(Trial(pool, ((0, IMAGE),)))
    assert misfit(Trial(replace(pool, repeat=1), ((0, IMAGE),))) == ""


def test_only_errors_are_told() -> None:
    lonely = analyze(Graph((Node("n1", "input", block("input")),)))
    assert any(problem.severity == ERROR for problem in lonely.problems)
    assert misfit(trial_of_block(block("relu"), VECTOR)) == ""
