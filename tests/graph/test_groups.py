"""Groups: made, opened, linked, detached, taken apart; and refused where they make no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.blocks import Block
from studio.graph import BadLinkError, CycleError, DuplicateError, Graph, GraphError, Link, Node
from studio.graph.copies import duplicate, fragment_of, paste
from studio.graph.edits import (
    AddLink,
    AddNode,
    AddNote,
    Dissolve,
    Move,
    Remove,
    Rename,
    SetBlock,
    SetBypassed,
    SetNote,
    SetRepeat,
)
from studio.graph.errors import BadNameError, GroupError
from studio.graph.geometry import FRAME_MARGIN, FRAME_TOP, size_of
from studio.graph.group_edits import Detach, Expose, Hide, MakeGroup, RenameGroup, Unfold, Ungroup, group_made
from studio.graph.groups import Group, GroupInput, GroupUse, check_graph, definitions
from studio.graph.model import Note
from studio.graph.paths import find, flatten
from studio.graph.placement import insert, scope_at
from tests.helpers import add, block, chain, link


def network() -> Graph:
    """n1 Input -> n2 Dense -> n3 ReLU -> n4 Dense -> n5 Output, one below the other."""
    graph = chain(block("input", shape=(4,)), block("dense", units=4), block("relu"), block("dense"), block("output"))
    return Move(tuple((node.id, 0.0, 64.0 * i) for i, node in enumerate(graph.nodes))).apply(graph)


def grouped(graph: Graph, *ids: str, name: str = "") -> tuple[Graph, str]:
    edit = MakeGroup(frozenset(ids), name)
    return edit.apply(graph), group_made(graph, edit)


def use(graph: Graph, path: str) -> GroupUse:
    found = find(graph, path).block
    assert isinstance(found, GroupUse)
    return found


def inner_block(graph: Graph, path: str) -> Block:
    return find(graph, path).block


def test_a_group_takes_the_place_of_its_blocks() -> None:
    graph, group = grouped(network(), "n2", "n3", name="Hidden")
    assert [node.id for node in graph.nodes] == ["n1", group, "n4", "n5"]
    assert set(graph.links) == {Link("n1", 0, group, 0), Link(group, 0, "n4", 0), Link("n4", 0, "n5", 0)}
    body = use(graph, group).definition.body
    assert [node.block.kind for node in body.nodes] == ["dense", "relu", "group_input", "group_output"]
    assert [(k.source, k.target) for k in body.links] == [("n2", "n3"), ("n4", "n2"), ("n3", "n5")]
    assert check_graph(graph) is graph


def test_ungrouping_undoes_it_but_for_ids() -> None:
    before = network()
    graph, group = grouped(before, "n2", "n3")
    after = Ungroup(group).apply(graph)
    assert [(n.name, n.block) for n in after.nodes] == [(n.name, n.block) for n in before.nodes]
    names = {node.id: node.name for node in (*before.nodes, *after.nodes)}
    assert {(names[k.source], names[k.target]) for k in after.links} == {
        (names[k.source], names[k.target]) for k in before.links
    }


def test_one_tensor_for_several_blocks_enters_once() -> None:
    graph = add(network(), block("relu"), "n1")  # n6
    graph, group = grouped(graph, "n2", "n6")
    assert use(graph, group).inputs == ("input_1",)
    assert use(graph, group).outputs == ("output_1", "output_2")  # the second leads nowhere yet


def test_open_ends_of_blocks_become_ports() -> None:
    graph = AddNode(Node("n9", "add_1", block("add"))).apply(Graph())
    graph, group = grouped(graph, "n9")
    assert (len(use(graph, group).inputs), len(use(graph, group).outputs)) == (1, 1)


def test_a_group_that_data_leaves_and_enters_again_is_refused() -> None:
    with pytest.raises(GroupError, match="come back"):
        MakeGroup(frozenset({"n2", "n4"})).apply(network())


@pytest.mark.parametrize("ids", [{"n1", "n2"}, {"n4", "n5"}])
def test_the_ends_of_the_network_stay_outside(ids: set[str]) -> None:
    with pytest.raises(GroupError, match="stands outside"):
        MakeGroup(frozenset(ids)).apply(network())


@pytest.mark.parametrize("name", ["__import__('os')", "torch", "class", "int", "_x", "9", "x" * 10_000, "a b", "数"])
def test_hostile_class_names_are_refused(name: str) -> None:
    with pytest.raises(BadNameError):
        MakeGroup(frozenset({"n2"}), name).apply(network())
    graph, group = grouped(network(), "n2")
    with pytest.raises(BadNameError):
        RenameGroup(group, name).apply(graph)


def test_two_groups_have_two_names() -> None:
    graph, _ = grouped(network(), "n2", name="A")
    with pytest.raises(DuplicateError):
        MakeGroup(frozenset({"n3"}), "A").apply(graph)


def test_linked_groups_change_together_until_one_is_detached() -> None:
    graph, first = grouped(network(), "n2", "n3")
    edit, (second,) = duplicate(graph, [first])
    graph = edit.apply(graph)
    changed = SetBlock(f"{second}/n2", block("dense", units=9)).apply(graph)
    assert inner_block(changed, f"{first}/n2") == block("dense", units=9)
    apart = Detach(second).apply(graph)
    assert len(definitions(apart)) == 2
    changed = SetBlock(f"{second}/n2", block("dense", units=9)).apply(apart)
    assert inner_block(changed, f"{first}/n2") == block("dense", units=4)
    assert inner_block(changed, f"{second}/n2") == block("dense", units=9)


def test_what_is_removed_from_one_is_removed_from_all_linked() -> None:
    graph, first = grouped(network(), "n2", "n3")
    edit, (second,) = duplicate(graph, [first])
    graph = edit.apply(graph)
    both = Remove(frozenset({f"{first}/n3", f"{second}/n3"})).apply(graph)
    assert "n3" not in use(both, first).body.by_id
    assert use(both, first).definition == use(both, second).definition


def test_links_at_a_removed_port_go_and_the_others_follow_theirs() -> None:
    graph = add(add(network(), block("add"), "n2", "n1"), block("relu"), "n1")  # n6 = n2 + n1, n7
    graph = link(AddNode(Node("n8", "add_9", block("add"))).apply(graph), "n7", "n8")
    graph = link(graph, "n6", "n8")
    graph, group = grouped(graph, "n8")
    entries = use(graph, group).definition.entries
    assert [k.input for k in graph.links_into(group)] == [0, 1]
    source = next(k.source for k in graph.links_into(group) if k.input == 1)
    after = Remove(frozenset({f"{group}/{entries[0].id}"})).apply(graph)
    assert [(k.source, k.input) for k in after.links_into(group)] == [(source, 0)]


def test_an_exposed_setting_belongs_to_the_use() -> None:
    graph, first = grouped(network(), "n2", "n3")
    graph = Expose(f"{first}/n2", "units", "width").apply(graph)
    edit, (second,) = duplicate(graph, [first])
    graph = edit.apply(graph)
    graph = SetBlock(second, use(graph, second).with_value("width", 32)).apply(graph)
    assert inner_block(graph, f"{first}/n2") == block("dense", units=4)
    assert inner_block(graph, f"{second}/n2") == block("dense", units=32)
    # The same by editing the block inside; a setting that is not exposed changes in both.
    graph = SetBlock(f"{second}/n2", block("dense", units=64, bias=False)).apply(graph)
    assert inner_block(graph, f"{first}/n2") == block("dense", units=4, bias=False)
    assert inner_block(graph, f"{second}/n2") == block("dense", units=64, bias=False)
    hidden = Hide(first, "width").apply(graph)
    assert inner_block(hidden, f"{second}/n2") == block("dense", units=4, bias=False)
    assert check_graph(hidden) is hidden


def test_settings_of_one_name_share_a_value() -> None:
    graph = chain(block("dense", units=4), block("relu"), block("dense", units=7))
    graph, group = grouped(graph, "n1", "n2", "n3")
    graph = Expose(f"{group}/n3", "units", "width").apply(Expose(f"{group}/n1", "units", "width").apply(graph))
    graph = SetBlock(group, use(graph, group).with_value("width", 32)).apply(graph)
    assert inner_block(graph, f"{group}/n1") == inner_block(graph, f"{group}/n3") == block("dense", units=32)
    with pytest.raises(GroupError, match="already"):
        Expose(f"{group}/n1", "units", "other").apply(graph)
    with pytest.raises(GroupError, match="no setting"):
        Expose(f"{group}/n1", "__class__", "other").apply(graph)


def test_removing_a_block_forgets_what_it_exposed() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = Expose(f"{group}/n2", "units", "width").apply(graph)
    graph = SetBlock(group, use(graph, group).with_value("width", 32)).apply(graph)
    graph = Remove(frozenset({f"{group}/n2"})).apply(graph)
    assert use(graph, group) == GroupUse(use(graph, group).definition)
    assert use(graph, group).definition.exposed == ()


def test_a_group_in_itself_is_refused() -> None:
    graph, group = grouped(network(), "n2", "n3")
    node = replace(graph.node(group), id=f"{group}/n77", name="inside")
    with pytest.raises(GroupError, match="contain itself"):
        AddNode(node).apply(graph)


def test_another_group_under_a_key_in_use_is_refused() -> None:
    graph, group = grouped(network(), "n2", "n3")
    other = GroupUse(Group(use(graph, group).definition.key, "Other", Graph()))
    with pytest.raises(GroupError, match="linked"):
        AddNode(Node("n77", "other", other)).apply(graph)


def test_ports_stand_in_groups_and_ends_do_not() -> None:
    graph, group = grouped(network(), "n2", "n3")
    with pytest.raises(GroupError, match="only inside"):
        AddNode(Node("n77", "port", GroupInput())).apply(graph)
    with pytest.raises(GroupError, match="stands outside"):
        AddNode(Node(f"{group}/n77", "end", block("output"))).apply(graph)
    more = AddNode(Node(f"{group}/n77", "second", GroupInput())).apply(graph)
    assert use(more, group).inputs == ("input_1", "second")


def test_blocks_in_an_unfolded_group_stand_in_its_frame() -> None:
    graph, group = grouped(network(), "n2", "n3")
    below = graph.node("n4").y
    graph = Unfold(group, unfolded=True).apply(graph)
    shown = flatten(graph)
    frame = shown.node(group)
    inner = [node for node in shown.nodes if node.id.startswith(f"{group}/")]
    width, height = size_of(frame)
    assert {min(n.x for n in inner), frame.x + FRAME_MARGIN} == {frame.x + FRAME_MARGIN}
    assert min(n.y for n in inner) == frame.y + FRAME_TOP
    assert all(n.x + 240 + FRAME_MARGIN <= frame.x + width and n.y + 44 <= frame.y + height for n in inner)
    assert shown.node("n4").y == below + height - 44  # made room
    assert Unfold(group, unfolded=False).apply(graph).node("n4").y == below
    assert scope_at(shown, frame.x + 1, frame.y + 1) == group
    assert scope_at(shown, frame.x - 1, frame.y) == ""


def test_what_is_not_moved_stays_where_it_is_shown() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = Unfold(group, unfolded=True).apply(graph)
    before = flatten(graph)
    entry = next(n for n in before.nodes if isinstance(n.block, GroupInput))
    after = flatten(Move(((entry.id, entry.x - 80, entry.y - 160),)).apply(graph))
    assert (after.node(entry.id).x, after.node(entry.id).y) == (entry.x - 80, entry.y - 160)
    still = f"{group}/n3"
    assert (after.node(still).x, after.node(still).y) == (before.node(still).x, before.node(still).y)


def test_a_moved_frame_takes_its_blocks_along_once() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = Unfold(group, unfolded=True).apply(graph)
    before = flatten(graph)
    everything = tuple((n.id, n.x + 80, n.y) for n in before.nodes)
    after = flatten(Move(everything).apply(graph))
    assert [(n.id, n.x, n.y) for n in after.nodes] == list(everything)


def test_links_on_the_canvas_are_stored_where_they_belong() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = Unfold(group, unfolded=True).apply(graph)
    shown = flatten(graph)
    (entry,), (leaving,) = use(graph, group).definition.entries, use(graph, group).definition.exits
    assert {Link("n1", 0, f"{group}/{entry.id}", 0), Link(f"{group}/{leaving.id}", 0, "n4", 0)} <= set(shown.links)
    cut = Remove(links=frozenset(shown.links)).apply(graph)
    assert flatten(cut).links == ()
    assert cut.links == ()
    for wire in shown.links:
        cut = AddLink(wire).apply(cut)
    assert set(flatten(cut).links) == set(shown.links)
    with pytest.raises(BadLinkError, match="group input"):
        AddLink(Link("n1", 0, f"{group}/n3", 0), replace_existing=True).apply(graph)
    with pytest.raises(BadLinkError, match="group output"):
        AddLink(Link(f"{group}/n2", 0, "n4", 0), replace_existing=True).apply(graph)
    with pytest.raises(CycleError):
        AddLink(Link("n4", 0, f"{group}/{entry.id}", 0), replace_existing=True).apply(graph)


def test_a_block_is_inserted_on_a_wire_inside() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = Unfold(group, unfolded=True).apply(graph)
    wire = Link(f"{group}/n2", 0, f"{group}/n3", 0)
    placed = insert(flatten(graph), wire, block("tanh"))
    after = placed.edit.apply(graph)
    assert inner_block(after, placed.node.id) == block("tanh")
    assert placed.node.id.startswith(f"{group}/")
    assert [k.target for k in use(after, group).body.links_out_of("n2")] == [placed.node.id.rpartition("/")[2]]


def test_dissolving_inside_links_the_neighbours() -> None:
    graph, group = grouped(network(), "n2", "n3")
    after = Dissolve(frozenset({f"{group}/n3"})).apply(graph)
    (leaving,) = use(after, group).definition.exits
    assert Link("n2", 0, leaving.id, 0) in use(after, group).body.links


def test_names_are_unique_in_each_group_alone() -> None:
    graph, group = grouped(network(), "n2", "n3")
    after = Rename(f"{group}/n2", "dense_2").apply(graph)  # as n4 outside
    assert check_graph(after) is after
    with pytest.raises(DuplicateError):
        Rename(f"{group}/n2", "relu_1").apply(after)


@pytest.mark.parametrize("times", [0, -1, 10**9])
def test_repetitions_are_limited(times: int) -> None:
    with pytest.raises(GroupError, match="1 to 1,000"):
        SetRepeat("n2", times).apply(network())


@pytest.mark.parametrize("node_id", ["n1", "n5"])
def test_only_what_data_passes_through_can_be_repeated_or_bypassed(node_id: str) -> None:
    with pytest.raises(GroupError, match="cannot be repeated"):
        SetRepeat(node_id, 2).apply(network())
    with pytest.raises(GroupError, match="cannot be bypassed"):
        SetBypassed(frozenset({node_id}), bypassed=True).apply(network())


def test_too_many_blocks_are_refused_without_counting_them_one_by_one() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph, outer = grouped(SetRepeat(group, 1000).apply(graph), group)
    with pytest.raises(GroupError, match="blocks; 100,000 are possible"):
        SetRepeat(outer, 1000).apply(graph)


def test_a_fragment_keeps_links_groups_and_notes() -> None:
    graph, group = grouped(network(), "n2", "n3")
    graph = AddNote(Note("t1", "why", 300, 0)).apply(graph)
    fragment = fragment_of(graph, [group, "n4", "t1"])
    assert [(k.source, k.target) for k in fragment.links] == [("n1", "n2")]
    edit, new = paste(graph, fragment, "", (400, 0))
    after = edit.apply(graph)
    assert check_graph(after) is after
    assert len(new) == 3
    assert use(after, new[0]).definition == use(after, group).definition
    assert after.notes[-1].text == "why"


def test_a_pasted_group_that_differs_here_is_another_one() -> None:
    graph, group = grouped(network(), "n2", "n3")
    fragment = fragment_of(graph, [group])
    changed = SetBlock(f"{group}/n2", block("dense", units=9)).apply(graph)
    edit, (new,) = paste(changed, fragment, "", (400, 0))
    after = edit.apply(changed)
    assert inner_block(after, f"{new}/n2") == block("dense", units=4)
    assert inner_block(after, f"{group}/n2") == block("dense", units=9)
    assert len({found.name for found in definitions(after).values()}) == 2


def test_copies_go_into_the_group_in_which_the_originals_are() -> None:
    graph, group = grouped(network(), "n2", "n3")
    edit, copies = duplicate(graph, [f"{group}/n2"])
    after = edit.apply(graph)
    assert inner_block(after, copies[0]) == block("dense", units=4)
    assert copies[0].startswith(f"{group}/")


def test_notes_are_kept_within_limits() -> None:
    graph = AddNote(Note("t1", "text")).apply(Graph())
    assert SetNote(Note("t1", "other", 8, 8)).apply(graph).notes == (Note("t1", "other", 8, 8),)
    assert Move((("t1", 5.0, 6.0),)).apply(graph).notes[0].x == 5.0
    assert Remove(frozenset({"t1"})).apply(graph) == Graph()
    for bad in (Note("t1", "x" * 10_001), Note("t1", "x", float("nan")), Note("t1", "x", width=1), Note("t9", "x")):
        with pytest.raises(GraphError):
            SetNote(bad).apply(graph)
    with pytest.raises(DuplicateError):
        AddNote(Note("t1", "again")).apply(graph)
    with pytest.raises(DuplicateError):
        AddNode(Node("t1", "relu_1", block("relu"))).apply(graph)
