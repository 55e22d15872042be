"""How the training script learns, as code: the optimizer, and what is done in each step and after each epoch."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from studio.compile.plan import Plan
from studio.export.script_schedules import ScheduleCode, schedule_code
from studio.settings import TrainingSettings
from studio.settings.parts import Gradients, Parameters
from studio.training.optimizers import pretrained_parts

OPTION_NAMES = {"lr": "LEARNING_RATE"}


@dataclass(frozen=True)
class LearningCode:
    """What stands for a `$` in the pieces of the script.

    Args:
        constants: name -> value.
        functions: what the steps and the optimizer need.
        pieces: by the names in script_text.
    """

    constants: dict[str, Any]
    functions: tuple[str, ...]
    pieces: dict[str, str]


def learning_code(settings: TrainingSettings, plan: Plan, loss: str) -> LearningCode:
    """The code of a run's settings.

    Args:
        plan: the network's.
        loss: the expression of the loss of `answers` and `targets`.

    Raises:
        ExportError: if something cannot be written as code.
    """
    schedule = schedule_code(settings.schedule, settings.optimizer)
    grouped = _is_grouped(settings, plan)
    counts = schedule is not None or settings.gradients.accumulate > 1
    constants = {
        **_optimizer_constants(settings, grouped),
        **(schedule.constants if schedule else {}),
        **_constants_of_steps(settings),
    }
    functions = [*(schedule.functions if schedule else ())]
    functions += [_grouping(settings)] if grouped else []
    functions += [_L1.format(pulled="" if settings.parameters.decay_biases else " and parameter.ndim > 1")] * (
        settings.parameters.l1 > 0
    )
    functions += [_SEARCH.format(loss=loss)] if settings.optimizer.searches else []
    return LearningCode(
        constants,
        tuple(functions),
        {
            **_passing(schedule, counts),
            "samples_of_epoch": _SAMPLES if counts else "",
            "learn": _step(settings, schedule, grouped, loss),
            "optimizer": settings.optimizer.torch_class,
            "groups": "parameter_groups(model)" if grouped else _LEARNING_ONES,
            "arguments": _arguments(settings),
            "initial": _INITIAL if schedule else "",
        },
    )


def _is_grouped(settings: TrainingSettings, plan: Plan) -> bool:
    """Whether some weights may go by other numbers than others."""
    if settings.optimizer.searches:
        return False
    own_rate = settings.parameters.backbone_rate != 1.0 and bool(pretrained_parts(plan))
    return own_rate or not settings.parameters.decay_biases


def _grouping(settings: TrainingSettings) -> str:
    pulled = "True" if settings.parameters.decay_biases else "parameter.ndim > 1"
    if settings.parameters.backbone_rate == 1.0:
        return _GROUPS.format(loop="parameter in model.parameters()", share="1.0", pulled=pulled)
    share = 'BACKBONE_RATE if name.startswith(tuple(f"{path}." for path in PRETRAINED)) else 1.0'
    return _GROUPS.format(loop="name, parameter in model.named_parameters()", share=share, pulled=pulled)


def _optimizer_constants(settings: TrainingSettings, grouped: bool) -> dict[str, Any]:
    given = {OPTION_NAMES.get(key, key.upper()): value for key, value in settings.optimizer.arguments().items()}
    own_rate = grouped and settings.parameters.backbone_rate != 1.0
    return {**given, **({"BACKBONE_RATE": settings.parameters.backbone_rate} if own_rate else {})}


def _constants_of_steps(settings: TrainingSettings) -> dict[str, Any]:
    usual, gradients = Gradients(), settings.gradients
    names = {"accumulate": "ACCUMULATE", "clip_norm": "CLIP_NORM", "clip_value": "CLIP_VALUE"}
    found = {
        constant: getattr(gradients, name)
        for name, constant in names.items()
        if getattr(gradients, name) != getattr(usual, name)
    }
    return {**found, **({"L1": settings.parameters.l1} if settings.parameters.l1 != Parameters().l1 else {})}


def _passing(schedule: ScheduleCode | None, counts: bool) -> dict[str, str]:
    """How `train` tells `train_epoch` where the run is."""
    remembers = schedule is not None and schedule.remembers
    counted = "place, (inputs, targets) in enumerate(data)" if counts else "inputs, targets in data"
    return {
        "taken": (", epoch: int, samples: int" if counts else "") + (", plateau: Plateau" if remembers else ""),
        "passed": (", epoch, learning.samples()" if counts else "") + (", plateau" if remembers else ""),
        "per_epoch": "    per_epoch = -(-samples // BATCH_SIZE)  # steps\n" if counts else "",
        "counted": counted,
        "remember": "    plateau = Plateau()\n" if remembers else "",
        "see": "        plateau.see(loss)\n" if remembers else "",
    }


def _arguments(settings: TrainingSettings) -> str:
    keys = [f"        {key}={OPTION_NAMES.get(key, key.upper())},\n" for key in settings.optimizer.arguments()]
    return "".join(keys) + (_FUSED if settings.optimizer.fused else "")


def _step(settings: TrainingSettings, schedule: ScheduleCode | None, grouped: bool, loss: str) -> str:
    """What is done with a batch."""
    lines = []
    if schedule:
        last = ", plateau" if schedule.remembers else ""
        lines += [f"set_rate(optimizer, (epoch - 1) * per_epoch + place, per_epoch{last})"]
    if settings.optimizer.searches:
        lines += ["loss, answers = search(model, optimizer, inputs, targets)"]
    else:
        lines += ["answers = model(inputs)", f"loss = {loss}"]
        update = _update(settings, grouped)
        if settings.gradients.accumulate == 1:
            lines += ["optimizer.zero_grad()", "loss.backward()", *update]
        else:
            lines += [*_ACCUMULATED.splitlines(), *(f"    {line}" for line in update)]
    return textwrap.indent("\n".join(lines) + "\n", " " * 8)


def _update(settings: TrainingSettings, grouped: bool) -> list[str]:
    """From gradients to weights."""
    lines, gradients = [], settings.gradients
    weights = "model.parameters()"
    if settings.parameters.l1:
        lines += ["add_l1(model)"]
    if grouped and (gradients.clip_norm or gradients.clip_value):
        lines += ['weights = [weight for group in optimizer.param_groups for weight in group["params"]]']
        weights = "weights"
    if gradients.clip_value:
        lines += [f"nn.utils.clip_grad_value_({weights}, CLIP_VALUE)"]
    if gradients.clip_norm:
        lines += [f"nn.utils.clip_grad_norm_({weights}, CLIP_NORM)"]
    return [*lines, "optimizer.step()"]


_LEARNING_ONES = "[parameter for parameter in model.parameters() if parameter.requires_grad]"
_FUSED = """\
        fused=device.type in ("cpu", "cuda"),  # one pass over all weights: faster, and rounded in its own way
