"""Where a network looks: the attention weights that it gave to a sample, in every head of every layer that has such.

The weights are computed once more from what a layer gets, by hooks that answer nothing, so the network answers as ever.

Axis letters: N samples, H heads, T queries, S keys.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio.compile.plan import Plan, Step
from studio.evaluation.explain.watching import Watch, watched
from studio.evaluation.trained import Trained

_ARGUMENTS = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask", "average_attn_weights",
              "is_causal")  # fmt: skip
_PARTS = {"self_attn": "", "multihead_attn": "to the memory"}  # of PyTorch's layers, in words


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """The weights of one layer for one sample.

    Args:
        path: of the layer in the network.
        weights: (H, T, S) float32. Each row sums up to 1; one whose keys are all hidden is 0.
        queries, keys: numbers of the Inputs from which their steps come.
    """

    path: str
    weights: Tensor
    queries: int
    keys: int

    @property
    def title(self) -> str:
        """The block, its repetition and its part, in words."""
        return layer_title(self.path)


def layer_title(path: str) -> str:
    """The path of a layer in words: numbers of repetitions count from 1."""
    words = [_PARTS.get(part, str(int(part) + 1) if part.isdigit() else part) for part in path.split(".")]
    return " · ".join(word for word in words if word)


def attention_layers(model: nn.Module) -> list[str]:
    """The layers of a network that have attention weights, by their paths."""
    ready = [path for path, layer in model.named_modules() if isinstance(layer, nn.MultiheadAttention)]
    return ready + [path for path, _ in _written_out(model)]


def _written_out(model: nn.Module) -> Iterator[tuple[str, bool]]:
    """Layers through which the weights of an attention pass that was built of single operations.

    That is a Softmax whose result is multiplied with values, or a Dropout between the two; whether it is one.
    """
    for prefix, level in model.named_modules():
        if not isinstance(level, fx.GraphModule):
            continue
        for node in level.graph.nodes:
            if node.op != "call_module" or not _is_multiplied(node):
                continue
            layer = level.get_submodule(str(node.target))
            path = f"{prefix}.{node.target}" if prefix else str(node.target)
            if isinstance(layer, nn.Softmax):
                yield path, False
            elif isinstance(layer, nn.Dropout) and _is_softmax(level, node.args[0]):
                yield path, True


def _is_multiplied(node: fx.Node) -> bool:
    return any(user.target is torch.matmul and user.args[0] is node for user in node.users)


def _is_softmax(level: fx.GraphModule, node: object) -> bool:
    if not isinstance(node, fx.Node):
        return False
    if node.op == "call_module":
        return isinstance(level.get_submodule(str(node.target)), nn.Softmax)
    return node.target is torch.softmax


def attention_of(trained: Trained, inputs: tuple[Tensor, ...], watch: Watch | None = None) -> list[AttentionMap]:
    """The attention weights of a sample, in the order in which its layers come.

    Args:
        inputs: one tensor (1, *dims) for each Input, as the network gets it.
        watch: as in `Method.explain`.
    """
    found: dict[str, Tensor] = {}
    with _kept(trained.model, found), watched(trained.model, watch), torch.no_grad():
        trained.model(*inputs)
    maps = []
    for path, weights in found.items():
        queries, keys = steps_from(trained.plan, path)
        heads = weights[0].float().nan_to_num(0.0).cpu()  # nan: every key of that row is hidden
        maps.append(AttentionMap(path, heads.reshape(-1, *heads.shape[-2:]), queries, keys))
    return maps


@contextlib.contextmanager
def _kept(model: nn.Module, found: dict[str, Tensor]) -> Iterator[None]:
    handles = []
    for path, layer in model.named_modules():
        if isinstance(layer, nn.MultiheadAttention):
            handles.append(layer.register_forward_hook(_recomputed(path, found), with_kwargs=True))
    for path, is_behind in _written_out(model):
        handles.append(model.get_submodule(path).register_forward_hook(_passing(path, found, is_behind)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _recomputed(path: str, found: dict[str, Tensor]) -> Callable[..., None]:
    def keep(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], _answer: object) -> None:
        given = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs}
        given |= {"need_weights": True, "average_attn_weights": False}
        # Not called as a module: that would run this hook again.
        assert isinstance(layer, nn.MultiheadAttention)
        weights = nn.MultiheadAttention.forward(layer, **given)[1]
        assert weights is not None
        found[path] = weights

    return keep


def _passing(path: str, found: dict[str, Tensor], is_behind: bool) -> Callable[..., None]:
    def keep(_layer: nn.Module, args: tuple[Tensor, ...], answer: Tensor) -> None:
        weights = args[0] if is_behind else answer
        if weights.ndim in (3, 4):
            found[path] = weights

    return keep


def rollout(maps: Sequence[Tensor]) -> Tensor:
    """How much of each step reaches each step through several layers of self-attention, (T, T); rows sum up to 1.

    Half of what a layer gives is taken to come by the way around its attention, and heads to count the same.

    Args:
        maps: the weights (H, T, T) of each layer, the first one first.

    Source: Abnar and Zuidema, "Quantifying attention flow in transformers", 2020.
    """
    steps = maps[0].shape[-1]
    reached = torch.eye(steps)
    for weights in maps:
        mean = weights.mean(0)
        around = 0.5 * (mean + torch.eye(steps))
        reached = (around / around.sum(1, keepdim=True)) @ reached
    return reached


def rollable(maps: Sequence[AttentionMap]) -> dict[int, list[AttentionMap]]:
    """By the number of an Input the layers in which its steps look at each other, where there are several of a size."""
    found: dict[int, list[AttentionMap]] = {}
    for each in maps:
        if each.queries == each.keys and each.weights.shape[1] == each.weights.shape[2]:
            found.setdefault(each.queries, []).append(each)
    return {
        which: layers
        for which, layers in found.items()
        if len(layers) > 1 and len({layer.weights.shape[1] for layer in layers}) == 1
    }


def steps_from(plan: Plan, path: str) -> tuple[int, int]:
    """From which Inputs the queries and the keys of a layer come, by following the first input of every block back.

    Args:
        plan: of the network, or of a group.
        path: of the layer there.
    """
    step, inner = _step_at(plan, path)
    if inner is not None:
        part, rest = inner
        queries, keys = (step.sources[number] for number in steps_from(part, rest))
    else:
        queries, keys = _own_sources(plan, step, path)
    return _origin(plan, queries), _origin(plan, keys)


def _step_at(plan: Plan, path: str) -> tuple[Step, tuple[Plan, str] | None]:
    """The step that a layer is in, and if that is a group, or a block that is repeated, the rest of the way."""
    for step in plan.steps:
        for number, part in enumerate(step.parts):
            if isinstance(part, Plan):
                prefix = f"{step.path(number)}."
                if path.startswith(prefix):
                    return step, (part, path[len(prefix) :])
                continue
            names = (step.path(number),) if step.is_repeated else step.layer_names
            if any(path == name or path.startswith(f"{name}.") for name in names):
                return step, None
    raise AssertionError(f"no block has the layer {path}")


def _own_sources(plan: Plan, step: Step, path: str) -> tuple[str, str]:
    inputs = step.sources[: len(step.node.block.inputs)]
    if path.endswith(".self_attn"):
        return inputs[0], inputs[0]
    if len(inputs) > 1:
        return inputs[0], inputs[1]
    return _product(plan, inputs[0]) if step.node.block.kind in ("softmax", "dropout") else (inputs[0], inputs[0])


def _product(plan: Plan, value: str) -> tuple[str, str]:
    """The two values whose product a value is made of, or the value itself twice."""
    while (step := _maker(plan, value)) is not None:
        inputs = step.sources[: len(step.node.block.inputs)]
        if step.node.block.kind == "matrix_product":
            return inputs[0], inputs[1]
        if len(inputs) != 1:
            break
        value = inputs[0]
    return value, value


def _maker(plan: Plan, value: str) -> Step | None:
    return next((step for step in plan.steps if value in step.results), None)


def _origin(plan: Plan, value: str) -> int:
    while (step := _maker(plan, value)) is not None:
        value = step.sources[0]
    return next(number for number, (name, _) in enumerate(plan.inputs) if name == value)
