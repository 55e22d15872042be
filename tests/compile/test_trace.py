"""What a sample looks like after each block is what the network itself computes there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.compile.trace import trace
from studio.graph import Graph
from studio.graph.edits import Remove, SetBlock, SetBypassed, SetRepeat, Several
from studio.graph.group_edits import MakeGroup, Unfold, group_made
from studio.graph.paths import flatten, scope_of
from studio.project import read_template, templates
from tests.blocks.test_sweep import CASES, graph_of, sample
from tests.helpers import add, block, chain

IMAGE = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)


def weights(graph: Graph, seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return build_network(make_plan(graph)).state_dict()


def residual() -> Graph:
    """n1 Input, n2 Dense, n3 ReLU, n4 Add of n1 and n3, n5 Output."""
    graph = chain(block("input", shape=(6,)), block("dense", units=6), block("relu"))
    return add(add(graph, block("add"), "n1", "n3"), block("output"), "n4")


@pytest.mark.parametrize(("example", "inputs"), CASES)
def test_every_kind_of_block_can_be_traced(example, inputs) -> None:  # type: ignore[no-untyped-def]
    graph = graph_of(example, inputs)
    values = [sample(spec, batch=1) for spec in inputs]
    state = torch.get_rng_state()
    found = trace(graph, values)
    assert torch.equal(torch.get_rng_state(), state), "a run in another thread would get other random numbers"
    shapes = {path: node.outputs[0].dims for path, node in analyze(graph).nodes.items() if node.outputs}
    assert {path: tuple(found[path].shape) for path in shapes} == shapes


@pytest.mark.parametrize("name", [t.name for t in templates()])
def test_the_answer_is_that_of_the_network(name: str) -> None:
    graph = read_template(name).graph
    values, learned = [sample(node.block.spec, batch=1) for node in graph.inputs], weights(graph)
    found = trace(graph, values, learned)
    model = build_network(make_plan(graph))
    model.load_state_dict(learned)
    assert torch.allclose(found[graph.outputs[0].id], model.eval()(*values)[0], atol=1e-6)
    assert {path for path in found if not scope_of(path)} == set(graph.by_id)


def test_each_block_shows_its_own_result() -> None:
    graph, value = residual(), torch.tensor([[1.0, -2.0, 3.0, -4.0, 5.0, -6.0]])
    learned = weights(graph)
    dense = value @ learned["dense_1.weight"].T + learned["dense_1.bias"]
    found = trace(graph, [value], learned)
    expected = {"n1": value, "n2": dense, "n3": dense.relu(), "n4": value + dense.relu(), "n5": value + dense.relu()}
    assert found.keys() == expected.keys()
    for path, tensor in expected.items():
        assert torch.allclose(found[path], tensor[0], atol=1e-6), path


def test_what_lies_behind_a_problem_is_left_out() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("conv2d"), block("gru"), block("relu"), block("output"))
    assert set(trace(graph, [IMAGE])) == {"n1", "n2"}
    assert trace(Graph(), []) == {}
    loose = Remove(frozenset({"n4"})).apply(residual())
    assert set(trace(loose, [torch.ones(1, 6)])) == {"n1", "n2", "n3"}


def test_the_same_seed_draws_the_same_weights_and_another_one_others() -> None:
    graph, value = residual(), torch.ones(1, 6)
    first, again, other = (trace(graph, [value], seed=seed)["n5"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_weights_that_do_not_fit_any_more_are_drawn() -> None:
    graph, value = residual(), torch.ones(1, 6)
    learned = weights(graph)
    wider = chain(block("input", shape=(6,)), block("dense", units=9), block("output"))
    assert tuple(trace(wider, [value], learned)["n2"].shape) == (9,)


def test_a_dropout_drops_nothing_and_a_bypassed_block_hands_on() -> None:
    graph = chain(block("input", shape=(6,)), block("dropout", rate=0.9), block("relu"), block("output"))
    graph = SetBypassed(frozenset({"n3"}), True).apply(graph)
    value = torch.full((1, 6), -1.0)
    assert {path: float(t.sum()) for path, t in trace(graph, [value]).items()} == dict.fromkeys(graph.by_id, -6.0)


@pytest.mark.parametrize("repeat", [1, 3])
def test_in_groups_too(repeat: int) -> None:
    edit = MakeGroup(frozenset({"n2", "n3"}))
    group = group_made(residual(), edit)
    graph = Unfold(group, True).apply(edit.apply(residual()))
    graph = SetRepeat(group, repeat).apply(graph)
    value, learned = torch.ones(1, 6), weights(graph)
    found = trace(graph, [value], learned)
    assert set(found) == set(flatten(graph).by_id)
    model = build_network(make_plan(graph))
    model.load_state_dict(learned)
    answer = model.eval()(value)[0]
    assert torch.allclose(found["n5"], answer, atol=1e-6)
    assert torch.allclose(found[group], answer - 1, atol=1e-6)
    inner = {path: t for path, t in found.items() if path.startswith(f"{group}/")}
    assert any(torch.equal(t, found[group]) for t in inner.values())
    assert (repeat == 1) == any(torch.equal(t, value[0]) for t in inner.values())  # what enters the last repetition


def test_two_groups_are_not_taken_for_each_other() -> None:
    graph = chain(block("input", shape=(4,)), block("dense", units=4), block("dense", units=4), block("output"))
    groups = []
    for inner in ("n2", "n3"):
        edit = MakeGroup(frozenset({inner}))
        groups.append(group_made(graph, edit))
        graph = Unfold(groups[-1], True).apply(edit.apply(graph))
    found = trace(graph, [torch.ones(1, 4)], weights(graph))
    for group in groups:
        ends = [found[p] for p in found if p.startswith(f"{group}/")]
        assert any(torch.equal(end, found[group]) for end in ends)
    assert not torch.equal(found[groups[0]], found[groups[1]])


def test_a_repeated_block_shows_its_last_repetition() -> None:
    graph = SetRepeat("n2", 3).apply(chain(block("input", shape=(4,)), block("dense", units=4), block("output")))
    learned = weights(graph)
    found = trace(graph, [torch.ones(1, 4)], learned)
    model = build_network(make_plan(graph))
    model.load_state_dict(learned)
    assert torch.allclose(found["n2"], model(torch.ones(1, 4))[0], atol=1e-6)


def test_several_inputs_come_in_the_order_of_the_graph() -> None:
    graph = chain(block("input", shape=(3,)))
    graph = add(graph, block("input", shape=(3,)))
    graph = add(graph, block("concatenate", axis=1), "n2", "n1")
    found = trace(graph, [torch.zeros(1, 3), torch.ones(1, 3)])
    assert found["n3"].tolist() == [1, 1, 1, 0, 0, 0]
    fields = replace(graph.node("n1").block, shape=(2,))
    changed = Several((SetBlock("n1", fields),)).apply(graph)
    assert found.keys() == trace(changed, [torch.zeros(1, 2), torch.ones(1, 3)]).keys()
