from __future__ import annotations

import pytest

from studio.compile.plan import CompileError
from studio.compile.source_places import located_source
from studio.graph import Graph
from studio.graph.edits import SetRepeat
from studio.graph.group_edits import MakeGroup, group_made
from studio.project import read_template, templates
from tests.helpers import block, chain


def lines(graph: Graph, path: str) -> list[str]:
    code = located_source(graph, "My net")
    rows = code.text.split("\n")
    return [rows[number].strip() for number in code.places[path]]


def simple() -> Graph:
    return chain(block("input", shape=(4,)), block("dense", units=3), block("relu"), block("dense"), block("output"))


def test_a_block_stands_where_it_is_made_and_where_it_is_used() -> None:
    made, used = lines(simple(), "n2")
    assert made == "self.dense_1 = nn.Linear(in_features=4, out_features=3, bias=True)"
    assert used.startswith("dense_1 = self.dense_1(")
    assert lines(simple(), "n4")[0].startswith("self.dense_2 = nn.Linear(in_features=3")


def test_inputs_are_arguments_and_outputs_are_returned() -> None:
    assert any(line.startswith("def forward(self, input_1:") for line in lines(simple(), "n1"))
    assert lines(simple(), "n5") == ["return dense_2"]


def test_blocks_in_groups_stand_in_the_class_of_the_group() -> None:
    edit = MakeGroup(frozenset({"n2", "n3"}), "Hidden")
    path = group_made(simple(), edit)
    graph = SetRepeat("n4", 1).apply(edit.apply(simple()))
    code = located_source(graph, "My net")
    rows = code.text.split("\n")
    hidden, network = rows.index("class Hidden(nn.Module):"), rows.index("class MyNet(nn.Module):")
    inner = [key for key in code.places if key.startswith(f"{path}/")]
    assert len(inner) >= 2
    assert all(hidden < number < network for key in inner for number in code.places[key])
    assert all(number > network for number in code.places[path])


@pytest.mark.parametrize("name", [template.name for template in templates()])
def test_every_block_of_every_template_is_found(name: str) -> None:
    graph = read_template(name).graph
    code = located_source(graph, name)
    compile(code.text, "net.py", "exec")
    assert all(code.places[node.id] for node in graph.nodes)


def test_what_cannot_be_built_has_no_source() -> None:
    with pytest.raises(CompileError):
        located_source(chain(block("input", shape=(4,)), block("conv2d"), block("output")), "x")
