"""Plain recurrent layers in ONNX, which the exporter of PyTorch does not know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch


def translations() -> dict[Any, Callable[..., Any]]:
    """For the exporter: what stands for which operation."""

    def tanh(*given: Any) -> tuple[Any, Any]:
        return _layers("Tanh", *given)

    def relu(*given: Any) -> tuple[Any, Any]:
        return _layers("Relu", *given)

    return {torch.ops.aten.rnn_tanh.input: tanh, torch.ops.aten.rnn_relu.input: relu}


def _layers(
    activation: str, x: Any, start: Any, params: Sequence[Any], biases: bool, layers: int, dropout: float, train: bool,
    bidirectional: bool, batch_first: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """As aten::rnn_tanh.input: all states (N, T, D) of the last layer, and the last ones of each (layers, N, units)."""
    from onnxscript import opset18 as op

    directions = 2 if bidirectional else 1
    assert biases
    assert batch_first
    x = op.Transpose(x, perm=[1, 0, 2])
    lasts = []
    for layer in range(layers):
        mine = [params[4 * number : 4 * number + 4] for number in range(layer * directions, (layer + 1) * directions)]
        inward, around, bias_in, bias_around = ([op.Unsqueeze(each[part], [0]) for each in mine] for part in range(4))
        bias = [op.Concat(one, other, axis=1) for one, other in zip(bias_in, bias_around, strict=True)]
        states, last = op.RNN(
            x, _stacked(op, inward), _stacked(op, around), _stacked(op, bias), None,
            op.Slice(start, [layer * directions], [(layer + 1) * directions], [0]),
            activations=[activation] * directions, direction="bidirectional" if bidirectional else "forward",
            hidden_size=start.shape[2],
        )  # fmt: skip
        lasts.append(last)
        # (T, directions, N, units) to (T, N, directions * units)
        x = op.Reshape(op.Transpose(states, perm=[0, 2, 1, 3]), [0, 0, -1])
    return op.Transpose(x, perm=[1, 0, 2]), _stacked(op, lasts)


def _stacked(op: Any, parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else op.Concat(*parts, axis=0)
