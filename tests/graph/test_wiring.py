"""Links as they are drawn: which are possible, and the edits that move and split them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.blocks import registry
from studio.graph import Graph, GraphError, Link, Node
from studio.graph.edits import AddLink
from studio.graph.geometry import NODE_HEIGHT, NODE_WIDTH
from studio.graph.groups import Group, GroupInput, GroupOutput, GroupUse
from studio.graph.paths import flatten
from studio.graph.placement import add, insert_there, nearest_place
from studio.graph.wiring import LinkRules, add_after, add_before, reroute, why_not

KINDS = ("input", "relu", "dense", "add", "output")


def block(kind: str):
    return registry.get(kind)()


def body() -> Graph:
    nodes = (
        Node("a", "a", GroupInput()), Node("b", "b", GroupInput()), Node("r", "r", block("relu"), 0, 64),
        Node("y", "y", GroupOutput(), 0, 128), Node("z", "z", GroupOutput(), 300, 128),
    )  # fmt: skip
    return Graph(nodes, (Link("a", 0, "r", 0), Link("r", 0, "y", 0)))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Some blocks, an unfolded group among them, and links that are allowed."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=2, max_size=6))
    nodes = [Node(f"n{i}", f"node_{i}", block(kind), 300.0 * i, 0.0) for i, kind in enumerate(kinds)]
    if draw(st.booleans()):
        nodes.append(Node("g", "part", GroupUse(Group("k", "Part", body())), 0, 400, unfolded=draw(st.booleans())))
    graph = Graph(tuple(nodes))
    for _ in range(draw(st.integers(0, 10))):
        links = every_link(flatten(graph))
        if links:
            try:
                graph = AddLink(draw(st.sampled_from(links)), replace_existing=True).apply(graph)
            except GraphError:
                continue
    return graph


def every_link(shown: Graph) -> list[Link]:
    ends = [node for node in shown.nodes if not (isinstance(node.block, GroupUse) and node.unfolded)]
    return [
        Link(source.id, output, target.id, number)
        for source in ends
        for output in range(len(source.block.outputs))
        for target in ends
        for number in range(2 if target.block.many_inputs else len(target.block.inputs))
    ]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_rules_say_what_the_edit_would(graph: Graph) -> None:
    shown = flatten(graph)
    for link in every_link(shown):
        allowed = [LinkRules(graph, is_output=is_output).allows(link) for is_output in (True, False)]
        assert allowed == [why_not(graph, link) == ""] * 2, link
        if link not in shown.links:
            assert _refusal(graph, link) == why_not(graph, link)


def _refusal(graph: Graph, link: Link) -> str:
    try:
        AddLink(link, replace_existing=True).apply(graph)
    except GraphError as error:
        return str(error)
    return ""


def test_rules_for_ports_that_are_not_there() -> None:
    graph = Graph((Node("n1", "a", block("input")), Node("n2", "b", block("relu"))))
    rules = LinkRules(graph, is_output=True)
    assert not rules.allows(Link("n1", 0, "n9", 0))
    assert not rules.allows(Link("n1", 1, "n2", 0))


@pytest.fixture
def row() -> Graph:
    nodes = tuple(Node(f"n{i}", f"node_{i}", block(kind), 0.0, 64.0 * i) for i, kind in enumerate(
        ("input", "dense", "relu", "output")))  # fmt: skip
    return Graph(nodes, tuple(Link(f"n{i}", 0, f"n{i + 1}", 0) for i in range(3)))


def test_an_end_moves_also_to_where_only_the_old_link_made_a_circle(row: Graph) -> None:
    moved = reroute(Link("n1", 0, "n2", 0), Link("n2", 0, "n1", 0)).apply(row)
    assert set(moved.links) == {Link("n2", 0, "n1", 0), Link("n2", 0, "n3", 0)}
    taken = reroute(Link("n2", 0, "n3", 0), Link("n1", 0, "n3", 0)).apply(row)
    assert set(taken.links) == {Link("n0", 0, "n1", 0), Link("n1", 0, "n2", 0), Link("n1", 0, "n3", 0)}
    with pytest.raises(GraphError, match="circle"):
        reroute(Link("n2", 0, "n3", 0), Link("n2", 0, "n1", 0)).apply(row)


def test_a_block_that_is_there_is_put_on_a_wire(row: Graph) -> None:
    loose = Node("n9", "loose", block("dense"), 500.0, 0.0)
    graph = Graph((*row.nodes, loose), row.links)
    after = insert_there(graph, Link("n1", 0, "n2", 0), "n9", (120.0, 150.0)).apply(graph).check()
    assert {Link("n1", 0, "n9", 0), Link("n9", 0, "n2", 0)} <= set(after.links)
    assert [node.id for node in after.order] == ["n0", "n1", "n9", "n2", "n3"]
    assert after.node("n9").y > after.node("n1").y
    assert after.node("n2").y >= after.node("n9").y + 64  # made room


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), max_size=12),
    st.tuples(st.integers(-40, 40), st.integers(-40, 40)),
)
def test_a_place_is_free_and_not_far(blocks: list[tuple[int, int]], wanted: tuple[int, int]) -> None:
    nodes = tuple(Node(f"n{i}", f"b_{i}", block("relu"), 16.0 * x, 8.0 * y) for i, (x, y) in enumerate(blocks))
    x, y = nearest_place(Graph(nodes), 16.0 * wanted[0], 8.0 * wanted[1])
    assert all(abs(n.x - x) >= NODE_WIDTH or abs(n.y - y) >= NODE_HEIGHT for n in nodes)
    alone = all(abs(n.x - 16 * wanted[0]) >= NODE_WIDTH or abs(n.y - 8 * wanted[1]) >= NODE_HEIGHT for n in nodes)
    assert ((x, y) == (16.0 * wanted[0], 8.0 * wanted[1])) == alone


def test_a_place_beside_is_taken_rather_than_one_far_to_the_right() -> None:
    wall = tuple(Node(f"n{i}", f"b_{i}", block("relu"), 288.0 * i, 0.0) for i in range(5))
    assert nearest_place(Graph(wall), -40.0, 16.0) == (-40.0, 64.0)
    assert nearest_place(Graph(wall), -230.0, 16.0) == (-264.0, 16.0)
    assert add(Graph(wall), block("gelu"), -230.0 + NODE_WIDTH / 2, 16.0 + NODE_HEIGHT / 2).node.x < -230.0


def test_a_new_block_at_a_port(row: Graph) -> None:
    after = add_after(row, block("gelu"), "n1", 0, (600.0, 100.0))
    graph = after.edit.apply(row).check()
    assert Link("n1", 0, after.node.id, 0) in graph.links
    assert Link("n1", 0, "n2", 0) in graph.links
    before = add_before(row, block("gelu"), "n2", 0, (600.0, 100.0))
    graph = before.edit.apply(row).check()
    assert graph.links_into("n2") == (Link(before.node.id, 0, "n2", 0),)


def test_a_new_block_stands_on_the_side_of_the_port_from_which_the_wire_comes() -> None:
    nodes = (Node("g", "part", GroupUse(Group("k", "Part", body())), unfolded=True),)
    graph = Graph(nodes)
    shown = flatten(graph)
    outside = add_after(shown, block("gelu"), "g/y", 0, (900.0, 100.0))
    assert outside.edit.apply(graph).links == (Link("g", 0, outside.node.id, 0),)
    inside = add_after(shown, block("gelu"), "g/b", 0, (100.0, 100.0))
    assert inside.node.id.startswith("g/")
    inner = flatten(inside.edit.apply(graph))
    assert Link("g/b", 0, inside.node.id, 0) in inner.links
    entering = add_before(shown, block("input"), "g/a", 0, (900.0, 100.0))
    assert entering.edit.apply(graph).links == (Link(entering.node.id, 0, "g", 0),)
