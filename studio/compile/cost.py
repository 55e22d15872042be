"""What a layer costs for one sample: floating-point operations and memory.

A multiplication and an addition count as one operation each. Counted is what a prediction takes: a Dropout is free, and
a batch norm scales and shifts with numbers that are fixed by then. A training step takes about three times as many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

Rule = Callable[[Any, Sequence[torch.Tensor], torch.Tensor], int]


def layer_flops(layer: nn.Module, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    """Operations of a layer for a whole batch; 0 if there is no rule for its class.

    Args:
        layer: one of the network's.
        inputs: what it is called on; only their shapes matter.
        output: its (first) result.
    """
    return LAYER_RULES.get(type(layer).__name__, _FREE)(layer, inputs, output)


def function_flops(name: str, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    """Operations of a function of torch for a whole batch; 0 if there is no rule for it."""
    return FUNCTION_RULES.get(name, _FREE)(None, inputs, output)


def memory_bytes(output: torch.Tensor, inputs: Sequence[torch.Tensor]) -> int:
    """Memory of a result for a whole batch; none if it is only another view of an input."""
    whole = {id(tensor._base if tensor._is_view() else tensor) for tensor in inputs}
    return 0 if output._is_view() and id(output._base) in whole else output.numel() * output.element_size()


def _linear(layer: nn.Linear, _inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    return output.numel() * (2 * layer.in_features + (layer.bias is not None))


def _convolution(layer: nn.Conv1d | nn.Conv2d, _inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    window = layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    return output.numel() * (2 * window + (layer.bias is not None))


def _recurrent(layer: nn.RNNBase, inputs: Sequence[torch.Tensor], _output: torch.Tensor) -> int:
    """Every weight is used once a step, and so is every bias; what the gates do to the state is left out."""
    samples, steps = inputs[0].shape[:2]  # N, T
    weights = sum(p.numel() for name, p in layer.named_parameters() if name.startswith("weight"))
    biases = sum(p.numel() for name, p in layer.named_parameters() if name.startswith("bias"))
    return samples * steps * (2 * weights + biases)


def _attention(layer: nn.MultiheadAttention, inputs: Sequence[torch.Tensor], _output: torch.Tensor) -> int:
    """Queries, keys, values and the output are projected; scores and weighted sums cost one pass each."""
    query, key = inputs[0], inputs[1]
    samples, targets, features = query.shape  # N, T, D
    sources, others = key.shape[1:]
    projections = 2 * targets * (2 * features + 1) * features + 2 * sources * (2 * others + 1) * features
    return samples * (projections + 2 * 2 * targets * sources * features)


def _transposed(layer: nn.ConvTranspose2d, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    """Every number that comes is multiplied into a whole filter for each channel that goes out."""
    window = layer.out_channels // layer.groups * math.prod(layer.kernel_size)
    return inputs[0].numel() * 2 * window + (output.numel() if layer.bias is not None else 0)


def _bilinear(layer: nn.Bilinear, _inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    pairs = layer.in1_features * layer.in2_features
    return output.numel() * (3 * pairs + (layer.bias is not None))


def _encoder_layer(layer: nn.TransformerEncoderLayer, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    """Attention and two dense layers, with an activation, two sums and two layer norms."""
    x = inputs[0]
    return _attention(layer.self_attn, (x, x), output) + _dense_part(layer, output) + 2 * (1 + 7) * output.numel()


def _decoder_layer(layer: nn.TransformerDecoderLayer, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    x, memory = inputs[0], inputs[1]
    attention = _attention(layer.self_attn, (x, x), output) + _attention(layer.multihead_attn, (x, memory), output)
    return attention + _dense_part(layer, output) + 3 * (1 + 7) * output.numel()


def _dense_part(layer: Any, output: torch.Tensor) -> int:
    steps = output.shape[0] * output.shape[1]  # N, T
    features, hidden = layer.linear1.in_features, layer.linear1.out_features
    return int(steps * (hidden * (2 * features + 1) + hidden + features * (2 * hidden + 1)))


def _window_of_windows(_layer: Any, inputs: Sequence[torch.Tensor], _output: torch.Tensor) -> int:
    """Adaptive windows cover what comes about once."""
    return inputs[0].numel()


def _pooling(layer: Any, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> int:
    places = inputs[0].dim() - 2  # axes without N and C
    size = layer.kernel_size
    return output.numel() * (math.prod(size) if isinstance(size, tuple) else int(size**places))


def _each_number(times: int) -> Rule:
    return lambda _layer, _inputs, output: times * output.numel()


def _each_input(_layer: Any, inputs: Sequence[torch.Tensor], _output: torch.Tensor) -> int:
    return inputs[0].numel()


_FREE = _each_number(0)

# One for each class of layers, and for each function, that a block uses; a test sees to it.
LAYER_RULES: dict[str, Rule] = {
    "Linear": _linear,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Conv3d": _convolution,
    "ConvTranspose1d": _transposed,
    "ConvTranspose2d": _transposed,
    "ConvTranspose3d": _transposed,
    "Bilinear": _bilinear,
    "RNN": _recurrent,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "MultiheadAttention": _attention,
    "TransformerEncoderLayer": _encoder_layer,
    "TransformerDecoderLayer": _decoder_layer,
    **{f"{prefix}Pool{n}d": _pooling for prefix in ("Max", "Avg", "LP") for n in (1, 2, 3)},
    **{f"Adaptive{prefix}Pool{n}d": _window_of_windows for prefix in ("Max", "Avg") for n in (1, 2, 3)},
    "BatchNorm1d": _each_number(2),
    "BatchNorm2d": _each_number(2),
    "BatchNorm3d": _each_number(2),
    "LayerNorm": _each_number(7),  # mean and variance too
    "GroupNorm": _each_number(7),
    **{f"InstanceNorm{n}d": _each_number(7) for n in (1, 2, 3)},
    "RMSNorm": _each_number(4),
    "LocalResponseNorm": _each_number(5),
    "ReLU": _each_number(1),
    "GELU": _each_number(1),
    "Sigmoid": _each_number(1),
    "Tanh": _each_number(1),
    "Softmax": _each_number(3),  # exponential, sum, quotient
    "LogSoftmax": _each_number(3),
    **dict.fromkeys(
        ("LeakyReLU", "PReLU", "ReLU6", "Hardtanh", "Threshold", "Softshrink", "Hardshrink"), _each_number(1)
    ),
    **dict.fromkeys(("ELU", "SELU", "CELU", "SiLU", "Softplus", "Softsign", "LogSigmoid"), _each_number(3)),
    **dict.fromkeys(("Hardsigmoid", "Hardswish", "Tanhshrink", "GLU"), _each_number(3)),
    "Mish": _each_number(5),
    "Upsample": _each_number(1),
    **dict.fromkeys(("PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Unflatten"), _FREE),
    **{f"{prefix}Pad{n}d": _FREE for prefix in ("Zero", "Reflection", "Replication", "Circular") for n in (1, 2, 3)},
    **{f"Dropout{n}d": _FREE for n in (1, 2, 3)},
    "AlphaDropout": _FREE,
    "Dropout": _FREE,
    "Embedding": _FREE,
    "Flatten": _FREE,
}
FUNCTION_RULES: dict[str, Rule] = {
    "add": _each_number(1),
    **dict.fromkeys(
        (
            "sub",
            "mul",
            "div",
            "maximum",
            "minimum",
            "abs",
            "clamp",
            "sqrt",
            "square",
            "sin",
            "cos",
            "floor",
            "cumsum",
            "where",
            "eq",
            "ne",
            "masked_fill",
        ),
        _each_number(1),
    ),
    **dict.fromkeys(("exp", "log", "pow", "gt"), _each_number(1)),
    "softmax": _each_number(3),
    "relu": _each_number(1),
    "layer_norm": _each_number(7),
    **dict.fromkeys(("mean", "sum", "amax", "amin"), _each_input),
    "matmul": lambda _layer, inputs, output: 2 * output.numel() * inputs[0].shape[-1],
    **dict.fromkeys(
        (
            "cat",
            "stack",
            "permute",
            "transpose",
            "squeeze",
            "unsqueeze",
            "narrow",
            "flip",
            "roll",
            "select",
            "ones_like",
            "zeros_like",
            "logical_or",
            "logical_not",
            "take_along_dim",
            "tile",
            "split",
            "triu",
            "argsort",
            "chunk",
            "contiguous",
            "view",
            "size",
            "floordiv",
            "getitem",
            "stochastic_depth",
        ),
        _FREE,
    ),
    "reshape": _FREE,
}
