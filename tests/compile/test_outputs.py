"""A block with several outputs, and a learned tensor, from the graph to the module and the source."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from studio.blocks import Output
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.source import class_source
from studio.compile.trace import trace
from studio.graph import Graph, Link
from studio.graph.edits import AddLink, SetBlock
from studio.graph.errors import GraphError
from studio.graph.group_edits import MakeGroup
from studio.graph.groups import Exposed, Group, GroupInput, GroupOutput, GroupUse
from tests.helpers import add, block, module_and_source


def branches(parts: int = 3) -> Graph:
    """Channels in parts; the last less the first is the answer."""
    graph = add(Graph(), block("input", shape=(2 * parts, 4)))
    graph = add(graph, block("split", parts=parts), "n1")
    graph = add(graph, block("subtract"))
    graph = AddLink(Link("n2", parts - 1, "n3", 0)).apply(graph)
    graph = AddLink(Link("n2", 0, "n3", 1)).apply(graph)
    return add(graph, Output(), "n3")


def test_every_part_reaches_its_place() -> None:
    plan = make_plan(branches())
    model, exported = module_and_source(plan, 0)
    x = torch.randn(2, 6, 4)
    assert torch.equal(model(x), x[:, 4:] - x[:, :2])
    assert torch.equal(exported(x), model(x))
    assert "split_1_part_1, split_1_part_2, split_1_part_3 = torch.split(input_1, 2, dim=1)" in class_source(
        plan, "Net"
    )


def test_a_part_in_use_is_not_taken_away() -> None:
    graph = branches()
    with pytest.raises(GraphError, match="no output"):
        SetBlock("n2", block("split", parts=2)).apply(graph)
    assert len(SetBlock("n2", block("split", parts=6)).apply(graph).node("n2").block.outputs) == 6


def test_the_sample_is_shown_behind_parts() -> None:
    x = torch.randn(1, 6, 4)
    found = trace(branches(), [x])
    assert torch.equal(found["n2"], x[0, :2])
    assert torch.equal(found["n3"], x[0, 4:] - x[0, :2])


def test_a_learned_tensor_is_a_parameter_of_the_network() -> None:
    graph = add(Graph(), block("input", shape=(5, 4)))
    graph = add(graph, block("learned_tensor", shape=(1, 4)), "n1")
    graph = add(graph, block("concatenate"), "n2", "n1")
    plan = make_plan(add(graph, Output(), "n3"))
    model = build_network(plan)
    assert [name for name, _ in model.named_parameters()] == ["learned_tensor_1"]
    x = torch.randn(3, 5, 4)
    answer = model(x)
    assert torch.equal(answer[:, 1:], x)
    assert torch.equal(answer[:, 0], model.learned_tensor_1.expand(3, 4))
    answer.sum().backward()
    assert torch.equal(model.learned_tensor_1.grad, torch.full((1, 4), 3.0))
    source = class_source(plan, "Net")
    assert "self.learned_tensor_1 = nn.Parameter(torch.normal(mean=0.0, std=0.02, size=(1, 4)))" in source
    found = trace(add(graph, Output(), "n3"), [x[:1]], model.state_dict())
    assert torch.equal(found["n2"], model.learned_tensor_1)


def test_nor_by_the_setting_of_a_group() -> None:
    graph = branches()
    group = Group("g", "Branches", Graph(), (Exposed("parts", (("n2", "parts"),)),))
    inner = [
        replace(node, block=GroupInput() if node.id == "n1" else GroupOutput() if node.id == "n4" else node.block)
        for node in graph.nodes
    ]
    use = GroupUse(replace(group, body=Graph(tuple(inner), graph.links)))
    assert use.with_value("parts", 6).value("parts") == 6
    with pytest.raises(GraphError, match="no output"):
        use.with_value("parts", 2)


def test_nor_inside_a_group() -> None:
    graph = MakeGroup(frozenset({"n2", "n3"})).apply(branches())
    (group,) = (node.id for node in graph.nodes if isinstance(node.block, GroupUse))
    with pytest.raises(GraphError, match="no output"):
        SetBlock(f"{group}/n2", block("split", parts=2)).apply(graph)
    assert SetBlock(f"{group}/n2", block("split", parts=6)).apply(graph)
