"""Parts of torchvision's networks as layers: how they are built, and what they give and cost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.overrides import TorchFunctionMode

from studio.compile.cost import function_flops, layer_flops, memory_bytes
from studio.compile.tracing import tracing_alone

FEATURES = "features"  # the key of what a backbone gives
# What the source of a backbone needs, and from where.
BACKBONE_IMPORTS = {
    "get_model": "torchvision.models",
    "create_feature_extractor": "torchvision.models.feature_extraction",
}


def build_backbone(network: str, node: str) -> nn.Module:
    """A network of torchvision up to a node, with fresh weights; it gives a dictionary.

    Within `torch.device("meta")` its weights have no numbers, as those of other layers.
    """
    from torchvision.models import get_model
    from torchvision.models.feature_extraction import create_feature_extractor

    with _RealNumbers():
        model = get_model(network, weights=None)
    with tracing_alone():
        extractor: nn.Module = create_feature_extractor(model, {node: FEATURES})
    return extractor


class _RealNumbers(TorchFunctionMode):
    """Keeps numbers that are given off the meta device: from some, a constructor computes the sizes of its layers."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.arange, torch.tensor):
            kwargs.setdefault("device", "cpu")
        return func(*args, **kwargs)


@dataclass(frozen=True)
class Measured:
    """What a backbone makes of a batch.

    Args:
        size: of its features (N, C, H, W).
        parameters: learned numbers.
        flops, memory: for the whole batch; see `studio.compile.cost`.
    """

    size: tuple[int, ...]
    parameters: int
    flops: int
    memory: int


def measure(network: str, node: str, size: Sequence[int]) -> Measured:
    """What a backbone makes of images (N, 3, H, W), found without any numbers."""
    with unset_fake_temporarily(), torch.no_grad(), torch.device("meta"):
        steps, parameters = _steps(network, node)
        meter = _Meter(steps)
        features = meter.features(torch.empty(tuple(size)))
    return Measured(tuple(features.shape), parameters, meter.flops, meter.memory)


@functools.lru_cache(maxsize=100)
def _steps(network: str, node: str) -> tuple[fx.GraphModule, int]:
    """A backbone as for a prediction, with torch's own layers as its steps, and its parameters. Without numbers."""
    backbone = build_backbone(network, node).eval()
    with tracing_alone():
        graph = fx.Tracer().trace(backbone)
    return fx.GraphModule(backbone, graph), sum(p.numel() for p in backbone.parameters())


class _Meter(fx.Interpreter):
    """Runs the steps of a network and adds up what they cost."""

    def __init__(self, steps: fx.GraphModule) -> None:
        super().__init__(steps)
        self.flops = 0
        self.memory = 0

    def features(self, x: Tensor) -> Tensor:
        # Not `run`, which begins a progress bar, and with it a thread that stays.
        self.args_iter = iter([x])
        answer: dict[str, Tensor] = {}
        for node in self.graph.nodes:
            answer = self.env[node] = self.run_node(node)
        return answer[FEATURES]

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._counted(
            partial(layer_flops, self.fetch_attr(target)), args, super().call_module(target, args, kwargs)
        )

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = super().call_function(target, args, kwargs)
        return self._counted(partial(function_flops, target.__name__), args, result)

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = super().call_method(target, args, kwargs)
        return self._counted(partial(function_flops, target), args, result)

    def _counted(self, rule: Callable[..., int], args: tuple[Any, ...], result: Any) -> Any:
        """The result of a step, after it was added to the costs."""
        given, made = _tensors(args), _tensors(result)
        self.flops += rule(given, made[0]) if made else 0
        self.memory += sum(memory_bytes(tensor, given) for tensor in made)
        return result


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, tuple | list):
        return [tensor for item in value for tensor in _tensors(item)]
    return [value] if isinstance(value, Tensor) else []
