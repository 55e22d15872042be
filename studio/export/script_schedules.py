"""The schedules of the training script, as code; `studio.settings.schedules` has the same formulas."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.export.formats import ExportError
from studio.fields import specs
from studio.settings import Optimizer, Schedule
from studio.settings.schedules import (
    Constant,
    Cosine,
    Exponential,
    Milestones,
    OneCycle,
    Plateau,
    Polynomial,
    Restarts,
    Steps,
    Warmed,
)


@dataclass(frozen=True)
class ScheduleCode:
    """A schedule that moves the rate.

    Args:
        constants: name -> value, with what it goes.
        functions: `set_rate(optimizer, step, per_epoch)`, and what that needs.
        remembers: whether there is a `Plateau`, too, which `set_rate` takes as its last argument.
    """

    constants: Mapping[str, Any]
    functions: tuple[str, ...]
    remembers: bool


_WARMUP = """\
warmup = min(round(WARMUP_EPOCHS * per_epoch), total)
if step < warmup:
    return (step + 1) / warmup
step, total = step - warmup, total - warmup
"""
_WAVE = "FLOOR + (1.0 - FLOOR) * (1.0 + math.cos(math.pi * share)) / 2.0"
_RESTARTS = f"""\
length = max(1, round(FIRST_EPOCHS * per_epoch))
while step >= length:
    step -= length
    length *= STRETCH
share = step / length
return {_WAVE}
"""
_SHAPES: dict[type[Schedule], str] = {
    Constant: "return 1.0\n",
    Cosine: f"share = step / max(1, total)\nreturn {_WAVE}\n",
    Restarts: _RESTARTS,
    Steps: "return GAMMA ** (step // (per_epoch * EVERY))\n",
    Milestones: "return GAMMA ** sum(step // per_epoch >= milestone for milestone in MILESTONES)\n",
    Exponential: "return GAMMA ** (step // per_epoch)\n",
    Polynomial: "return (1.0 - min(step, total) / max(1, total)) ** POWER\n",
    OneCycle: "return cycle(step, total, 1.0 / START, 1.0, 1.0 / (START * END))\n",
    Plateau: "return 1.0\n",
}
_FACTOR = '''
def factor(step: int, total: int, per_epoch: int) -> float:
    """What the learning rate is multiplied with for a step, counted from 0 over the whole run."""
'''
_CYCLE = '''
def cycle(step: int, total: int, first: float, middle: float, last: float) -> float:
    """Along half a wave from one number to another, and along the next to a third."""
    top, end = RISE * total - 1, total - 1
    if step <= top or end <= top:
        share = min(1.0, step / top if top > 0 else 1.0)
        return middle + (first - middle) / 2.0 * (1.0 + math.cos(math.pi * share))
    share = min(1.0, (step - top) / (end - top))
    return last + (middle - last) / 2.0 * (1.0 + math.cos(math.pi * share))
'''
_PLATEAU = '''
class Plateau:
    """Lowers the learning rate when the validation loss has not fallen for some epochs."""

    def __init__(self) -> None:
        self.factor = 1.0
        self.best = math.inf
        self.bad = self.cooling = 0  # epochs

    def see(self, loss: float) -> None:
        """Take in the validation loss of an epoch."""
        if loss < self.best * (1.0 - THRESHOLD):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad = 0
        if self.bad > PATIENCE:
            self.factor = max(self.factor * GAMMA, FLOOR)
            self.cooling, self.bad = COOLDOWN, 0
'''
_SET_RATE = '''
def set_rate(optimizer: torch.optim.Optimizer, step: int, per_epoch: int{given}) -> None:
    """Give the optimizer what it goes by in a step, counted from 0 over a run of EPOCHS epochs."""
    total = EPOCHS * per_epoch
    for group in optimizer.param_groups:
'''
# By what the optimizer has for a momentum.
_MOMENTUM = {
    "betas": "momentum = cycle(step, total, MOST_MOMENTUM, LEAST_MOMENTUM, MOST_MOMENTUM)\n"
    'group["betas"] = (momentum, group["betas"][1])\n',
    "momentum": 'group["momentum"] = cycle(step, total, MOST_MOMENTUM, LEAST_MOMENTUM, MOST_MOMENTUM)\n',
}
_NAMES = {"epochs": "MILESTONES"}


def schedule_code(schedule: Schedule, optimizer: Optimizer) -> ScheduleCode | None:
    """The code of a schedule; None for a rate that never moves.

    Raises:
        ExportError: if nobody wrote it as code.
    """
    if schedule.is_constant:
        return None
    if type(schedule) not in _SHAPES:
        raise ExportError(
            f"There is no training script for this run yet: the schedule “{schedule.title}” cannot be written as code "
            "so far. Nothing was written."
        )
    remembers = schedule.memory() is not None
    constants = {_NAMES.get(s.name, s.name.upper()): getattr(schedule, s.name) for s in specs(type(schedule))}
    warmed = isinstance(schedule, Warmed) and schedule.warmup_epochs > 0
    if isinstance(schedule, Warmed) and not warmed:
        del constants["WARMUP_EPOCHS"]
    factor = _FACTOR + textwrap.indent((_WARMUP if warmed else "") + _SHAPES[type(schedule)], "    ")
    functions = [*([_CYCLE] if isinstance(schedule, OneCycle) else []), factor]
    functions += [*([_PLATEAU] if remembers else []), _set_rate(schedule, optimizer, remembers)]
    return ScheduleCode(constants, tuple(functions), remembers)


def _set_rate(schedule: Schedule, optimizer: Optimizer, remembers: bool) -> str:
    moved = next((name for name in _MOMENTUM if name in optimizer.arguments()), "") if schedule.moves_momentum else ""
    lowered = " * plateau.factor" if remembers else ""
    lines = f'group["lr"] = group["initial_lr"] * (factor(step, total, per_epoch){lowered})\n'
    lines += _MOMENTUM[moved] if moved else ""
    return _SET_RATE.format(given=", plateau: Plateau" if remembers else "") + textwrap.indent(lines, " " * 8)
