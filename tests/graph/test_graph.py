"""Graphs are consistent whatever is done to them, and refuse the rest in plain words."""

from __future__ import annotations

import random

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.graph import (
    BadLinkError,
    BadNameError,
    CycleError,
    DuplicateError,
    Graph,
    GraphError,
    Link,
    Node,
    UnknownNodeError,
)
from studio.graph.edits import (
    AddLink,
    AddNode,
    Edit,
    Move,
    Remove,
    Rename,
    SetBlock,
    Several,
    append_after,
    insert_on,
    new_node,
)  # fmt: skip
from tests.helpers import block, chain, link

KINDS = ("input", "dense", "relu", "add", "concatenate", "output", "flatten")


def diamond() -> Graph:
    """n1 -> n2 -> n3 (Add) and n1 -> n3."""
    return link(chain(block("input", shape=(4,)), block("dense", units=4), block("add")), "n1", "n3")


def test_order_puts_sources_first() -> None:
    graph = diamond()
    late = AddNode(new_node(graph, block("relu"))).apply(graph)
    rewired = AddLink(Link("n4", 0, "n3", 2)).apply(late)
    position = {node.id: i for i, node in enumerate(rewired.order)}
    assert all(position[k.source] < position[k.target] for k in rewired.links)
    assert len(rewired.order) == 4


