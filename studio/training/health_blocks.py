"""Which modules of a network belong to which block on the canvas, and what of them can be watched."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from studio.compile.plan import Plan, Step
from studio.graph.groups import GroupUse
from studio.graph.paths import join

# Never negative, and zero over a whole range without a gradient: a unit that never leaves it is dead.
_CAN_DIE = (nn.ReLU, nn.ReLU6)
# Bounds that numbers can come so near to that hardly any gradient passes.
_BOUNDS: dict[type[nn.Module], tuple[float, float]] = {
    nn.Sigmoid: (0.0, 1.0), nn.Hardsigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0), nn.Hardtanh: (-1.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
}  # fmt: skip
_MATRIX = 2  # axes of what is a weight rather than an offset


@dataclass(frozen=True)
class Activation:
    """A module whose results are looked at.

    Args:
        module: it.
        unit_axis: which axis of its result counts its units.
        can_die: whether a unit can be zero for good.
        bounds: between which its results lie; NaN for none.
    """

    module: nn.Module
    unit_axis: int
    can_die: bool
    bounds: tuple[float, float]


@dataclass(frozen=True)
class Watched:
    """A block that learns, or that can die or saturate.

    Args:
        node, name, kind, axes, answers: as in `BlockHealth`.
        weights: its learned tensors with two axes or more; if it has none, all of its learned tensors.
        parameters: numbers in it that learn.
        last: the module that gives its result; None if a function does.
        activations: those in it that can die or saturate.
    """

    node: str
    name: str
    kind: str
    axes: str
    answers: bool
    weights: tuple[nn.Parameter, ...]
    parameters: int
    last: nn.Module | None
    activations: tuple[Activation, ...]


def watched_blocks(plan: Plan, model: nn.Module) -> tuple[Watched, ...]:
    """The blocks of a network, in the order in which data passes through them.

    Args:
        plan: what the network was built from.
        model: as `build_network` made it.
    """
    found = (_watched(model, place) for place in _places(plan, "", "", set(plan.outputs)))
    return tuple(block for block in found if block.weights or block.activations)


@dataclass(frozen=True)
class _Place:
    step: Step
    node: str
    name: str
    answers: bool
    layers: tuple[str, ...]  # attributes of its layers, from the network on


def _places(plan: Plan, scope: str, prefix: str, answers: set[str]) -> Iterator[_Place]:
    for step in plan.steps:
        node, answering = join(scope, step.node.id), bool(answers & set(step.results))
        for number, part in enumerate(step.parts):
            last = answering and number == len(step.parts) - 1
            if isinstance(part, Plan) and isinstance(step.node.block, GroupUse):
                inner = set(part.outputs) if last else set()
                yield from _places(part, node, f"{prefix}{step.path(number)}.", inner)
                continue
            if isinstance(part, Plan):  # one block that is repeated
                layers = tuple(f"{step.path(number)}.{name}" for name, _ in part.named_layers())
            else:
                layers = (step.path(number),) if step.is_repeated else step.layer_names
            name = f"{step.node.name} ({number + 1})" if step.is_repeated else step.node.name
            yield _Place(step, node, name, last, tuple(prefix + layer for layer in layers))


def _watched(model: nn.Module, place: _Place) -> Watched:
    parts = [operator.attrgetter(layer)(model) for layer in place.layers]
    modules = [part for part in parts if isinstance(part, nn.Module)]
    learned = [p for part in parts for p in (part.parameters() if isinstance(part, nn.Module) else (part,))]
    learned = [p for p in learned if p.requires_grad]
    matrices = [p for p in learned if p.ndim >= _MATRIX]
    axes = place.step.parts[-1].specs[0].axes
    return Watched(
        place.node, place.name, place.step.node.block.kind, axes, place.answers,
        tuple(matrices or learned), sum(p.numel() for p in learned), modules[-1] if modules else None,
        tuple(found for module in modules for inner in module.modules() if (found := _activation(inner, axes))),
    )  # fmt: skip


def _activation(module: nn.Module, axes: str) -> Activation | None:
    can_die, bounds = isinstance(module, _CAN_DIE), _BOUNDS.get(type(module), (math.nan, math.nan))
    if isinstance(module, nn.RNN):
        can_die = module.nonlinearity == "relu"
        bounds = bounds if can_die else (-1.0, 1.0)
        axes = "TD"
    if not can_die and math.isnan(bounds[0]):
        return None
    return Activation(module, 1 + axes.index("C") if "C" in axes else -1, can_die, bounds)
