"""Blocks with what they take and a second formula for what they give; the sweep and the test of meaning share them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from studio.blocks import Block
from studio.tensors import TensorSpec
from tests.helpers import block

IMAGE = TensorSpec((4, 6, 10), "CHW")
SIGNAL = TensorSpec((4, 12), "CT")
VOLUME = TensorSpec((4, 4, 6, 8), "CZHW")
SEQUENCE = TensorSpec((7, 8), "TD")
VECTOR = TensorSpec((8,), "D")
GREY = TensorSpec((1, 6, 10), "CHW")

Layers = Sequence[Any]
Formula = Callable[..., Tensor]  # of the list of layers, and the inputs


@dataclass(frozen=True)
class Case:
    """A block, what it takes, and what it must give in evaluation."""

    block: Block
    inputs: tuple[TensorSpec, ...]
    formula: Formula


def case(kind: str, inputs: TensorSpec | tuple[TensorSpec, ...], formula: Formula, **fields: Any) -> Case:
    """A case of one block."""
    return Case(block(kind, **fields), inputs if isinstance(inputs, tuple) else (inputs,), formula)


def standardized(x: Tensor, axes: tuple[int, ...], epsilon: float = 1e-5) -> Tensor:
    return (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True, correction=0) + epsilon).sqrt()


def spread(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """A transposed convolution of images (N, C, H, W) by hand: every number lays its filter down."""
    samples, _, height, width = x.shape
    filters, side = weight.shape[1], weight.shape[2]
    result = torch.zeros(samples, filters, (height - 1) * stride + side, (width - 1) * stride + side)
    for row in range(height):
        for column in range(width):
            patch = torch.einsum("nc,cfkl->nfkl", x[:, :, row, column], weight)
            top, left = row * stride, column * stride
            result[:, :, top : top + side, left : left + side] += patch
    return result + bias[:, None, None]


def windows(x: Tensor, size: int, step: int) -> Tensor:
    """All windows over the places of (N, C, *), with the numbers of each on the last axis."""
    places = x.dim() - 2
    for axis in range(2, x.dim()):
        x = x.unfold(axis, size, step)
    return x.flatten(-places)


def attended(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    split = zip(*(t.chunk(heads, -1) for t in (query, key, value)), strict=True)
    return torch.cat([F.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v for q, k, v in split], -1)


def self_attended(layer: Any, x: Tensor, heads: int) -> Tensor:
    q, k, v = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, -1)
    return layer.out_proj(attended(q, k, v, heads))


def cross_attended(layer: Any, x: Tensor, memory: Tensor, heads: int) -> Tensor:
    wq, wk, wv = layer.in_proj_weight.chunk(3)
    bq, bk, bv = layer.in_proj_bias.chunk(3)
    query, key, value = F.linear(x, wq, bq), F.linear(memory, wk, bk), F.linear(memory, wv, bv)
    return layer.out_proj(attended(query, key, value, heads))


def other_memory(layers: Layers, x: Tensor, memory: Tensor) -> Tensor:
    (layer,) = layers
    bq, bk, bv = layer.in_proj_bias.chunk(3)
    query = F.linear(x, layer.q_proj_weight, bq)
    key, value = F.linear(memory, layer.k_proj_weight, bk), F.linear(memory, layer.v_proj_weight, bv)
    return layer.out_proj(attended(query, key, value, 2))


def encoder_layer(layers: Layers, x: Tensor) -> Tensor:
    (layer,) = layers
    x = standardized(x + self_attended(layer.self_attn, x, 2), (-1,))
    return standardized(x + layer.linear2(layer.linear1(x).relu()), (-1,))


def encoder_layer_norm_first(layers: Layers, x: Tensor) -> Tensor:
    (layer,) = layers
    x = x + self_attended(layer.self_attn, standardized(x, (-1,)), 2)
    inner = layer.linear1(standardized(x, (-1,)))
    return x + layer.linear2(inner * torch.special.ndtr(inner))


def decoder_layer(layers: Layers, x: Tensor, memory: Tensor) -> Tensor:
    (layer,) = layers
    x = standardized(x + self_attended(layer.self_attn, x, 2), (-1,))
    x = standardized(x + cross_attended(layer.multihead_attn, x, memory, 2), (-1,))
    return standardized(x + layer.linear2(layer.linear1(x).relu()), (-1,))


def causally_attended(layers: Layers, x: Tensor) -> Tensor:
    """Each step as if nothing came after it."""
    return torch.stack([self_attended(layers[0], x[:, : t + 1], 2)[:, -1] for t in range(x.shape[1])], 1)


def causal_encoder_layer(layers: Layers, x: Tensor) -> Tensor:
    return torch.stack([encoder_layer(layers, x[:, : t + 1])[:, -1] for t in range(x.shape[1])], 1)


def waves(steps: int, features: int, base: float) -> Tensor:
    rows = [
        [(math.cos if d % 2 else math.sin)(t / base ** (2 * (d // 2) / features)) for d in range(features)]
        for t in range(steps)
    ]
    return torch.tensor(rows)


def rnn_state(layers: Layers, x: Tensor) -> Tensor:
    (layer,) = layers
    state = torch.zeros(len(x), layer.hidden_size)
    for step in x.unbind(1):
        ours, theirs = F.linear(step, layer.weight_ih_l0, layer.bias_ih_l0), F.linear(state, layer.weight_hh_l0)
        state = torch.tanh(ours + theirs + layer.bias_hh_l0)
    return state


def response_norm(_: Layers, x: Tensor) -> Tensor:
    squares = F.pad(x**2, (0, 0, 0, 0, 1, 1)).unfold(1, 3, 1).sum(-1) / 3
    return x / (2 + 0.5 * squares) ** 0.75


def excited(layers: Layers, x: Tensor) -> Tensor:
    first, _, second, _ = layers
    inner = (x.mean((2, 3)) @ first.weight[:, :, 0, 0].T + first.bias).relu()
    gates = torch.sigmoid(inner @ second.weight[:, :, 0, 0].T + second.bias)
    return torch.einsum("nchw,nc->nchw", x, gates)


def by_channel(weight: Tensor, x: Tensor) -> Tensor:
    """(N, C, H, W) with a filter (C, 1, 3, 3) for each channel, and a border of one."""
    patches = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1)
    return torch.einsum("nchwkl,ckl->nchw", patches, weight[:, 0])


def subpixels(_: Layers, x: Tensor) -> Tensor:
    samples, _, height, width = x.shape
    return x.view(samples, 1, 2, 2, height, width).permute(0, 1, 4, 2, 5, 3).reshape(samples, 1, 2 * height, 2 * width)


def squares_of_places(_: Layers, x: Tensor) -> Tensor:
    parts = [x[:, :, row::2, column::2] for row in range(2) for column in range(2)]
    return torch.stack(parts, 2).flatten(1, 2)


ACTIVATIONS = [
    case("leaky_relu", VECTOR, lambda _, x: torch.where(x > 0, x, 0.2 * x), slope=0.2),
    case("prelu", VECTOR, lambda _, x: torch.where(x > 0, x, 0.25 * x)),
    case(
        "prelu",
        IMAGE,
        lambda layers, x: torch.where(x > 0, x, x * layers[0].weight[:, None, None]),
        per_channel=True,
        slope=0.5,
    ),
    case("elu", VECTOR, lambda _, x: torch.where(x > 0, x, 2 * (x.exp() - 1)), alpha=2.0),
    case("selu", VECTOR, lambda _, x: 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * (x.exp() - 1))),
    case("celu", VECTOR, lambda _, x: torch.where(x > 0, x, 2 * ((x / 2).exp() - 1)), alpha=2.0),
    case("silu", VECTOR, lambda _, x: x / (1 + (-x).exp())),
    case("mish", VECTOR, lambda _, x: x * torch.tanh(torch.log(1 + x.exp()))),
    case("relu6", VECTOR, lambda _, x: torch.where(x < 0, 0, torch.where(x > 6, 6, x))),
    case("softplus", VECTOR, lambda _, x: torch.log(1 + (2 * x).exp()) / 2, beta=2.0),
    case("softsign", VECTOR, lambda _, x: x / (1 + x.abs())),
    case("hardtanh", VECTOR, lambda _, x: torch.where(x < -0.5, -0.5, torch.where(x > 1, 1, x)), low=-0.5),
    case("hardsigmoid", VECTOR, lambda _, x: torch.where(x < -3, 0, torch.where(x > 3, 1, x / 6 + 0.5))),
    case("hardswish", VECTOR, lambda _, x: x * torch.where(x < -3, 0, torch.where(x > 3, 6, x + 3)) / 6),
    case("log_sigmoid", VECTOR, lambda _, x: -torch.log(1 + (-x).exp())),
    case("softshrink", VECTOR, lambda _, x: x.sign() * (x.abs() - 0.3).clamp(0), threshold=0.3),
    case("hardshrink", VECTOR, lambda _, x: x * (x.abs() > 0.3), threshold=0.3),
    case("tanhshrink", VECTOR, lambda _, x: x - torch.tanh(x)),
    case("threshold", VECTOR, lambda _, x: torch.where(x > 0.1, x, -2), threshold=0.1, value=-2.0),
    case("log_softmax", SEQUENCE, lambda _, x: x - x.exp().sum(-1, keepdim=True).log()),
    case("glu", IMAGE, lambda _, x: x[:, :2] / (1 + (-x[:, 2:]).exp())),
    case("glu", SEQUENCE, lambda _, x: x[..., :4] / (1 + (-x[..., 4:]).exp())),
]


def around(layers: Layers, x: Tensor) -> Tensor:
    """A residual block with fresh norms, which only divide by sqrt(1.00001)."""
    first, _, _, second, _, *rest = layers
    near = 1.00001**0.5
    inner = F.conv2d(
        (F.conv2d(x, first.weight, stride=first.stride, padding=1) / near).relu(), second.weight, padding=1
    )
    beside = F.conv2d(x, rest[0].weight, stride=rest[0].stride) / near if len(rest) > 1 else x
    return (inner / near + beside).relu()


CONVOLUTIONS = [
    case("residual", IMAGE, around),
    case("residual", IMAGE, around, filters=6, stride=2),
    case(
        "conv2d",
        IMAGE,
        lambda layers, x: torch.einsum(
            "nchwkl,fckl->nfhw", F.pad(x, (2, 2)).unfold(2, 3, 2).unfold(3, 5, 1), layers[0].weight
        ),
        filters=3,
        kernel_size=3,
        kernel_width=5,
        stride=2,
        stride_width=1,
        padding=0,
        padding_width=2,
        bias=False,
    ),
    case("squeeze_excitation", IMAGE, excited, reduction=2),
    case(
        "conv3d",
        VOLUME,
        lambda layers, x: (
            torch.einsum("nczhwijk,fcijk->nfzhw", x.unfold(2, 2, 1).unfold(3, 2, 1).unfold(4, 2, 1), layers[0].weight)
            + layers[0].bias[:, None, None, None]
        ),
        filters=3,
        kernel_size=2,
    ),
    case(
        "conv_transpose1d",
        SIGNAL,
        lambda layers, x: spread(x[..., None], F.pad(layers[0].weight[..., None], (0, 2)), layers[0].bias, 2)[..., 0],
        filters=3,
    ),
    case(
        "conv_transpose2d",
        IMAGE,
        lambda layers, x: spread(x, layers[0].weight, layers[0].bias, 2)[:, :, 1:-1, 1:-1],
        filters=3,
        padding=1,
    ),
    case(
        "conv_transpose2d",
        IMAGE,
        lambda layers, x: F.pad(spread(x, layers[0].weight, layers[0].bias, 2), (0, 1, 0, 1)) + edge(layers[0].bias, x),
        filters=2,
        output_padding=1,
    ),
    case(
        "conv_transpose3d",
        VOLUME,
        lambda layers, x: torch.stack(
            [spread(x[:, :, z], layers[0].weight[:, :, 0], layers[0].bias, 1) for z in range(x.shape[2])], 2
        ),
        filters=2,
        kernel_size=1,
        stride=1,
    ),
    case("depthwise_conv2d", IMAGE, lambda layers, x: by_channel(layers[0].weight, x), bias=False),
    case(
        "separable_conv2d",
        IMAGE,
        lambda layers, x: torch.einsum("nchw,fc->nfhw", by_channel(layers[0].weight, x), layers[1].weight[:, :, 0, 0]),
        filters=5,
        bias=False,
    ),
]


def edge(bias: Tensor, x: Tensor) -> Tensor:
    """The bias alone, in the last row and column that output padding adds to a stride of 2 and a filter of 3."""
    result = torch.zeros(1, len(bias), 2 * x.shape[2] + 2, 2 * x.shape[3] + 2)
    result[:, :, -1], result[:, :, :, -1] = bias[:, None], bias[:, None]
    return result


PHOTO = TensorSpec((3, 32, 40), "CHW")


def around_by_names(network: Any, path: str, x: Tensor) -> Tensor:
    """A residual block of torchvision with fresh norms."""
    near, first, second = 1.00001**0.5, *(network.get_submodule(f"{path}.conv{number}") for number in (1, 2))
    inner = (F.conv2d(x, first.weight, padding=1) / near).relu()
    return (F.conv2d(inner, second.weight, padding=1) / near + x).relu()


def first_quarter(layers: Layers, x: Tensor) -> Tensor:
    """ResNet-18 until a quarter of the size."""
    x = (F.conv2d(x, layers[0].conv1.weight, stride=2, padding=3) / 1.00001**0.5).relu()
    x = windows(F.pad(x, (1, 1, 1, 1)), 3, 2).amax(-1)
    return around_by_names(layers[0], "layer1.1", around_by_names(layers[0], "layer1.0", x))


def squeezed(layers: Layers, x: Tensor) -> Tensor:
    """SqueezeNet until half the size."""
    first = layers[0].get_submodule("features.0")
    return F.conv2d(x, first.weight, first.bias, stride=2).relu()


BACKBONES = [
    case("backbone", PHOTO, first_quarter, stage="1/4"),
    case("backbone", PHOTO, squeezed, network="squeezenet1_1", stage="1/2", weights="random"),
]

POOLS = [
    case("max_pool", SIGNAL, lambda _, x: windows(F.pad(x, (0, 3), value=-9.0), 5, 5).amax(-1), size=5, partial=True),
    case("max_pool", VOLUME, lambda _, x: windows(x, 2, 2).amax(-1)),
    case("average_pool", VOLUME, lambda _, x: windows(x, 2, 2).mean(-1)),
    case("lp_pool", IMAGE, lambda _, x: (windows(x, 2, 2) ** 2).sum(-1).sqrt()),
    case("lp_pool", SIGNAL, lambda _, x: (windows(x, 3, 1) ** 4).sum(-1) ** 0.25, power=4.0, size=3, stride=1),
    case("lp_pool", VOLUME, lambda _, x: (windows(x, 2, 2) ** 2).sum(-1).sqrt()),
    case("adaptive_average_pool", IMAGE, lambda _, x: x.unflatten(2, (2, 3)).unflatten(4, (2, 5)).mean((3, 5)), size=2),
    case("adaptive_average_pool", SIGNAL, lambda _, x: x.unflatten(2, (3, 4)).mean(3), size=3),
    case("adaptive_average_pool", VOLUME, lambda _, x: x.mean((2, 3, 4), keepdim=True)),
    case("adaptive_max_pool", IMAGE, lambda _, x: x.unflatten(2, (2, 3)).unflatten(4, (2, 5)).amax((3, 5)), size=2),
    case("adaptive_max_pool", SIGNAL, lambda _, x: x.amax(2, keepdim=True)),
    case("adaptive_max_pool", VOLUME, lambda _, x: x.amax((2, 3, 4), keepdim=True)),
    case("global_max_pool", IMAGE, lambda _, x: x.amax((2, 3))),
    case("global_max_pool", SEQUENCE, lambda _, x: x.amax(1)),
]

NORMS = [
    case("stochastic_depth", IMAGE, lambda _, x: x),
    case("batch_norm", VOLUME, lambda _, x: x / (1 + 1e-5) ** 0.5),
    case("group_norm", IMAGE, lambda _, x: standardized(x.unflatten(1, (2, 2)), (2, 3, 4)).flatten(1, 2), groups=2),
    case("group_norm", VECTOR, lambda _, x: standardized(x.unflatten(1, (4, 2)), (2,)).flatten(1, 2)),
    case("instance_norm", IMAGE, lambda _, x: standardized(x, (2, 3))),
    case("instance_norm", SIGNAL, lambda _, x: standardized(x, (2,), 0.1), learned=True, epsilon=0.1),
    case("instance_norm", VOLUME, lambda _, x: standardized(x, (2, 3, 4))),
    case("rms_norm", SEQUENCE, lambda _, x: x / ((x**2).mean(-1, keepdim=True) + 0.01).sqrt(), epsilon=0.01),
    case("local_response_norm", IMAGE, response_norm, size=3, alpha=0.5, k=2.0),
    case("spatial_dropout", IMAGE, lambda _, x: x),
    case("spatial_dropout", SIGNAL, lambda _, x: x),
    case("spatial_dropout", VOLUME, lambda _, x: x),
    case("alpha_dropout", VECTOR, lambda _, x: x, rate=0.5),
]

SEQUENCES = [
    case("rnn", SEQUENCE, rnn_state, units=5),
    case("rnn", SEQUENCE, lambda layers, x: layers[0](x)[0], units=5, nonlinearity="relu", output="sequence"),
    case("cross_attention", (SEQUENCE, TensorSpec((5, 6), "TD")), other_memory, heads=2),
    case(
        "cross_attention",
        (SEQUENCE, TensorSpec((5, 8), "TD")),
        lambda layers, x, memory: cross_attended(layers[0], x, memory, 2),
        heads=2,
    ),
    case("self_attention", SEQUENCE, causally_attended, heads=2, causal=True),
    case("positional_encoding", SEQUENCE, lambda _, x: x + waves(*x.shape[1:], 10_000.0)),
    case("positional_encoding", TensorSpec((4, 5), "TD"), lambda _, x: x + waves(4, 5, 100.0), base=100.0),
    case("position_embedding", SEQUENCE, lambda layers, x: x + layers[0].weight),
    case("position_embedding", SEQUENCE, lambda layers, x: x + layers[0].weight[:7], positions=9),
    case("transformer_encoder_layer", SEQUENCE, encoder_layer, heads=2, hidden=16),
    case("transformer_encoder_layer", SEQUENCE, causal_encoder_layer, heads=2, hidden=16, causal=True),
    case(
        "transformer_decoder_layer",
        (SEQUENCE, TensorSpec((5, 8), "TD")),
        lambda layers, x, memory: torch.stack(
            [decoder_layer(layers, x[:, : t + 1], memory)[:, -1] for t in range(x.shape[1])], 1
        ),
        heads=2,
        hidden=16,
        causal=True,
    ),
    case(
        "transformer_encoder_layer",
        SEQUENCE,
        encoder_layer_norm_first,
        heads=2,
        hidden=16,
        norm_first=True,
        activation="gelu",
    ),
    case("transformer_decoder_layer", (SEQUENCE, TensorSpec((5, 8), "TD")), decoder_layer, heads=2, hidden=16),
    case(
        "bilinear",
        (VECTOR, TensorSpec((3,), "D")),
        lambda layers, a, b: torch.einsum("ni,kij,nj->nk", a, layers[0].weight, b) + layers[0].bias,
        units=5,
    ),
]

RESIZES = [
    case("upsample", IMAGE, lambda _, x: x.repeat_interleave(3, 2).repeat_interleave(3, 3), factor=3),
    case("upsample", SIGNAL, lambda _, x: F.interpolate(x, size=24, mode="linear"), mode="linear"),
    case("upsample", VOLUME, lambda _, x: F.interpolate(x, size=(8, 12, 16), mode="trilinear"), mode="linear"),
    case("upsample", IMAGE, lambda _, x: F.interpolate(x, size=(12, 20), mode="bicubic"), mode="cubic"),
    case("pixel_shuffle", IMAGE, subpixels),
    case("pixel_unshuffle", IMAGE, squares_of_places),
    case("channel_shuffle", IMAGE, lambda _, x: x[:, [0, 2, 1, 3]]),
    case("pad", IMAGE, lambda _, x: F.pad(x, (2, 2, 2, 2)), size=2),
    case("pad", SIGNAL, lambda _, x: torch.cat((x[:, :, [2, 1]], x, x[:, :, [-2, -3]]), 2), size=2, mode="reflect"),
    case("pad", SIGNAL, lambda _, x: torch.cat((x[:, :, :1], x, x[:, :, -1:]), 2), mode="replicate"),
    case("pad", SIGNAL, lambda _, x: torch.cat((x[:, :, -1:], x, x[:, :, :1]), 2), mode="circular"),
    case("pad", VOLUME, lambda _, x: F.pad(x, (1,) * 6)),
]

SHAPES = [
    case("unflatten", VECTOR, lambda _, x: x.view(-1, 2, 4)),
    case("unflatten", IMAGE, lambda _, x: x.view(-1, 2, 2, 6, 10), axis=1, sizes=(2, 2)),
    case("permute", SEQUENCE, lambda _, x: x.mT),
    case("permute", IMAGE, lambda _, x: torch.einsum("nchw->nhwc", x), order=(2, 3, 1)),
    case("split", IMAGE, lambda _, x: x[:, :2]),
    case("split", SEQUENCE, lambda _, x: x[..., :2], axis=-1, parts=4),
    case("transpose", IMAGE, lambda _, x: torch.einsum("nchw->nwhc", x), first=1, second=3),
    case("squeeze", GREY, lambda _, x: x[:, 0], axis=1),
    case("unsqueeze", SEQUENCE, lambda _, x: x[:, None]),
    case("unsqueeze", SEQUENCE, lambda _, x: x[..., None], axis=-1),
    case("slice", IMAGE, lambda _, x: x[:, :, 1:5], axis=2, start=1, length=4),
    case("flip", SEQUENCE, lambda _, x: x[:, range(6, -1, -1)], axis=1),
    case("roll", SEQUENCE, lambda _, x: torch.cat((x[:, -2:], x[:, :-2]), 1), axis=1, places=2),
]

_COLUMN = TensorSpec((4, 1, 1), "CHW")

MERGES = [
    case("subtract", (IMAGE, IMAGE), lambda _, a, b: a + -1 * b),
    case(
        "multiply", (IMAGE, _COLUMN, IMAGE), lambda _, a, b, c: torch.einsum("nchw,nc,nchw->nchw", a, b[..., 0, 0], c)
    ),
    case("divide", (IMAGE, IMAGE), lambda _, a, b: a * b**-1),
    case("maximum", (VECTOR, VECTOR), lambda _, a, b: torch.where(a > b, a, b)),
    case("minimum", (VECTOR, VECTOR), lambda _, a, b: torch.where(a < b, a, b)),
    case("average", (IMAGE, IMAGE, IMAGE), lambda _, a, b, c: torch.stack((a, b, c)).mean(0)),
    case("stack", (SEQUENCE, SEQUENCE), lambda _, a, b: torch.cat((a[:, None], b[:, None]), 1)),
    case("stack", (VECTOR, VECTOR), lambda _, a, b: torch.cat((a[..., None], b[..., None]), -1), axis=-1),
    case(
        "matrix_product",
        (SEQUENCE, TensorSpec((8, 3), "TD")),
        lambda _, a, b: torch.einsum("ntd,nde->nte", a, b),
    ),
]


def turned(_: Layers, x: Tensor) -> Tensor:
    """Rotary positions with two heads of four features, base 100: pairs are complex numbers, turned."""
    heads = x.unflatten(-1, (2, 2, 2))  # N, T, head, half, pair
    numbers = torch.complex(heads[..., 0, :], heads[..., 1, :])
    angles = torch.arange(x.shape[1])[:, None, None] * torch.tensor([1.0, 0.1])
    result = numbers * torch.polar(torch.ones_like(angles), angles)
    return torch.stack((result.real, result.imag), -2).flatten(-3)


def causally_mixed(_: Layers, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.stack([attended(q[:, t : t + 1], k[:, : t + 1], v[:, : t + 1], 2)[:, 0] for t in range(q.shape[1])], 1)


ATTENTIONS = [
    case("rotary_positions", SEQUENCE, turned, heads=2, base=100.0),
    case("dot_product_attention", (SEQUENCE,) * 3, lambda _, q, k, v: attended(q, k, v, 4)),
    case("dot_product_attention", (SEQUENCE,) * 3, causally_mixed, heads=2, causal=True),
    case(
        "dot_product_attention",
        (SEQUENCE, TensorSpec((5, 8), "TD"), TensorSpec((5, 4), "TD")),
        lambda _, q, k, v: attended(q, k, v, 2),
        heads=2,
    ),
]

LEARNED = [
    case("custom_code", IMAGE, lambda _, x: x),
    case("learned_scale", IMAGE, lambda _, x: 0.5 * x, start=0.5),
    case("learned_scale", SEQUENCE, lambda _, x: 2.0 * x, axis=-1, start=2.0),
    case("constant", IMAGE, lambda _, x: torch.full((len(x), 2, 3), 7.0), shape=(2, 3), value=7.0),
    case(
        "learned_tensor",
        VECTOR,
        lambda layers, x: torch.stack([torch.normal(0, 0.1, (2, 3), generator=seeded()) for _ in x]),
        shape=(2, 3),
        deviation=0.1,
    ),
]


def seeded() -> torch.Generator:
    """As the test of meaning seeds what it builds."""
    return torch.Generator().manual_seed(7)


MATHEMATICS = [
    case("absolute", VECTOR, lambda _, x: torch.where(x < 0, -x, x)),
    case("power", VECTOR, lambda _, x: x * x * x, exponent=3),
    case("square_root", VECTOR, lambda _, x: torch.where(x > 0.01, x, 0.01) ** 0.5, epsilon=0.01),
    case("exponential", VECTOR, lambda _, x: 2.718281828459045**x),
    case(
        "logarithm", VECTOR, lambda _, x: torch.log2(torch.where(x > 0.01, x, 0.01)) / 1.4426950408889634, epsilon=0.01
    ),
    case("clamp", VECTOR, lambda _, x: torch.where(x < -0.5, -0.5, torch.where(x > 0.5, 0.5, x)), low=-0.5, high=0.5),
    case("affine", VECTOR, lambda _, x: -2 * x + 3, scale=-2.0, shift=3.0),
    case("normalize", SEQUENCE, lambda _, x: x / (x**2).sum(-1, keepdim=True) ** 0.5),
    case("normalize", IMAGE, lambda _, x: x / (x**2).sum(1, keepdim=True) ** 0.5, axis=1),
    case("mean", SEQUENCE, lambda _, x: sum(x.unbind(1)) / 7, axis=1),
    case("sum", IMAGE, lambda _, x: sum(x.unbind(3))[..., None], keep=True),
    case("largest", SEQUENCE, lambda _, x: x.sort(-1).values[..., -1]),
    case("smallest", VECTOR, lambda _, x: x.sort(-1).values[..., :1], keep=True),
]

ALL = [
    *ACTIVATIONS, *CONVOLUTIONS, *POOLS, *NORMS, *SEQUENCES, *RESIZES, *SHAPES, *MERGES, *MATHEMATICS, *LEARNED,
    *ATTENTIONS, *BACKBONES,
]  # fmt: skip