def test_links_are_found_by_their_ends() -> None:
    graph = diamond()
    assert [k.source for k in graph.links_into("n3")] == ["n2", "n1"]
    assert [k.target for k in graph.links_out_of("n1")] == ["n2", "n3"]
    assert graph.free_input("n3") == 2
    assert graph.free_input("n2") is None
    assert [n.id for n in graph.inputs] == ["n1"]
    assert graph.outputs == ()


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (AddLink(Link("n3", 0, "n1", 0)), BadLinkError, "has no input number 0"),
        (AddLink(Link("n3", 0, "n2", 0)), BadLinkError, "is taken"),
        (AddLink(Link("n3", 0, "n3", 2)), CycleError, "cannot feed itself"),
        (AddLink(Link("n3", 0, "n2", 0), replace_existing=True), CycleError, "go in a circle"),
        (AddLink(Link("n1", 1, "n3", 2)), BadLinkError, "has no output number 1"),
        (AddLink(Link("n1", 0, "n3", 64)), BadLinkError, "has no input number 64"),
        (AddLink(Link("n9", 0, "n3", 2)), UnknownNodeError, "no block with the id “n9”"),
        (AddLink(Link("n1", 0, "n2", 0)), BadLinkError, "linked already"),
        (AddNode(Node("n1", "fresh", block("relu"))), DuplicateError, "the id “n1”"),
        (AddNode(Node("n9", "dense_1", block("relu"))), DuplicateError, "named “dense_1”"),
        (AddNode(Node("n9", "class", block("relu"))), BadNameError, "reserves"),
        (AddNode(Node("n 9", "fresh", block("relu"))), BadNameError, "block's id"),
        (AddNode(Node("n9", "fresh", block("relu"), float("nan"), 0)), GraphError, "cannot stand at"),
        (Move((("n1", 1e9, 0),)), GraphError, "cannot stand at"),
        (Remove(frozenset({"n9"})), UnknownNodeError, "n9"),
        (Remove(links=frozenset({Link("n2", 0, "n1", 0)})), BadLinkError, "no such link"),
        (Rename("n2", "forward"), BadNameError, "PyTorch uses it"),
        (Rename("n2", "add_1"), DuplicateError, "named “add_1”"),
        (SetBlock("n2", block("output")), BadLinkError, "has no output"),
        (Several((Rename("n2", "ok"), Rename("n9", "x"))), UnknownNodeError, "n9"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(edit: Edit, error: type[Exception], message: str) -> None:
    graph = diamond()
    with pytest.raises(error, match=message):
        edit.apply(graph)
    assert graph == diamond()


def test_a_link_can_take_the_place_of_another() -> None:
    graph = diamond()
    graph = AddNode(new_node(graph, block("input", shape=(4,)))).apply(graph)
    changed = AddLink(Link("n4", 0, "n2", 0), replace_existing=True).apply(graph)
    assert [k.source for k in changed.links_into("n2")] == ["n4"]


def test_removing_a_node_takes_its_links() -> None:
    changed = Remove(frozenset({"n2"})).apply(diamond())
    assert changed.links == (Link("n1", 0, "n3", 1),)


def test_inserting_on_a_wire_keeps_both_ends() -> None:
    graph = diamond()
    node = new_node(graph, block("relu"))
    changed = insert_on(graph, Link("n2", 0, "n3", 0), node).apply(graph)
    assert {(k.source, k.target, k.input) for k in changed.links} == {
        ("n1", "n2", 0),
        ("n1", "n3", 1),
        ("n2", "n4", 0),
        ("n4", "n3", 0),
    }
    with pytest.raises(BadLinkError):
        insert_on(graph, Link("n2", 0, "n3", 0), new_node(graph, block("output")))


def test_append_links_only_what_has_ports() -> None:
    graph = chain(block("input"))
    second = new_node(graph, block("input"))
    assert append_after(graph, "n1", second).apply(graph).links == ()


def test_check_finds_what_a_file_could_hold() -> None:
    a, b = Node("a", "first", block("dense")), Node("b", "second", block("dense"))
    for graph, message in (
        (Graph((a, a)), "two|Two"),
        (Graph((a, Node("b", "first", block("relu")))), "name “first”"),
        (Graph((a, b), (Link("a", 0, "b", 0), Link("b", 0, "a", 0))), "in a circle: "),
        (Graph((a, b), (Link("a", 0, "b", 0), Link("a", 0, "b", 0))), "same input"),
        (Graph((a,), (Link("a", 0, "z", 0),)), "id “z”"),
    ):
        with pytest.raises(GraphError, match=message):
            graph.check()


def test_a_long_circle_is_told_shortly() -> None:
    nodes = tuple(Node(f"n{i}", f"a{i}", block("relu")) for i in range(500))
    circle = Graph(nodes, tuple(Link(f"n{i}", 0, f"n{(i + 1) % 500}", 0) for i in range(500)))
    with pytest.raises(CycleError, match="→ … →") as caught:
        circle.check()
    assert len(str(caught.value)) < 200


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_link_is_refused_as_a_cycle_exactly_if_it_closes_one(seed: int) -> None:
    rng, theirs, graph = random.Random(seed), networkx.DiGraph(), Graph()
    for _ in range(6):
        graph = AddNode(new_node(graph, block("concatenate"))).apply(graph)
    theirs.add_nodes_from(graph.by_id)
    for _ in range(25):
        source, target = rng.choice(list(graph.by_id)), rng.choice(list(graph.by_id))
        closes_one = networkx.has_path(theirs, target, source)
        try:
            graph = link(graph, source, target)
        except CycleError:
            assert closes_one
        else:
            assert not closes_one
            theirs.add_edge(source, target)


def random_edit(graph: Graph, rng: random.Random) -> Edit:
    ids = list(graph.by_id) or ["none"]
    pick = lambda: rng.choice(ids)  # noqa: E731
    return rng.choice(
        [
            lambda: AddNode(new_node(graph, block(rng.choice(KINDS)), rng.uniform(-9, 9), 0.0)),
            lambda: AddLink(Link(pick(), 0, pick(), rng.randrange(3)), rng.random() < 0.3),
            lambda: AddLink(Link(pick(), 0, pick(), rng.randrange(3)), rng.random() < 0.3),
            lambda: Remove(frozenset({pick()})),
            lambda: Rename(pick(), rng.choice(["alpha", "beta", "class", "x" * 70])),
            lambda: Move(((pick(), rng.uniform(-9, 9), 1.0),)),
            lambda: SetBlock(pick(), block(rng.choice(KINDS))),
            lambda: append_after(graph, pick() if graph.nodes else None, new_node(graph, block(rng.choice(KINDS)))),
        ]
    )()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_random_histories_stay_consistent_and_acyclic(seed: int) -> None:
    rng, graph, history = random.Random(seed), Graph(), [Graph()]
    for _ in range(40):
        try:
            graph = random_edit(graph, rng).apply(graph)
        except GraphError:
            continue
        graph.check()
        history.append(graph)
    theirs = networkx.DiGraph()
    theirs.add_nodes_from(graph.by_id)
    theirs.add_edges_from((k.source, k.target) for k in graph.links)
    assert networkx.is_directed_acyclic_graph(theirs)
    assert history[0] == Graph()
