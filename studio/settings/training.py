"""How a network is trained: everything a person may set, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.fields import Declared, FieldError, field, from_json, made_by, replace, to_json
from studio.registry import Registry
from studio.settings.losses import ByTask, Loss
from studio.settings.losses import registry as losses
from studio.settings.optimizers import Adam, Optimizer
from studio.settings.optimizers import registry as optimizers
from studio.settings.parts import Averaging, Gradients, Mixing, Parameters, Repeats, Speed, Spread, Stopping
from studio.settings.schedules import Constant, Schedule
from studio.settings.schedules import registry as schedules


class TrainingSettings(Declared):
    """Settings of a run."""

    epochs: int = field(10, min=1, max=1_000_000, help="How many times the training split is gone through.")
    batch_size: int = field(64, min=1, max=1_000_000, unit="samples", help="Samples per step.")
    seed: int = field(0, min=0, max=2**31 - 1, help="Same seed on the same machine: the same weights.")
    device: str = field("auto", choices=("auto", "cpu", "cuda", "mps"), help="Where to train; auto takes the fastest.")
    threads: int = field(0, min=0, max=1_024, special="auto", help="Processor threads for the mathematics.")
    test_at_end: bool = field(
        True,
        help="Measure the finished network on the test samples, and count that use of them. Off: they stay locked, for "
        "the last comparison. What is chosen by the test samples is no longer tested by them.",
    )
    optimizer: Optimizer = made_by(Adam)
    schedule: Schedule = made_by(Constant)
    loss: Loss = made_by(ByTask)
    gradients: Gradients = made_by(Gradients)
    parameters: Parameters = made_by(Parameters)
    speed: Speed = made_by(Speed)
    stopping: Stopping = made_by(Stopping)
    averaging: Averaging = made_by(Averaging)
    mixing: Mixing = made_by(Mixing)
    repeats: Repeats = made_by(Repeats)
    spread: Spread = made_by(Spread)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what is newer than the file only where it is not as it always was."""
        values = to_json(self)
        if self.test_at_end:
            del values["test_at_end"]
        usual = type(self)()
        for name in CHOSEN:
            part = getattr(self, name)
            if name == "optimizer" or part != getattr(usual, name):
                values[name] = {"kind": part.kind, "fields": _fields_of(part)}
        for name in PARTS:
            part = getattr(self, name)
            if part != getattr(usual, name):
                values[name] = to_json(part)
        return values

    @classmethod
    def from_json(cls, data: object) -> TrainingSettings:
        """From plain JSON values; what is missing takes its default.

        Raises:
            FieldError: for an unknown field or a value that does not fit.
            UnknownKindError: for an unknown optimizer, schedule or loss.
        """
        if not isinstance(data, Mapping):
            raise FieldError("Training settings", "they", "must be an object")
        plain = from_json(cls, {name: value for name, value in data.items() if name not in {*CHOSEN, *PARTS}})
        parts: dict[str, Any] = {
            **{name: _chosen(name, data[name]) for name in CHOSEN if name in data},
            **{name: from_json(part, data[name]) for name, part in PARTS.items() if name in data},
        }
        return replace(plain, **parts)


# By the name in the settings: what one of several is chosen for, and what there is one of.
CHOSEN: dict[str, Registry[Any]] = {
    "optimizer": optimizers, "schedule": schedules, "loss": losses,
}  # fmt: skip
PARTS: dict[str, type[Declared]] = {
    "gradients": Gradients, "parameters": Parameters, "speed": Speed, "stopping": Stopping, "averaging": Averaging,
    "mixing": Mixing, "repeats": Repeats, "spread": Spread,
}  # fmt: skip


def _fields_of(part: Declared) -> dict[str, Any]:
    usual = to_json(type(part)())
    newer = getattr(part, "newer", ())
    return {name: value for name, value in to_json(part).items() if name not in newer or value != usual[name]}


def _chosen(name: str, data: object) -> Declared:
    if not isinstance(data, Mapping) or set(data) - {"kind", "fields"} or not isinstance(data.get("kind"), str):
        raise FieldError("Training settings", name, "must be an object with kind and fields")
    made: Declared = from_json(CHOSEN[name].get(data["kind"]), data.get("fields", {}))
    return made


def smaller_batches(settings: TrainingSettings) -> TrainingSettings:
    """Half the batch, and twice as many for each step of the optimizer: the same training in less memory."""
    gradients = replace(settings.gradients, accumulate=2 * settings.gradients.accumulate)
    return replace(settings, batch_size=max(1, settings.batch_size // 2), gradients=gradients)


def differences(before: TrainingSettings, after: TrainingSettings) -> dict[str, tuple[Any, Any]]:
    """What differs between two settings: by names such as `epochs` and `optimizer.learning_rate`, old and new value.

    Where another optimizer, schedule or loss was chosen, that is one difference, of the kinds.
    """
    found = {name: (old, new) for name, old, new in _fields(before, after)}
    for name in (*CHOSEN, *PARTS):
        old, new = getattr(before, name), getattr(after, name)
        if type(old) is not type(new):
            found[name] = (old.kind, new.kind)
        else:
            found |= {f"{name}.{field_name}": pair for field_name, *pair in _fields(old, new)}  # type: ignore[misc]
    return found


def _fields(before: Declared, after: Declared) -> list[tuple[str, Any, Any]]:
    old, new = to_json(before), to_json(after)
    return [(name, old[name], new[name]) for name in old if old[name] != new[name]]


def changeable(name: str) -> bool:
    """Whether a difference of that name can reach a run that is under way.

    Everything of the schedule, of the optimizer (but for which one it is), of clipping and L1.
    """
    return name.startswith(("optimizer.", "schedule", "gradients.clip_", "parameters.l1"))


def with_changes(now: TrainingSettings, wanted: TrainingSettings) -> TrainingSettings:
    """The settings of a run under way, with all of other ones that can reach it."""
    for name in filter(changeable, differences(now, wanted)):
        part, _, field_name = name.partition(".")
        new = getattr(wanted, part)
        if field_name:
            new = replace(getattr(now, part), **{field_name: getattr(new, field_name)})
        now = replace(now, **{part: new})
    return now
