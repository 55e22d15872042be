"""Blocks are aligned, spread and laid out without covering each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.graph import Graph, Link, Node
from studio.graph.arrange import _one_place_each, align, distribute, layered
from studio.graph.edits import Move
from studio.graph.geometry import GRID, NODE_HEIGHT, NODE_WIDTH, extent, size_of
from studio.graph.group_edits import MakeGroup, Unfold, group_made
from studio.graph.paths import flatten
from studio.project import read_template, templates
from tests.helpers import block, chain


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to 14 Adds, all at one place."""
    count = draw(st.integers(1, 14))
    nodes = tuple(Node(f"n{i}", f"add_{i}", block("add")) for i in range(count))
    pairs = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=25))
    links, ports = [], [0] * count
    for source, target in sorted(pairs):
        if source < target:
            links.append(Link(f"n{source}", 0, f"n{target}", ports[target]))
            ports[target] += 1
    return Graph(nodes, tuple(links)).check()


def overlapping(graph: Graph) -> list[tuple[str, str]]:
    pairs = []
    for i, a in enumerate(graph.nodes):
        for b in graph.nodes[i + 1 :]:
            (aw, ah), (bw, bh) = size_of(a), size_of(b)
            if a.x < b.x + bw and b.x < a.x + aw and a.y < b.y + bh and b.y < a.y + ah:
                pairs.append((a.id, b.id))
    return pairs


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_wires_lead_down_and_nothing_is_covered(graph: Graph) -> None:
    after = layered(graph).apply(graph)
    assert overlapping(after) == []
    if len(graph.nodes) <= 10:
        assert all(after.node(k.source).y < after.node(k.target).y for k in after.links)
    assert all(node.x % GRID == 0 and node.y % GRID == 0 for node in after.nodes)
    assert layered(after).apply(after) == after


@pytest.mark.parametrize("template", [t.name for t in templates()])
def test_a_template_laid_out_has_short_columns(template: str) -> None:
    graph = read_template(template).graph
    after = layered(graph).apply(graph)
    assert overlapping(after) == []
    assert max(node.y for node in after.nodes) < 11 * 64


def test_an_unfolded_group_gets_the_room_it_needs() -> None:
    graph = chain(block("input", shape=(4,)), block("dense"), block("relu"), block("dense"), block("output"))
    edit = MakeGroup(frozenset({"n2", "n3"}))
    path = group_made(graph, edit)
    graph = Unfold(path, unfolded=True).apply(edit.apply(graph))
    after = layered(graph).apply(graph)
    assert overlapping(after) == []
    inside = layered(after, path).apply(after)
    inner = Graph(tuple(node for node in flatten(inside).nodes if node.id.startswith(f"{path}/")))
    assert overlapping(inner) == []
    assert [node.y for node in after.nodes] == sorted(node.y for node in after.nodes)


def three() -> Graph:
    graph = chain(block("relu"), block("tanh"), block("gelu"))
    return Move((("n1", 0.0, 0.0), ("n2", 100.0, 50.0), ("n3", 600.0, 400.0))).apply(graph)


@pytest.mark.parametrize(
    ("edge", "xs", "ys"),
    [
        ("left", [0, 0, 0], [0, 50, 400]), ("right", [600, 600, 600], [0, 50, 400]),
        ("centre", [300, 300, 300], [0, 50, 400]), ("top", [0, 100, 600], [0, 0, 0]),
        ("middle", [0, 100, 600], [200, 200, 200]), ("bottom", [0, 100, 600], [400, 400, 400]),
    ],
)  # fmt: skip
def test_edges_are_aligned(edge: str, xs: list[float], ys: list[float]) -> None:
    after = align(three(), ["n1", "n2", "n3"], edge).apply(three())
    assert [node.x for node in after.nodes] == xs
    assert [node.y for node in after.nodes] == ys


def test_gaps_become_equal() -> None:
    across = distribute(three(), ["n3", "n1", "n2"], "horizontally").apply(three())
    assert [node.x for node in across.nodes] == [0, 300, 600]
    down = distribute(three(), ["n1", "n2", "n3"], "vertically").apply(three())
    assert [node.y for node in down.nodes] == [0, 200, 400]
    assert (NODE_WIDTH, NODE_HEIGHT) == (240, 44)


def crossed(names: str) -> Graph:
    """Three Inputs, added in the order of the names, that a Concatenate joins in alphabetical order."""
    nodes = [Node(i, i, block("input", shape=(4,))) for i in names]
    links = tuple(Link(i, 0, "join", port) for port, i in enumerate(sorted(names)))
    return Graph((*nodes, Node("join", "join", block("concatenate"))), links).check()


@pytest.mark.parametrize("names", ["abc", "cba"])
def test_what_feeds_a_block_stands_in_the_order_of_its_inputs(names: str) -> None:
    graph = crossed(names)
    after = layered(graph).apply(graph)
    assert sorted("abc", key=lambda i: after.node(i).x) == ["a", "b", "c"]


def test_a_very_long_chain_is_about_as_wide_as_high() -> None:
    graph = chain(*[block("relu") for _ in range(400)])
    after = layered(graph).apply(graph)
    left, top, right, bottom = extent(after)
    assert 0.5 < (right - left) / (bottom - top) < 2


def test_what_is_left_out_is_not_covered() -> None:
    graph = chain(*[block("relu") for _ in range(6)])
    graph = Move(tuple((f"n{i}", 0.0, 70.0 * i) for i in range(1, 7))).apply(graph)
    chosen = frozenset({"n1", "n2", "n3"})
    graph = Move((("n1", 0.0, 300.0),)).apply(graph)
    after = layered(graph, ids=chosen).apply(graph)
    assert overlapping(after) == []
    assert layered(after, ids=chosen).apply(after) == after
    assert all(after.node(i) == graph.node(i) for i in ("n4", "n5", "n6"))


def test_only_the_chosen_blocks_are_laid_out() -> None:
    graph = chain(block("relu"), block("tanh"), block("gelu"))
    after = layered(graph, ids=frozenset({"n2", "n3"})).apply(graph)
    assert (after.node("n1").x, after.node("n1").y) == (0, 0)
    assert after.node("n2").y < after.node("n3").y


def test_the_same_graph_is_laid_out_the_same_each_time() -> None:
    """The library names a place on the wire from n2 to n7 as it names n7, now before and now after it."""
    links = ((0, 3, 0), (2, 5, 0), (2, 7, 0), (4, 5, 1), (5, 6, 0), (6, 7, 1))
    nodes = tuple(Node(f"n{i}", f"add_{i}", block("add")) for i in range(8))
    graph = Graph(nodes, tuple(Link(f"n{a}", 0, f"n{b}", port) for a, b, port in links))
    layouts = {layered(graph).positions for _ in range(50)}
    assert len(layouts) == 1
    places = {path: y for path, _, y in layouts.pop()}
    assert places["n7"] > places["n6"] > places["n5"]


def test_of_two_places_a_block_gets_the_one_below_what_feeds_it() -> None:
    """The first place of b lies on the wire from a, above c, which feeds b too."""
    places = [("a", 0.0, 3.0), ("c", 1.0, 1.0), ("b", 0.0, 2.0), ("b", 0.5, 0.0), ("d", 1.0, -1.0), ("d", 2.0, 0.0)]
    found = _one_place_each(places, [("a", "b"), ("c", "b"), ("b", "d")])
    assert found == {"a": (0.0, 3.0), "c": (1.0, 1.0), "b": (0.5, 0.0), "d": (1.0, -1.0)}
