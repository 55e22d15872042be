"""Looks into a network at work, so that a person may give up in the middle of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

Watch = Callable[[int], None]  # how many samples the network was asked so far; may raise to give up


@contextlib.contextmanager
def watched(model: nn.Module, watch: Watch | None) -> Iterator[None]:
    """Tell `watch` before every layer of a pass through the network, which may take long as a whole."""
    if watch is None:
        yield
        return
    asked = 0

    def count(_model: nn.Module, inputs: tuple[Any, ...]) -> None:
        nonlocal asked
        asked += len(inputs[0]) if inputs and isinstance(inputs[0], Tensor) else 0

    def tell(_layer: nn.Module, _inputs: tuple[Any, ...]) -> None:
        watch(asked)

    layers = [layer for layer in model.modules() if not any(layer.children())]
    handles = [model.register_forward_pre_hook(count)]
    handles += [layer.register_forward_pre_hook(tell) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
