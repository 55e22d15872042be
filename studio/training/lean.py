"""Steps of torch's own fused optimizers without what torch looks up again in every step: a tenth of a tiny step.

The same operators are called on the same tensors, so the results are the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

Group = dict[str, Any]
_RULES_OF_TORCH = ("amsgrad", "maximize", "capturable", "differentiable")


@dataclass(frozen=True)
class Kept:
    """What a group of parameters has in an optimizer: its tensors, in the order of the parameters."""

    parameters: list[Tensor]
    steps: list[Tensor]
    first: list[Tensor]  # mean of the gradient, or momentum
    second: list[Tensor]  # mean of its square


def kept_by(optimizer: torch.optim.Optimizer) -> list[Kept] | None:
    """What each group of an optimizer has; None before its first step, and where a parameter was never moved."""
    found = []
    for group in optimizer.param_groups:
        names = ("momentum_buffer",) if isinstance(optimizer, torch.optim.SGD) else ("step", "exp_avg", "exp_avg_sq")
        wanted = () if group.get("momentum") == 0 else names
        states = [optimizer.state.get(parameter, {}) for parameter in group["params"]]
        if any(state.get(name) is None for state in states for name in wanted):
            return None
        lists = {name: [state[name] for state in states] for name in wanted}
        first = lists.get("exp_avg", lists.get("momentum_buffer", []))
        found.append(Kept(group["params"], lists.get("step", []), first, lists.get("exp_avg_sq", [])))
    return found


def _adam_step(operator: Callable[..., None]) -> Callable[[Group, Kept, list[Tensor]], None]:
    def step(group: Group, kept: Kept, gradients: list[Tensor]) -> None:
        beta1, beta2 = group["betas"]
        torch._foreach_add_(kept.steps, 1.0)
        operator(
            kept.parameters, gradients, kept.first, kept.second, [], kept.steps, amsgrad=False, lr=group["lr"],
            beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"], eps=group["eps"], maximize=False,
            grad_scale=None, found_inf=None,
        )  # fmt: skip

    return step


def _sgd_step(group: Group, kept: Kept, gradients: list[Tensor]) -> None:
    buffers: list[Tensor | None] = [*kept.first] or [None] * len(gradients)
    sgd(
        kept.parameters, gradients, buffers, foreach=False, fused=True, weight_decay=group["weight_decay"],
        momentum=group["momentum"], lr=group["lr"], dampening=group["dampening"], nesterov=group["nesterov"],
        maximize=False,
    )  # fmt: skip


_STEPS: dict[type, Callable[[Group, Kept, list[Tensor]], None]] = {
    torch.optim.Adam: _adam_step(torch._fused_adam_), torch.optim.AdamW: _adam_step(torch._fused_adamw_),
    torch.optim.SGD: _sgd_step,
}  # fmt: skip


def reaches(optimizer: torch.optim.Optimizer) -> bool:
    """Whether an optimizer's steps can be done here."""
    return type(optimizer) in _STEPS and all(map(_is_plain, optimizer.param_groups))


def _is_plain(group: Group) -> bool:
    of_one_kind = len({(parameter.device, parameter.dtype) for parameter in group["params"]}) == 1
    whole = all(type(parameter) is nn.Parameter for parameter in group["params"])  # not in parts, among processes
    special = any(group.get(name) for name in _RULES_OF_TORCH) or isinstance(group["lr"], Tensor)
    return bool(group["fused"]) and of_one_kind and whole and not special


@dataclass
class Lean:
    """Does an optimizer's steps in its place; all that has to be kept is in the optimizer.

    Args:
        optimizer: one for which `reaches` holds.
    """

    optimizer: torch.optim.Optimizer
    _seen: object = field(default=None, init=False)
    _kept: list[Kept] = field(default_factory=list, init=False)

    def step(self) -> None:
        """One step with the gradients that the parameters have."""
        optimizer = self.optimizer
        if self._seen is not optimizer.state:  # the first step, or a checkpoint was read
            optimizer.step()
            found = kept_by(optimizer)
            if found is not None:
                self._seen, self._kept = optimizer.state, found
            return
        gradients = []
        for kept in self._kept:
            some = [gradient for parameter in kept.parameters if (gradient := parameter.grad) is not None]
            if len(some) < len(kept.parameters):  # what has no gradient is not moved
                optimizer.step()
                return
            gradients.append(some)
        function = _STEPS[type(optimizer)]
        with torch.no_grad():
            for group, kept, some in zip(optimizer.param_groups, self._kept, gradients, strict=True):
                function(group, kept, some)
