"""What a module does, step by step, and what of it is only arithmetic with sizes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio.compile.tracing import tracing_alone
from studio.importing.errors import NetworkImportError
from studio.tensors import TensorSpec

BATCHES = (2, 3)  # a size that differs between the two is that of the batch
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)  # only these classes themselves, not those made from them


class BatchSize:
    """Stands for the number of samples where a network asks for it."""


@dataclass(frozen=True)
class Traced:
    """The steps of a module.

    Args:
        steps: placeholders, calls and the output, in order.
        constants: what steps give that does not depend on the samples.
        root: the module itself, in evaluation.
        whole: what these steps compute, as a module.
    """

    steps: tuple[fx.Node, ...]
    constants: dict[fx.Node, Any]
    root: nn.Module
    whole: nn.Module


def trace_module(module: nn.Module, inputs: tuple[TensorSpec, ...], until: str = "") -> Traced:
    """Follow a module's forward pass as in evaluation.

    Args:
        module: not changed.
        inputs: what it takes.
        until: path of the module with whose result to end; empty for the end.

    Raises:
        NetworkImportError: if what it does depends on the numbers that come, or it cannot take the inputs.
    """
    root = copy.deepcopy(module).eval()
    try:
        with tracing_alone():
            graph = fx.Tracer().trace(root)
    except Exception as error:  # any of the module's own, besides those of fx
        raise NetworkImportError(f"{type(module).__name__} cannot be followed step by step: {_line(error)}") from error
    if until:
        _cut(graph, until)
    traced = fx.GraphModule(root, graph)
    graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output"))
    traced.recompile()
    try:
        results = [_Recording(traced).values_for(inputs, batch) for batch in BATCHES]
    except Exception as error:
        shapes = " and ".join(f"({spec})" for spec in inputs)
        raise NetworkImportError(f"{type(module).__name__} does not take {shapes}: {_line(error)}") from error
    constants = {
        node: _constant(results[0][node], results[1][node])
        for node in graph.nodes
        if node.op != "output" and not _has_tensors(results[0][node])
    }
    return Traced(tuple(graph.nodes), constants, root, traced if until else root)


def _cut(graph: fx.Graph, until: str) -> None:
    """Let a graph end with the last step of a module."""
    inside = [node for node in graph.nodes if node.op != "output" and until in _modules_of(node)]
    if not inside:
        names = ", ".join(
            dict.fromkeys(path.split(".")[0] for node in graph.nodes for path in _modules_of(node) if path)
        )
        raise NetworkImportError(f"The network has no part “{until[:60]}”. Its parts are: {names}.")
    (end,) = (node for node in graph.nodes if node.op == "output")
    end.args = (inside[-1],)


def _modules_of(node: fx.Node) -> list[str]:
    """Paths of the modules in which a step stands, and of the layer that it calls."""
    stack = [path for path, _ in node.meta.get("nn_module_stack", {}).values()]
    return [*stack, str(node.target)] if node.op == "call_module" else stack


def sample(spec: TensorSpec, batch: int, seed: int = 0) -> Tensor:
    """Samples (N, *dims) of a kind that a network may meet; of tokens only the first two."""
    generator = torch.Generator().manual_seed(seed)
    if spec.dtype == "int":
        return torch.randint(2, (batch, *spec.dims), generator=generator)
    return torch.randn((batch, *spec.dims), generator=generator)


class _Recording(fx.Interpreter):
    """Runs the steps and tells what they give; of tensors nothing but that they are some."""

    def values_for(self, inputs: tuple[TensorSpec, ...], batch: int) -> dict[fx.Node, Any]:
        """What every step gives for so many samples."""
        # Not `run`, which begins a progress bar, and with it a thread that stays.
        self.args_iter = iter([sample(spec, batch) for spec in inputs])
        with torch.no_grad():
            for node in self.graph.nodes:
                self.env[node] = self.run_node(node)
        return {node: _without_numbers(value) for node, value in self.env.items()}


_TENSOR = object()


def _without_numbers(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _TENSOR
    if isinstance(value, tuple | list):
        return tuple(_without_numbers(item) for item in value)
    if isinstance(value, dict):
        return tuple(_without_numbers(item) for item in value.values())
    return value


def _has_tensors(value: Any) -> bool:
    return value is _TENSOR or (isinstance(value, tuple) and any(map(_has_tensors, value)))


def _constant(first: Any, second: Any) -> Any:
    if isinstance(first, tuple):
        return tuple(_constant(a, b) for a, b in zip(first, second, strict=True))
    return first if first == second else BatchSize()


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
