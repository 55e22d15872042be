"""Chance that is nobody else's: a run in another thread draws from torch's global generator, and must not notice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_DRAWING = {
    torch.normal, torch.bernoulli, torch.rand, torch.randn, torch.randint, torch.randperm, torch.multinomial,
    nn.init.uniform_, nn.init.kaiming_uniform_, torch.Tensor.normal_, torch.Tensor.bernoulli_, torch.Tensor.uniform_,
    torch.Tensor.random_,
}  # fmt: skip


class _OwnGenerator(TorchFunctionMode):
    """Gives a generator of its own to all that draws, in one thread."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWING and kwargs.get("generator") is None and not _elsewhere(args, kwargs):
            kwargs = {**kwargs, "generator": self.generator}
        return func(*args, **kwargs)


def _elsewhere(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the numbers are drawn on a GPU, which has generators of its own."""
    devices = [a.device for a in args if isinstance(a, torch.Tensor)] + [torch.device(kwargs.get("device") or "cpu")]
    return any(device.type != "cpu" for device in devices)


@contextlib.contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Within it torch draws by the seed alone, and numpy's global state is put back at the end."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        with _OwnGenerator(seed):
            yield
    finally:
        np.random.set_state(state)
