"""Groups and repetitions compute what their blocks would, and read as one would write them."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from studio.blocks import Block
from studio.compile.network import build_network
from studio.compile.plan import CompileError, make_plan
from studio.compile.shapes import analyze
from studio.compile.source import class_source
from studio.graph import Graph, GraphError, Link
from studio.graph.copies import duplicate
from studio.graph.edits import AddLink, Dissolve, Remove, SetBlock, SetBypassed, SetRepeat, insert_on, new_node
from studio.graph.group_edits import Detach, Expose, MakeGroup, Ungroup, group_made
from studio.graph.groups import GroupUse
from studio.graph.paths import find
from tests.helpers import add, block, chain, link, module_and_source

WIDTH = 6
KINDS = (("dense", {"units": WIDTH}), ("relu", {}), ("tanh", {}), ("layer_norm", {}))


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Blocks of equal width in a chain, with a few Adds of earlier values, between an Input and an Output."""
    graph = chain(block("input", shape=(WIDTH,)))
    ids = ["n1"]
    for _ in range(draw(st.integers(2, 8))):
        if draw(st.booleans()) and len(ids) > 1:
            two = draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True))
            graph = add(graph, block("add"), *two)
        else:
            kind, fields = draw(st.sampled_from(KINDS))
            graph = add(graph, block(kind, **fields), draw(st.sampled_from(ids)))
        ids.append(graph.nodes[-1].id)
    ends = [node.id for node in graph.nodes[1:] if not graph.links_out_of(node.id)]
    graph = add(graph, block("add"), *ends) if len(ends) > 1 else graph
    return add(graph, block("output"), graph.nodes[-1].id if len(ends) > 1 else ends[0])


def weights_by_order(model: nn.Module, like: nn.Module) -> None:
    """Give a model the weights of another that has the same layers, in whatever order, found by their values' names."""
    own = dict(like.state_dict())
    state = {}
    for name in model.state_dict():
        tail = name.split(".")[-2:]
        state[name] = own[".".join(tail)]
    model.load_state_dict(state)


def answers(graph: Graph, seed: int = 0) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(seed)
    model = build_network(make_plan(graph))
    return model, torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_a_group_computes_what_its_blocks_do(graph: Graph, data: st.DataObject) -> None:
    inner = [node.id for node in graph.nodes[1:-1]]
    chosen = data.draw(st.sets(st.sampled_from(inner), min_size=1))
    edit = MakeGroup(frozenset(chosen))
    try:
        after = edit.apply(graph)
    except GraphError:
        assume(False)
    before, samples = answers(graph)
    model, source = module_and_source(make_plan(after), 3)
    weights_by_order(model, before)
    source.load_state_dict(model.state_dict())
    assert torch.equal(model(samples), before(samples))
    assert torch.equal(source(samples), before(samples))
    assert make_plan(after).parameters == make_plan(graph).parameters == analyze(after).parameters
    assert analyze(after).parameters == sum(p.numel() for p in model.parameters())
    apart = Ungroup(group_made(graph, edit)).apply(after)
    again, _ = answers(apart)
    again.load_state_dict(before.state_dict())
    assert torch.equal(again(samples), before(samples))


@pytest.mark.parametrize("kind", ["dense", "relu", "gru", "lstm", "self_attention", "layer_norm"])
def test_a_repetition_is_as_many_blocks_in_a_row(kind: str) -> None:
    states = {"units": 8, "output": "sequence"}
    fields = {"dense": {"units": 8}, "gru": states, "lstm": states, "self_attention": {"heads": 2}}
    item = block(kind, **fields.get(kind, {}))
    given = block("input", shape=(3, 8))
    end = [block("output")]
    row = make_plan(chain(given, item, item, item, *end))
    times = make_plan(SetRepeat("n2", 3).apply(chain(given, item, *end)))
    torch.manual_seed(0)
    plain = build_network(row)
    torch.manual_seed(0)
    repeated = build_network(times)
    assert [tuple(p.shape) for p in repeated.parameters()] == [tuple(p.shape) for p in plain.parameters()]
    samples = torch.randn(2, 3, 8)
    assert torch.equal(repeated(samples), plain(samples))
    assert row.parameters == times.parameters
    module, source = module_and_source(times, 1)
    assert torch.equal(module(samples), source(samples))
    assert list(module.state_dict()) == list(source.state_dict())


