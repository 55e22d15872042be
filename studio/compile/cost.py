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
    sources = key.shape[1]
    projections = (2 * targets + 2 * sources) * (2 * features * features + features)
    return samples * (projections + 2 * 2 * targets * sources * features)


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
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "MultiheadAttention": _attention,
    "MaxPool1d": _pooling,
    "MaxPool2d": _pooling,
    "AvgPool1d": _pooling,
    "AvgPool2d": _pooling,
    "BatchNorm1d": _each_number(2),
    "BatchNorm2d": _each_number(2),
    "LayerNorm": _each_number(7),  # mean and variance too
    "ReLU": _each_number(1),
    "GELU": _each_number(1),
    "Sigmoid": _each_number(1),
    "Tanh": _each_number(1),
    "Softmax": _each_number(3),  # exponential, sum, quotient
    "Dropout": _FREE,
    "Embedding": _FREE,
    "Flatten": _FREE,
}
FUNCTION_RULES: dict[str, Rule] = {
    "add": _each_number(1),
    "mean": _each_input,
    "cat": _FREE,
    "reshape": _FREE,
}
