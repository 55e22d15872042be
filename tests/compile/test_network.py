"""A plan becomes a module: how blocks are wired, and that its source is the same network."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.blocks import Block, registry
from studio.compile.network import build_network
from studio.compile.plan import CompileError, make_plan
from studio.compile.shapes import analyze
from studio.fields import FieldSpec, specs
from studio.graph import Graph
from studio.graph.edits import Remove
from tests.helpers import add, block, chain, module_and_source


def test_an_unfinished_graph_cannot_be_compiled() -> None:
    graph = chain(block("input", shape=(1, 8, 8)), block("flatten"), block("output"))
    with pytest.raises(CompileError, match="nothing to work on"):
        make_plan(Remove(frozenset({"n1"})).apply(graph))


def test_inputs_that_meet_twice() -> None:
    graph = add(chain(block("input", shape=(6,)), block("dense", units=4)), block("input", shape=(3,)))
    graph = add(graph, block("dense", units=4), "n3")
    graph = add(graph, block("add"), "n2", "n4")
    graph = add(graph, block("concatenate"), "n5", "n2")
    model, exported = module_and_source(make_plan(add(graph, block("output"), "n6")), 1)
    a, b = torch.randn(5, 6), torch.randn(5, 3)
    total = model.dense_1(a) + model.dense_2(b)
    assert torch.equal(model(a, b), torch.cat((total, model.dense_1(a)), 1))
    assert torch.equal(exported(a, b), model(a, b))


def test_several_answers_come_in_the_order_of_the_outputs() -> None:
    graph = chain(block("input", shape=(6,)), block("dense", units=4), block("output"))
    graph = add(graph, block("output"), "n1")
    graph = add(graph, block("output"), "n1")
    for model in module_and_source(make_plan(graph), 2):
        x = torch.randn(3, 6)
        first, second, third = model(x)
        assert torch.equal(first, model.dense_1(x))
        assert torch.equal(second, x)
        assert torch.equal(third, x)


def test_an_input_that_leads_nowhere_stays_an_argument() -> None:
    graph = add(chain(block("input", shape=(6,)), block("dense", units=4), block("output")), block("input", shape=(2,)))
    for model in module_and_source(make_plan(graph), 2):
        x = torch.randn(3, 6)
        assert torch.equal(model(x, torch.randn(3, 2)), model.dense_1(x))


def test_a_name_of_python_is_a_name_like_any_other() -> None:
    graph = chain(block("input", shape=(6,)), block("dense", units=4), block("relu"), block("output"))
    names = dict(zip(graph.by_id, ("input", "len", "tuple", "print"), strict=True))
    renamed = Graph(tuple(type(n)(n.id, names[n.id], n.block) for n in graph.nodes), graph.links).check()
    model, exported = module_and_source(make_plan(renamed), 3)
    x = torch.randn(3, 6)
    assert torch.equal(model(x), exported(x))
    assert list(model.state_dict()) == list(exported.state_dict()) == ["len.weight", "len.bias"]


def test_the_seed_decides_the_weights() -> None:
    plan = make_plan(chain(block("input", shape=(6,)), block("dense", units=4), block("output")))
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(build_network(plan).dense_1.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


STARTS = {
    "vector": (block("input", shape=(12,)),),
    "sequence": (block("input", shape=(6, 4)),),
    "image": (block("input", shape=(2, 6, 6)),),
    "tokens": (block("input", shape=(5,), values="tokens"), block("embedding", vocabulary=9, features=4)),
    "texts": (block("input", shape=(5,), values="tokens"), block("embedding", vocabulary=9, features=4, padding=True)),
}


def random_value(spec: FieldSpec, rng: random.Random) -> object:
    """A small value of a field."""
    if spec.lines:
        return spec.default
    if spec.choices:
        return rng.choice(spec.choices)
    if spec.type is bool:
        return rng.random() < 0.5
    if spec.type is int:
        return max(int(spec.min or 0), rng.choice((-1, 1, 2, 3, 4) if (spec.min or 0) < 0 else (1, 2, 3, 4)))
    if spec.type is tuple:
        known = ((-1,), (12,), (6, 4), (2, 6, -1), (-1, 4), (1,), (2, 1), (3, 1, 2))
        return rng.choice([value for value in known if spec.min <= min(value) and max(value) <= spec.max])
    return min(max(rng.random(), spec.min or 0.0), max(0.9, spec.min or 0.0))


def random_block(rng: random.Random) -> Block:
    cls = rng.choice([cls for cls in registry if cls.kind not in ("input", "output", "embedding")])
    some = [spec for spec in specs(cls) if rng.random() < 0.6]
    return cls(**{spec.name: random_value(spec, rng) for spec in some})


def random_graph(start: str, rng: random.Random) -> Graph:
    """A sound network of any blocks that fit, with branches; its answer is the last result."""
    graph = chain(*STARTS[start])
    ends = [graph.nodes[-1].id]
    for _ in range(20):
        item = random_block(rng)
        count = 2 if item.many_inputs else len(item.inputs)
        sources = [ends[-1], *rng.choices(ends, k=count - 1)]
        grown = add(graph, item, *sources)
        outputs = analyze(grown).nodes[grown.nodes[-1].id].outputs
        if outputs and outputs[0].numel < 3_000:
            graph, ends = grown, [*ends, grown.nodes[-1].id]
    return add(graph, block("output"), ends[-1])


@given(start=st.sampled_from(list(STARTS)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_random_networks_equal_their_source_and_their_shapes(start: str, seed: int) -> None:
    graph = random_graph(start, random.Random(seed))
    plan = make_plan(graph)
    module, exported = module_and_source(plan, seed % 1000)
    assert list(module.state_dict()) == list(exported.state_dict())
    dims = plan.inputs[0][1].dims
    torch.manual_seed(seed % 1000)
    x = torch.randint(9, (3, *dims)) if start in ("tokens", "texts") else torch.randn(3, *dims)
    answer = module.eval()(x)
    torch.testing.assert_close(exported.eval()(x), answer, rtol=0, atol=0, equal_nan=True)  # e to the e is infinite
    torch.manual_seed(0)
    reloaded = build_network(plan)
    reloaded.load_state_dict(module.state_dict())
    torch.testing.assert_close(reloaded.eval()(x), answer, rtol=0, atol=0, equal_nan=True)
    assert answer.shape[1:] == analyze(graph).nodes[graph.outputs[0].id].inputs[0].dims
    assert plan.parameters == sum(p.numel() for p in module.parameters())