def test_a_repetition_may_change_the_shape() -> None:
    graph = SetRepeat("n2", 3).apply(chain(block("input", shape=(1, 16, 16)), block("max_pool"), block("output")))
    assert analyze(graph).nodes["n2"].outputs[0].dims == (1, 2, 2)
    deeper = SetRepeat("n2", 5).apply(graph)
    (problem,) = (p for p in analyze(deeper).problems if p.node_id == "n2")
    assert problem.message.startswith("At repetition 5 of “max_pool_1”: ")
    with pytest.raises(CompileError, match="At repetition 5"):
        make_plan(deeper)


def two_input_group() -> tuple[Graph, str]:
    """A group that adds its second input to a Dense of the first, after an Input of 6."""
    graph = add(chain(block("input", shape=(WIDTH,)), block("dense", units=WIDTH)), block("add"), "n2", "n1")
    graph = add(graph, block("output"), "n3")
    edit = MakeGroup(frozenset({"n3"}))
    path = group_made(graph, edit)
    return edit.apply(graph), path


def test_a_repeated_group_gets_its_other_inputs_each_time() -> None:
    graph, group = two_input_group()
    plan = make_plan(SetRepeat(group, 3).apply(graph))
    model, source = module_and_source(plan, 2)
    samples = torch.randn(4, WIDTH)
    first, second = (find(graph, k.source).name for k in graph.links_into(group))
    values = {"input_1": samples, "dense_1": model.dense_1(samples)}
    assert torch.allclose(model(samples), values[first] + 3 * values[second])
    assert torch.equal(model(samples), source(samples))
    assert "nn.ModuleList(Group1() for _ in range(3))" in class_source(plan, "Network")


@pytest.mark.parametrize("kind", ["relu", "dense"])
def test_a_bypassed_block_is_not_there(kind: str) -> None:
    graph = chain(block("input", shape=(WIDTH,)), block("tanh"), block(kind), block("dense"), block("output"))
    bypassed, without = SetBypassed(frozenset({"n3"}), True).apply(graph), Dissolve(frozenset({"n3"})).apply(graph)
    assert analyze(bypassed).parameters == analyze(without).parameters
    model, samples = answers(bypassed)
    other, _ = answers(without)
    assert torch.equal(model(samples), other(samples))
    model, source = module_and_source(make_plan(bypassed), 1)
    assert torch.equal(model(samples), source(samples))


def test_what_only_a_bypassed_input_needs_is_left_out() -> None:
    graph = add(chain(block("input", shape=(WIDTH,)), block("dense", units=WIDTH)), block("add"), "n1", "n2")
    graph = add(graph, block("output"), "n3")
    graph = SetBypassed(frozenset({"n3"}), True).apply(graph)
    assert make_plan(graph).steps == ()
    assert analyze(graph).parameters == 0


def test_a_group_with_two_outputs() -> None:
    graph = chain(block("input", shape=(WIDTH,)), block("dense", units=WIDTH), block("relu"))
    graph = add(add(graph, block("tanh"), "n2"), block("add"), "n3", "n4")
    graph = add(graph, block("output"), "n5")
    graph = MakeGroup(frozenset({"n2", "n3", "n4"})).apply(graph)
    model, source = module_and_source(make_plan(graph), 1)
    samples = torch.randn(3, WIDTH)
    inner = model.group_1.dense_1(samples)
    assert torch.equal(model(samples), torch.relu(inner) + torch.tanh(inner))
    assert torch.equal(model(samples), source(samples))


