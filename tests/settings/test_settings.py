"""Training settings: what may be set, torch takes; what is saved comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from studio.fields import FieldError, FieldSpec, replace, specs
from studio.registry import UnknownKindError
from studio.settings import Optimizer, TrainingSettings, optimizers, schedules
from studio.settings.parts import Gradients, Speed


def bounds(spec: FieldSpec) -> list[Any]:
    if spec.type is bool:
        return [False, True]
    return [spec.type(value) for value in (spec.min, spec.default, spec.max) if value is not None]


CASES = [(cls, spec.name, value) for cls in optimizers for spec in specs(cls) for value in bounds(spec)]


@pytest.mark.parametrize(("cls", "name", "value"), CASES)
def test_torch_takes_every_bound_of_an_optimizer(cls: type[Optimizer], name: str, value: Any) -> None:
    optimizer = cls(**{name: value})
    weight = torch.nn.Parameter(torch.ones(3))
    stepper = getattr(torch.optim, optimizer.torch_class)([weight], **optimizer.arguments())

    def look() -> torch.Tensor:
        stepper.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    stepper.step(look)
    assert torch.isfinite(weight).all()


@pytest.mark.parametrize(("cls", "spec"), [(cls, spec) for cls in optimizers for spec in specs(cls)])
def test_every_field_reaches_torch(cls: type[Optimizer], spec: FieldSpec) -> None:
    other = {bool: not spec.default, int: 7, float: 1.5 if spec.name == "longest_update" else 0.123}[spec.type]
    assert cls(**{spec.name: other}).arguments() != cls().arguments()
    assert cls().arguments().keys() == cls(**{spec.name: other}).arguments().keys()


def test_looking_ahead_without_momentum_is_left_out() -> None:
    sgd = optimizers.get("sgd")(momentum=0.0, nesterov=True)
    torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], **sgd.arguments())  # torch itself would refuse it


def test_settings_come_back() -> None:
    settings = TrainingSettings(
        epochs=3, device="cpu", optimizer=optimizers.get("sgd")(momentum=0.5), gradients=Gradients(clip_norm=2.0),
        schedule=schedules.get("cosine")(floor=0.5), speed=Speed(precision="bfloat16"),
    )  # fmt: skip
    assert TrainingSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert TrainingSettings.from_json({}) == TrainingSettings()
    assert replace(settings, epochs=4).optimizer == settings.optimizer


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], FieldError, "must be an object"),
        ({"epochs": 0}, FieldError, "epochs must be at least 1"),
        ({"pace": 1}, FieldError, "'pace' is no field"),
        ({"optimizer": "adam"}, FieldError, "optimizer must be an object with kind and fields"),
        ({"optimizer": {"kind": "adam", "more": 1}}, FieldError, "optimizer must be an object with kind and fields"),
        ({"optimizer": {"kind": "adem"}}, UnknownKindError, "Did you mean “adam”"),
        ({"schedule": {"kind": "cosinus"}}, UnknownKindError, "Did you mean “cosine”"),
        ({"gradients": {"clip": 1}}, FieldError, "'clip' is no field"),
        ({"gradients": 1}, FieldError, "must be an object"),
        ({"optimizer": {"kind": "adam", "fields": {"beta1": 1.0}}}, FieldError, "beta1 must be at most 0.9999"),
    ],
)
def test_bad_settings_are_refused(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TrainingSettings.from_json(data)
