"""New blocks and copies find their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studio.blocks import Block, registry
from studio.graph import BadLinkError, Graph, Link, Node, placement
from studio.graph.copies import duplicate
from studio.graph.edits import AddLink
from studio.graph.geometry import COLUMN, GRID, NODE_HEIGHT, NODE_WIDTH, PITCH

Chain = Callable[..., Graph]


def block(kind: str, **fields: object) -> Block:
    return registry.get(kind)(**fields)


@pytest.fixture
def chain() -> Chain:
    """Makes a graph of blocks in a row, from top to bottom: chain(Input(), Dense()) has the nodes n1 and n2."""

    def make(*blocks: Block) -> Graph:
        nodes = [Node(f"n{i}", f"{b.kind}_{i}", b, 0.0, 64.0 * i) for i, b in enumerate(blocks, start=1)]
        links = [Link(f"n{i}", 0, f"n{i + 1}", 0) for i in range(1, len(blocks))]
        return Graph(tuple(nodes), tuple(links)).check()

    return make


@pytest.fixture
def network(chain: Chain) -> Graph:
    return chain(block("input"), block("flatten"), block("dense"), block("output"))


def overlapping(graph: Graph) -> list[tuple[str, str]]:
    nodes = graph.nodes
    return [
        (a.id, b.id)
        for i, a in enumerate(nodes)
        for b in nodes[i + 1 :]
        if abs(a.x - b.x) < NODE_WIDTH and abs(a.y - b.y) < NODE_HEIGHT
    ]


def test_appended_to_nothing_it_stands_near_the_given_point() -> None:
    placed = placement.append(Graph(), None, block("relu"), (100.0, 200.0))
    assert abs(placed.node.x + NODE_WIDTH / 2 - 100) <= GRID
    assert abs(placed.node.y + NODE_HEIGHT / 2 - 200) <= GRID
    assert placed.edit.apply(Graph()).links == ()


def test_appended_without_a_selection_it_follows_the_last_open_end(chain: Chain) -> None:
    graph = chain(block("input"), block("flatten"))
    placed = placement.append(graph, None, block("dense"))
    after = placed.edit.apply(graph)
    assert after.links[-1] == Link("n2", 0, placed.node.id, 0)
    assert (placed.node.x, placed.node.y) == (0.0, graph.node("n2").y + PITCH)


def test_appended_to_a_block_in_the_middle_it_is_inserted_and_the_rest_makes_room(network: Graph) -> None:
    placed = placement.append(network, "n2", block("relu"))
    after = placed.edit.apply(network)
    assert set(after.links) >= {Link("n2", 0, placed.node.id, 0), Link(placed.node.id, 0, "n3", 0)}
    assert Link("n2", 0, "n3", 0) not in after.links
    assert [after.node(i).y - network.node(i).y for i in ("n1", "n2", "n3", "n4")] == [0, 0, PITCH, PITCH]
    assert overlapping(after) == []


def test_appended_to_an_output_it_comes_before_it(network: Graph) -> None:
    placed = placement.append(network, "n4", block("relu"))
    links = placed.edit.apply(network).links
    assert {Link("n3", 0, placed.node.id, 0), Link(placed.node.id, 0, "n4", 0)} <= set(links)


def test_a_block_without_inputs_is_added_unlinked_and_covers_nothing(network: Graph) -> None:
    placed = placement.append(network, "n2", block("input"))
    after = placed.edit.apply(network)
    assert after.links == network.links
    assert overlapping(after) == []


def test_at_a_fork_it_becomes_another_branch(network: Graph) -> None:
    forked = placement.append(network, "n2", block("output")).edit.apply(network)
    placed = placement.append(forked, "n2", block("relu"))
    after = placed.edit.apply(forked)
    assert len(after.links_out_of("n2")) == 3
    assert overlapping(after) == []


def test_inserted_in_a_wide_gap_nothing_moves(chain: Chain) -> None:
    graph = chain(block("input"), block("relu"))
    far = Graph((graph.nodes[0], Node("n2", "relu_2", block("relu"), 0.0, 400.0)), graph.links)
    placed = placement.insert(far, far.links[0], block("tanh"), (110.0, 200.0))
    after = placed.edit.apply(far)
    assert after.node("n2").y == 400.0
    assert placed.node.x == 0.0  # in line with its neighbours


def test_inserting_leaves_other_columns_alone(network: Graph) -> None:
    beside = Graph(
        (*network.nodes[:3], Node("n4", "output_4", block("output"), COLUMN, network.nodes[3].y)), network.links
    )
    after = placement.append(beside, "n2", block("relu")).edit.apply(beside)
    assert after.node("n3").y == beside.node("n3").y + PITCH
    assert after.node("n4").y == beside.node("n4").y


def test_a_block_that_cannot_carry_a_wire_is_not_inserted(network: Graph) -> None:
    with pytest.raises(BadLinkError, match="no input"):
        placement.insert(network, network.links[0], block("input"))


def test_copies_take_the_links_between_them_and_stand_beside(network: Graph) -> None:
    edit, copies = duplicate(network, ["n2", "n3"])
    after = edit.apply(network).check()
    assert len(after.links) == len(network.links) + 1
    assert after.links[-1] == Link(copies[0], 0, copies[1], 0)
    assert after.node(copies[1]).block == network.node("n3").block
    assert overlapping(after) == []


def test_copies_of_a_join_keep_its_ports(network: Graph) -> None:
    joined = placement.append(network, "n2", block("add")).edit.apply(network)
    add_id = joined.nodes[-1].id
    graph = AddLink(Link("n2", 0, add_id, 1)).apply(joined)
    edit, copies = duplicate(graph, ["n2", add_id])
    after = edit.apply(graph).check()
    assert [link.input for link in after.links_into(copies[1])] == [0, 1]