"""
_INITIAL = """\
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]  # what the schedule multiplies
"""
_SAMPLES = '''
    def samples(self) -> int:
        """How many an epoch of training goes through."""
        rows = len(self.rows)
        return rows - 1 if rows > self.size > 1 and rows % self.size == 1 else rows
'''
_ACCUMULATED = """\
first = place - place % ACCUMULATE  # of the batches whose gradients are summed up for this step
together = min(ACCUMULATE * BATCH_SIZE, samples - first * BATCH_SIZE)
if place == first:
    optimizer.zero_grad()
(loss * (len(targets) / together)).backward()
if place + 1 in (first + ACCUMULATE, per_epoch):
"""
_L1 = '''
@torch.no_grad()
def add_l1(model: nn.Module) -> None:
    """Add the gradient of L1 times the sum of the sizes of the weights."""
    for parameter in model.parameters():
        if parameter.grad is not None{pulled}:
            parameter.grad.add_(parameter.sign(), alpha=L1)
'''
_GROUPS = '''
def parameter_groups(model: nn.Module) -> list[dict[str, object]]:
    """The weights that learn, by their share of the learning rate and by whether weight decay pulls them."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {{}}
    for {loop}:
        if parameter.requires_grad:
            share = {share}
            groups.setdefault((share, {pulled}), []).append(parameter)
    return [
        {{"params": parameters, "lr": LEARNING_RATE * share, "weight_decay": WEIGHT_DECAY if pulled else 0.0}}
        for (share, pulled), parameters in groups.items()
    ]
'''
_SEARCH = '''
def search(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A step of the optimizer, which looks at the batch again and again; loss and answers as it saw them first."""
    seen = []

    def look() -> torch.Tensor:
        optimizer.zero_grad()
        answers = model(inputs)
        loss = {loss}
        loss.backward()
        seen.append((loss.detach(), answers.detach()))
        return loss

    optimizer.step(look)
    return seen[0]
'''
