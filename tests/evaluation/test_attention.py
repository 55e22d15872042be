"""Attention weights: those of PyTorch, by hand, with masks, from the right inputs, and through several layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.evaluation.explain.attended import attend
from studio.evaluation.explain.attention import attention_layers, attention_of, rollout, steps_from
from studio.evaluation.explain.subject import prepared
from studio.evaluation.trained import Trained
from studio.graph import Graph
from studio.training.errors import TrainingError
from tests.helpers import add, block, chain


def by_hand(layer: nn.MultiheadAttention, queries: Tensor, keys: Tensor, hidden: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ / sqrt(d)) of every head, (N, H, T, S)."""
    size = layer.embed_dim
    weight, bias = layer.in_proj_weight, layer.in_proj_bias
    q = queries @ weight[:size].T + bias[:size]
    k = keys @ weight[size : 2 * size].T + bias[size : 2 * size]
    q, k = (x.unflatten(2, (layer.num_heads, -1)).transpose(1, 2) for x in (q, k))
    scores = q @ k.transpose(2, 3) / math.sqrt(layer.head_dim)
    if hidden is not None:
        scores = scores.masked_fill(hidden, -math.inf)
    return scores.softmax(-1)


def test_weights_are_those_by_hand_and_the_answer_stays(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("vit")
    inputs = prepared(trained, 5)
    first, second = (layer for layer in trained.model.modules() if isinstance(layer, nn.MultiheadAttention))
    with torch.no_grad():
        before = trained.model(*inputs)
        maps = attention_of(trained, inputs)
        assert torch.equal(trained.model(*inputs), before)
        steps = trained.model.get_submodule("conv2d_1")(*inputs).reshape(1, 8, 16).transpose(1, 2)
        torch.testing.assert_close(maps[0].weights, by_hand(first, steps, steps)[0])
        own = first(steps, steps, steps, average_attn_weights=False)[1]
        torch.testing.assert_close(maps[0].weights, own[0])
        further = first(steps, steps, steps)[0]
        torch.testing.assert_close(maps[1].weights, by_hand(second, further, further)[0])
    assert [(each.queries, each.keys) for each in maps] == [(0, 0), (0, 0)]
    assert not any(module._forward_hooks for module in trained.model.modules())


def test_masks_are_respected_and_rows_sum_up_to_one(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("translation")
    row = min(range(len(trained.dataset.inputs[0])), key=lambda n: int((trained.dataset.inputs[0][n] != 0).sum()))
    real = [int((values[row] != 0).sum()) for values in trained.dataset.inputs]
    maps = {each.path: each for each in attention_of(trained, prepared(trained, row))}
    for each in maps.values():
        sums = each.weights[:, : real[each.queries]].sum(2)
        torch.testing.assert_close(sums, torch.ones_like(sums))
        assert each.weights[:, :, real[each.keys] :].abs().max() == 0
    kinds = {(each.queries, each.keys) for each in maps.values()}
    assert kinds == {(0, 0), (1, 1), (1, 0)}  # the text at itself, its translation at itself, and at the text
    causal = next(each for each in maps.values() if each.queries == each.keys == 1)
    assert causal.weights.triu(1).abs().max() == 0


def test_words_stand_at_the_axes(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("translation")
    row = int(trained.dataset.splits["test"][0])
    words = tuple(trained.dataset.text(row).split()[:8])
    sight = next(each for each in attend(trained, row).sights if "memory" in each.title)
    assert sight.keys[: len(words)] == words
    assert sight.weights.shape[1:] == (len(sight.queries), len(sight.keys))


def test_patches_lie_over_the_picture_and_rows_are_told_from_them(trained_on: Callable[[str], Trained]) -> None:
    sights = attend(trained_on("vit"), 3).sights
    assert [sight.grid for sight in sights] == [(4, 4)] * 3
    assert sights[2].title == "all 2 layers of “input_1” (rollout)"
    sights = attend(trained_on("pixels"), 3).sights
    assert sights[0].grid == (8, 1)
    assert sights[0].keys[0] == "row 1"


def test_a_network_without_attention_says_so(trained_on: Callable[[str], Trained]) -> None:
    with pytest.raises(TrainingError, match="No block"):
        attend(trained_on("picture"), 0)


def test_rollout_is_the_product_of_half_the_way_around() -> None:
    maps = [torch.softmax(torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(n)), -1) for n in range(3)]
    wanted = torch.eye(4)
    for weights in maps:
        wanted = (0.5 * weights.mean(0) + 0.5 * torch.eye(4)) @ wanted
    found = rollout(maps)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found.sum(1), torch.ones(4))
    assert not torch.allclose(found, rollout(maps[::-1]))


def written_out() -> Graph:
    """Attention of one Input to another, once as a block of its own and once of single operations."""
    graph = chain(block("input", shape=(3, 4)), block("dense", units=4))
    graph = add(graph, block("input", shape=(5, 4)))  # n3
    graph = add(graph, block("dense", units=4), "n3")
    graph = add(graph, block("dot_product_attention", heads=2), "n2", "n4", "n3")
    graph = add(graph, block("transpose"), "n4")
    graph = add(graph, block("matrix_product"), "n2", "n6")
    graph = add(graph, block("softmax"), "n7")
    graph = add(graph, block("matrix_product"), "n8", "n3")
    graph = add(graph, block("add"), "n5", "n9")
    graph = add(graph, block("flatten"), "n10")
    return add(graph, block("output"), "n11")


def test_attention_that_was_built_of_single_operations_is_found(trained_on: Callable[[str], Trained]) -> None:
    plan = make_plan(written_out())
    model = build_network(plan).eval()
    trained = replace(trained_on("picture"), plan=plan, model=model)
    inputs = torch.randn(1, 3, 4), torch.randn(1, 5, 4)
    maps = attention_of(trained, inputs)
    assert len(attention_layers(model)) == len(maps) == 2
    with torch.no_grad():
        queries, keys = model.get_submodule("dense_1")(inputs[0]), model.get_submodule("dense_2")(inputs[1])
        scores = queries @ keys.transpose(1, 2)
        by_single = next(each for each in maps if each.path.startswith("softmax"))
        torch.testing.assert_close(by_single.weights, scores.softmax(-1))
        heads = [x.unflatten(2, (2, 2)).transpose(1, 2) for x in (queries, keys)]
        by_block = next(each for each in maps if each is not by_single)
        torch.testing.assert_close(by_block.weights, (heads[0] @ heads[1].mT / math.sqrt(2)).softmax(-1)[0])
    assert [steps_from(plan, each.path) for each in maps] == [(0, 1), (0, 1)]


def test_steps_of_a_series_lie_over_it(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("series")
    dims = trained.dataset.inputs[0].shape[1:]
    ends = block("flatten"), block("dense", units=2), block("output")
    plan = make_plan(chain(block("input", shape=tuple(dims)), block("dense", units=4), block("self_attention"), *ends))
    sight = attend(replace(trained, plan=plan, model=build_network(plan).eval()), 3).sights[0]
    assert np.array_equal(sight.series, trained.dataset.inputs[0][3].numpy())
    assert sight.keys == tuple(str(number + 1) for number in range(dims[0]))