def test_groups_in_groups_in_groups() -> None:
    graph = chain(block("input", shape=(WIDTH,)), block("dense", units=WIDTH), block("relu"), block("output"))
    ids = frozenset({"n2", "n3"})
    for _ in range(3):
        edit = MakeGroup(ids)
        path = group_made(graph, edit)
        graph = SetRepeat(path, 2).apply(edit.apply(graph))
        ids = frozenset({path})
    plan = make_plan(graph)
    assert plan.parameters == analyze(graph).parameters == 8 * (WIDTH * WIDTH + WIDTH)
    model, source = module_and_source(plan, 5)
    samples = torch.randn(3, WIDTH)
    assert torch.equal(model(samples), source(samples))
    assert [node.name for node in ast.parse(class_source(plan, "Network")).body if isinstance(node, ast.ClassDef)] == [
        "Group1", "Group2", "Group3", "Network",
    ]  # fmt: skip


def test_uses_that_differ_share_a_class_with_arguments() -> None:
    graph = chain(block("input", shape=(WIDTH,)), block("dense", units=8), block("layer_norm"), block("dense", units=3))
    graph = add(graph, block("output"), "n4")
    edit = MakeGroup(frozenset({"n2", "n3"}), "Hidden")
    first = group_made(graph, edit)
    graph = Expose(f"{first}/n2", "units", "width").apply(edit.apply(graph))
    copied, (second,) = duplicate(graph, [first])
    graph = copied.apply(graph)
    use = graph.node(second).block
    assert isinstance(use, GroupUse)
    graph = SetBlock(second, use.with_value("width", 16)).apply(graph)
    graph = AddLink(Link(first, 0, second, 0)).apply(graph)
    graph = AddLink(Link(second, 0, "n4", 0), replace_existing=True).apply(graph)
    source = class_source(make_plan(graph), "Network")
    assert "def __init__(self, in_features: int, width: int) -> None:" in source
    assert "nn.LayerNorm(normalized_shape=" in source
    assert "self.group_1 = Hidden(in_features=6, width=8)" in source
    assert "self.group_2 = Hidden(in_features=8, width=16)" in source
    model, exported = module_and_source(make_plan(graph), 1)
    samples = torch.randn(3, WIDTH)
    assert torch.equal(model(samples), exported(samples))
    apart = Detach(second).apply(graph)
    assert analyze(apart).parameters == analyze(graph).parameters


def test_problems_inside_are_told_where_they_are() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("relu"), block("global_average_pool"), block("output"))
    edit = MakeGroup(frozenset({"n2", "n3"}))
    path = group_made(graph, edit)
    graph = edit.apply(graph)
    placed = new_node(graph, block("max_pool", size=99), scope=path)
    graph = insert_on(graph, Link(f"{path}/n2", 0, f"{path}/n3", 0), placed).apply(graph)
    analysis = analyze(graph)
    assert [(p.severity, p.node_id) for p in analysis.problems] == [("error", placed.id)]
    assert analysis.nodes[f"{path}/n2"].outputs[0].dims == (1, 8, 8)
    assert analysis.nodes[path].outputs == ()
    cut = Remove(links=frozenset({Link("n1", 0, path, 0)})).apply(graph)
    assert {p.node_id for p in analyze(cut).problems if p.severity == "error"} == {path}


def test_a_class_takes_no_name_that_is_in_use() -> None:
    graph = chain(block("input", shape=(WIDTH,)), block("dense", units=WIDTH), block("output"))
    graph = MakeGroup(frozenset({"n2"}), "Network").apply(graph)
    module, source = module_and_source(make_plan(graph), 1)
    assert list(module.state_dict()) == list(source.state_dict())
    assert class_source(make_plan(graph), "Network").startswith("class Network2(nn.Module)")


def attach(graph: Graph, source: str, item: Block) -> tuple[Graph, str]:
    graph = add(graph, item, source)
    return graph, graph.nodes[-1].id


