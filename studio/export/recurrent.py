"""Recurrent layers for torch.export, at any length.

Without this, torch.export unrolls a recurrent layer step by step, which fixes the length. It is a change to all of
torch: only a process that exports makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C import DispatchKey
from torch._decomp import meta_table

_aten = torch.ops.aten


def keep_whole() -> None:
    """Let torch.export take recurrent layers as one operation each."""
    for operation in (_aten.gru.input, _aten.rnn_tanh.input, _aten.rnn_relu.input, _aten.lstm.input):
        for key in (DispatchKey.Autograd, DispatchKey.CompositeImplicitAutograd):
            operation.py_kernels[key] = _shapes  # in place of what takes them apart
        operation._dispatch_cache.clear()
        meta_table[operation] = _shapes  # a table that is asked before that of decompositions


def _shapes(x: Tensor, start: Tensor | Sequence[Tensor], *others: Any) -> tuple[Tensor, ...]:
    """What a recurrent layer gives, without numbers: all states of the last layer, and the last states of all."""
    bidirectional = others[5]
    states = [start] if isinstance(start, Tensor) else list(start)
    whole = x.new_empty((*x.shape[:2], states[0].shape[-1] * (2 if bidirectional else 1)))
    return (whole, *(torch.empty_like(state) for state in states))
