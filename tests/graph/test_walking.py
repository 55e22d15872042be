"""Steps from block to block along the wires."""

from __future__ import annotations

import pytest

from studio.graph import Graph, Link, Node
from studio.graph.group_edits import MakeGroup, Unfold, group_made
from studio.graph.paths import flatten
from studio.graph.walking import BACK, FORWARD, LEFT, RIGHT, feeding, following, reading_order, step
from tests.helpers import block, chain


def diamond() -> Graph:
    """An Input that feeds three blocks, of which two meet again in an Add."""
    kinds = {"in": ("input", 0, 0), "a": ("relu", -300, 100), "b": ("tanh", 20, 100), "c": ("gelu", 300, 100),
             "sum": ("add", -250, 200)}  # fmt: skip
    nodes = tuple(Node(i, f"{kind}_{i}", block(kind), x, y) for i, (kind, x, y) in kinds.items())
    links = [Link("in", 0, other, 0) for other in "abc"] + [Link("a", 0, "sum", 0), Link("b", 0, "sum", 1)]
    return Graph(nodes, tuple(links)).check()


@pytest.mark.parametrize(
    ("start", "direction", "expected"),
    [
        ("in", FORWARD, "b"),  # straight below
        ("sum", BACK, "a"),  # straight above
        ("a", RIGHT, "b"), ("b", RIGHT, "c"), ("c", RIGHT, None), ("b", LEFT, "a"), ("a", LEFT, None),
        ("in", BACK, None), ("sum", FORWARD, None), ("sum", LEFT, None),
    ],
)  # fmt: skip
def test_steps(start: str, direction: str, expected: str | None) -> None:
    assert step(diamond(), start, direction) == expected


def test_all_neighbours_in_the_order_of_ports() -> None:
    assert following(diamond(), "in") == ["a", "b", "c"]
    assert feeding(diamond(), "sum") == ["a", "b"]


def test_a_branch_is_told_to_its_end() -> None:
    graph = diamond()
    loose = Node("loose", "loose", block("relu"))
    more = (Node("a2", "a2", block("relu")), Node("last", "last", block("input")))
    links = {*graph.links, Link("a", 0, "a2", 0), Link("a2", 0, "sum", 0)} - {Link("a", 0, "sum", 0)}
    graph = Graph((loose, *graph.nodes, *more), tuple(sorted(links))).check()
    assert [node.id for node in reading_order(graph)] == ["in", "a", "a2", "b", "sum", "c", "last", "loose"]


def test_through_an_unfolded_group() -> None:
    graph = chain(block("input", shape=(4,)), block("dense"), block("relu"), block("output"))
    edit = MakeGroup(frozenset({"n2", "n3"}))
    group = group_made(graph, edit)
    shown = flatten(Unfold(group, unfolded=True).apply(edit.apply(graph)))
    walked, here = [], "n1"
    while (found := step(shown, here, FORWARD)) is not None:
        walked.append(shown.node(found).block.kind)
        here = found
    assert walked == ["group_input", "dense", "relu", "group_output", "output"]
    inside = step(shown, group, FORWARD)
    assert inside is not None
    assert shown.node(inside).block.kind == "group_input"
    assert step(shown, group, BACK) == "n1"
