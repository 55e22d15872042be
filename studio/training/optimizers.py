"""The optimizer of a run: its class in torch, and groups of weights that go by other rates or without weight decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from studio.compile.layers import BackboneSpec
from studio.compile.plan import Plan
from studio.settings import TrainingSettings

SHARE, DECAYS = "share", "decays"  # of a group: its part of the learning rate, and whether weight decay pulls it


def make_optimizer(
    settings: TrainingSettings, model: nn.Module, plan: Plan, device: torch.device
) -> torch.optim.Optimizer:
    """What moves the weights that are to learn.

    Args:
        plan: that of the model; it tells which parts are backbones.
    """
    chosen = settings.optimizer
    fused = {"fused": True} if chosen.fused and device.type in ("cpu", "cuda") else {}
    made: torch.optim.Optimizer = getattr(torch.optim, chosen.torch_class)(
        _groups(settings, model, plan), **chosen.arguments(), **fused
    )
    set_options(made, settings)
    return made


def set_options(optimizer: torch.optim.Optimizer, settings: TrainingSettings) -> None:
    """Give each group what the settings say; a schedule multiplies its `initial_lr`."""
    for group in optimizer.param_groups:
        options = settings.optimizer.arguments()
        options["lr"] *= group.get(SHARE, 1.0)
        if not group.get(DECAYS, True) and "weight_decay" in options:
            options["weight_decay"] = 0.0
        group.update({**options, "initial_lr": options["lr"]})


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float) -> None:
    """Give each group another momentum, where the optimizer has one, or the first of two betas in its place."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        elif "momentum" in group:
            group["momentum"] = momentum


def _groups(settings: TrainingSettings, model: nn.Module, plan: Plan) -> list[Any]:
    """The weights in one list, where all go by the same numbers; else in groups that say what they go by."""
    learning = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    backbones = tuple(f"{path}." for path in pretrained_parts(plan))
    rate, decay_all = settings.parameters.backbone_rate, settings.parameters.decay_biases or settings.optimizer.searches
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, tensor in learning.items():
        share = rate if backbones and name.startswith(backbones) else 1.0
        groups.setdefault((share, decay_all or tensor.ndim > 1), []).append(tensor)
    if list(groups) == [(1.0, True)]:
        return list(learning.values())
    return [{"params": tensors, SHARE: share, DECAYS: decays} for (share, decays), tensors in groups.items()]


def pretrained_parts(plan: Plan) -> list[str]:
    """Paths of the backbones that begin with learned weights."""
    return [path for path, layer in plan.named_layers() if isinstance(layer, BackboneSpec) and layer.weights]