def residual(graph: Graph, source: str, filters: int, stride: int) -> tuple[Graph, str]:
    """Two 3x3 convolutions and a way around them, which is a 1x1 convolution if the size changes."""
    conv = block("conv2d", filters=filters, padding=1, bias=False)
    end, ids = source, []
    for item in (replace(conv, stride=stride), block("batch_norm"), block("relu"), conv, block("batch_norm")):
        graph, end = attach(graph, end, item)
        ids.append(end)
    around = source
    if stride > 1:
        for item in (block("conv2d", filters=filters, kernel_size=1, stride=stride, bias=False), block("batch_norm")):
            graph, around = attach(graph, around, item)
            ids.append(around)
    graph, join = attach(graph, end, block("add"))
    graph = link(graph, around, join)
    ids.append(join)
    graph, end = attach(graph, ids[-1], block("relu"))
    edit = MakeGroup(frozenset([*ids, end]), "Down" if stride > 1 else "Basic")
    path = group_made(graph, edit)
    graph = edit.apply(graph)
    for node_id in ids:
        if find(graph, f"{path}/{node_id}").block.kind == "conv2d":
            graph = Expose(f"{path}/{node_id}", "filters", "filters").apply(graph)
    return graph, path


def again(graph: Graph, path: str, source: str, filters: int) -> tuple[Graph, str]:
    """A linked copy of a group with other filters, after a block."""
    edit, (copy,) = duplicate(graph, [path])
    graph = SetRepeat(copy, 1).apply(edit.apply(graph))
    use = graph.node(copy).block
    assert isinstance(use, GroupUse)
    graph = SetBlock(copy, use.with_value("filters", filters)).apply(graph)
    return link(graph, source, copy), copy


def resnet18() -> Graph:
    stem = block("conv2d", filters=64, kernel_size=7, stride=2, padding=3, bias=False)
    pool = block("max_pool", size=3, stride=2, padding=1)
    graph = chain(block("input", shape=(3, 224, 224)), stem, block("batch_norm"), block("relu"), pool)
    graph, basic = residual(graph, "n5", 64, 1)
    graph = SetRepeat(basic, 2).apply(graph)
    graph, down = residual(graph, basic, 128, 2)
    graph, end = again(graph, basic, down, 128)
    for filters in (256, 512):
        graph, end = again(graph, down, end, filters)
        graph, end = again(graph, basic, end, filters)
    for item in (block("global_average_pool"), block("dense", units=1000), block("output")):
        graph, end = attach(graph, end, item)
    return graph


def test_resnet18_of_groups_and_repetitions_is_torchvisions() -> None:
    from torchvision.models import resnet18 as torchvision_resnet18

    graph = resnet18()
    torch.manual_seed(0)
    theirs = torchvision_resnet18(weights=None)
    plan = make_plan(graph)
    ours = build_network(plan)
    assert plan.parameters == sum(p.numel() for p in theirs.parameters()) == 11_689_512
    # Both list the layers of a block in the order main way, way around; the batch counters come in between.
    state = [value for _, value in _main_way_first(dict(theirs.state_dict()))]
    names = [name for name, _ in _main_way_first(dict(ours.state_dict()))]
    ours.load_state_dict(dict(zip(names, state, strict=True)))
    samples = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        for mode in (True, False):
            assert torch.equal(ours.train(mode)(samples), theirs.train(mode)(samples))
    source = class_source(plan, "ResNet18")
    assert [n.name for n in ast.parse(source).body if isinstance(n, ast.ClassDef)] == ["Basic", "Down", "ResNet18"]


def _main_way_first(state: dict[str, torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    """Ordered by stage and block; within a block the layers with 3x3 filters and their norms come first."""
    blocks: dict[str, list[tuple[str, torch.Tensor]]] = {}
    for name, value in state.items():
        prefix = name.rsplit(".", 2)[0] if name.count(".") > 1 else name.split(".")[0]
        blocks.setdefault(prefix.removesuffix(".downsample"), []).append((name, value))
    ordered: list[tuple[str, torch.Tensor]] = []
    for items in blocks.values():
        around = _around(items)
        ordered += [item for item in items if item[0].rsplit(".", 1)[0] not in around]
        ordered += [item for item in items if item[0].rsplit(".", 1)[0] in around]
    return ordered


def _around(items: list[tuple[str, torch.Tensor]]) -> set[str]:
    """Layers of the way around in a block: the 1x1 convolution and its norm."""
    for name, value in items:
        if value.dim() == 4 and value.shape[-1] == 1:
            layer = name.rsplit(".", 1)[0]
            norm = f"{layer[:-1]}1" if "downsample" in layer else layer.replace("conv2d", "batch_norm")
            return {layer, norm}
    return set()
