"""A block computes what its help says, by a second formula.

The sweep compares the module with its source, and both come from one record; here the record itself is put to test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from studio.blocks import Block
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from tests.blocks import families
from tests.blocks.test_sweep import graph_of, sample
from tests.helpers import add, block, chain

Formula = Callable[[Any, Tensor], Tensor]  # of the block's layer and its input


def network(item: Block, dims: tuple[int, ...], values: str = "real") -> torch.nn.Module:
    torch.manual_seed(7)
    model: torch.nn.Module = build_network(
        make_plan(chain(block("input", shape=dims, values=values), item, block("output")))
    )
    return model.eval()


def attention(layer: Any, x: Tensor) -> Tensor:
    q, k, v = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, -1)
    split = zip(*(t.chunk(2, -1) for t in (q, k, v)), strict=True)  # two heads
    heads = [F.softmax(a @ b.mT / a.shape[-1] ** 0.5, -1) @ c for a, b, c in split]
    return F.linear(torch.cat(heads, -1), layer.out_proj.weight, layer.out_proj.bias)


def gru_states(layer: Any, x: Tensor, backwards: bool = False) -> Tensor:
    """The state after each step (N, T, D), step by step."""
    suffix = "_reverse" if backwards else ""
    w, u, b, c = (getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    state, states = torch.zeros(len(x), layer.hidden_size), []
    for step in x.unbind(1)[:: -1 if backwards else 1]:
        (r, z, n), (ur, uz, un) = F.linear(step, w, b).chunk(3, -1), F.linear(state, u, c).chunk(3, -1)
        z = torch.sigmoid(z + uz)
        state = (1 - z) * torch.tanh(n + torch.sigmoid(r + ur) * un) + z * state
        states.append(state)
    return torch.stack(states[:: -1 if backwards else 1], 1)


def lstm_last(layer: Any, x: Tensor) -> Tensor:
    state = cell = torch.zeros(len(x), layer.hidden_size)
    for step in x.unbind(1):
        gates = F.linear(step, layer.weight_ih_l0, layer.bias_ih_l0)
        i, f, g, o = (gates + F.linear(state, layer.weight_hh_l0, layer.bias_hh_l0)).chunk(4, -1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        state = torch.sigmoid(o) * torch.tanh(cell)
    return state


def both_ways(layer: Any, x: Tensor) -> Tensor:
    return torch.cat((gru_states(layer, x)[:, -1], gru_states(layer, x, backwards=True)[:, 0]), -1)


def batch_norm(layer: Any, x: Tensor) -> Tensor:
    assert (layer.momentum, layer.eps) == (0.25, 0.01)
    return x / 1.01**0.5  # fresh averages are mean 0 and variance 1


def layer_norm(layer: Any, x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + 0.01).sqrt()


def signal_convolution(layer: Any, x: Tensor) -> Tensor:
    return torch.einsum("nctk,fck->nft", x.unfold(2, 3, 2), layer.weight) + layer.bias[:, None]


def convolution(layer: Any, x: Tensor) -> Tensor:
    patches = F.pad(x, (2, 2, 2, 2)).unfold(2, 5, 2).unfold(3, 5, 2)[..., ::2, ::2]  # dilation 2, stride 2
    return torch.einsum("nchwkl,fckl->nfhw", patches, layer.weight)


CASES: dict[str, tuple[Block, tuple[int, ...], Formula]] = {
    "dense": (block("dense", units=5), (3, 4), lambda layer, x: x @ layer.weight.T + layer.bias),
    "dense without bias": (block("dense", units=5, bias=False), (4,), lambda layer, x: x @ layer.weight.T),
    "conv2d": (block("conv2d", filters=3, stride=2, padding=2, dilation=2, bias=False), (2, 7, 9), convolution),
    "conv1d": (block("conv1d", filters=3, stride=2), (2, 9), signal_convolution),
    "max_pool": (block("max_pool"), (2, 4, 6), lambda _, x: x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))),
    "max_pool of a signal": (block("max_pool", size=3, stride=1), (2, 6), lambda _, x: x.unfold(2, 3, 1).amax(-1)),
    "average_pool": (block("average_pool"), (2, 4, 6), lambda _, x: x.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))),
    "global of an image": (block("global_average_pool"), (2, 4, 6), lambda _, x: x.mean((2, 3))),
    "global of a sequence": (block("global_average_pool"), (5, 3), lambda _, x: x.mean(1)),
    "flatten": (block("flatten"), (2, 3, 4), lambda _, x: torch.stack([sample.ravel() for sample in x])),
    "reshape": (block("reshape", shape=(4, -1)), (2, 3, 4), lambda _, x: torch.stack([s.view(4, 6) for s in x])),
    "relu": (block("relu"), (9,), lambda _, x: torch.where(x > 0, x, 0)),
    "gelu": (block("gelu"), (9,), lambda _, x: x * torch.special.ndtr(x)),
    "sigmoid": (block("sigmoid"), (9,), lambda _, x: 1 / (1 + torch.exp(-x))),
    "tanh": (block("tanh"), (9,), lambda _, x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)),
    "softmax": (block("softmax"), (3, 4), lambda _, x: torch.exp(x) / torch.exp(x).sum(2, keepdim=True)),
    "batch_norm": (block("batch_norm", momentum=0.25, epsilon=0.01), (2, 4, 6), batch_norm),
    "layer_norm": (block("layer_norm", epsilon=0.01), (3, 4), layer_norm),
    "dropout": (block("dropout", rate=0.9), (9,), lambda _, x: x),
    "gru": (block("gru", units=3), (5, 4), lambda layer, x: gru_states(layer, x)[:, -1]),
    "gru as a sequence": (block("gru", units=3, output="sequence"), (5, 4), gru_states),
    "gru both ways": (block("gru", units=3, bidirectional=True), (5, 4), both_ways),
    "lstm": (block("lstm", units=3), (5, 4), lstm_last),
    "self_attention": (block("self_attention", heads=2), (5, 4), attention),
}


@pytest.mark.parametrize("name", list(CASES))
def test_it_computes_what_it_says(name: str) -> None:
    item, dims, formula = CASES[name]
    model = network(item, dims)
    x = torch.randn(3, *dims)
    layer = getattr(model, f"{item.kind}_1", None)
    torch.testing.assert_close(model(x), formula(layer, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("member", families.ALL, ids=lambda member: member.block.kind)
def test_every_family_computes_what_it_says(member: families.Case) -> None:
    torch.manual_seed(7)
    model = build_network(make_plan(graph_of(member.block, member.inputs))).eval()
    values = [sample(spec) for spec in member.inputs]
    if len(values) > 1:
        values[1] = values[1] + 0.25  # not the same twice
    layers = list(model.children())
    torch.testing.assert_close(model(*values), member.formula(layers, *values), rtol=1e-4, atol=1e-5)


def test_embedding_looks_rows_up() -> None:
    model = network(block("embedding", vocabulary=9, features=4), (5,), "tokens")
    x = torch.randint(9, (3, 5))
    assert torch.equal(model(x), torch.stack([model.embedding_1.weight[row] for row in x]))


@pytest.mark.parametrize(("axis", "dim"), [(1, 1), (2, 2), (-1, 2)])
def test_concatenate_joins_on_its_axis(axis: int, dim: int) -> None:
    graph = add(chain(block("input", shape=(3, 3))), block("input", shape=(3, 3)))
    graph = add(graph, block("concatenate", axis=axis), "n1", "n2")
    model = build_network(make_plan(add(graph, block("output"), "n3")))
    a, b = torch.randn(2, 3, 3), torch.randn(2, 3, 3)
    assert torch.equal(model(a, b), torch.cat((a, b), dim))


def test_dropout_drops_its_share_while_training() -> None:
    dropped = network(block("dropout", rate=0.25), (10_000,)).train()(torch.ones(1, 10_000))
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_stochastic_depth_leaves_whole_samples_out() -> None:
    model = network(block("stochastic_depth", rate=0.25), (2, 3, 4)).train()
    torch.manual_seed(0)
    x = torch.randn(4_000, 2, 3, 4)
    kept = model(x) / x * 0.75
    assert torch.all(kept.flatten(1).round() == kept.flatten(1)[:, :1].round())
    assert abs(float(kept.mean()) - 0.75) < 0.03
    assert set(kept.round().unique().tolist()) == {0.0, 1.0}
