"""Every optimizer and every schedule goes on after a break as if there had been none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.fields import replace as replace_fields
from studio.settings import losses, optimizers, schedules
from studio.settings.parts import Parameters
from tests.training.test_resume import in_two_parts, project_of, small_groups, whole  # noqa: F401  (a fixture)

KINDS = optimizers.kinds()


# Each schedule with an optimizer of its own, and the optimizers that are left over with the first ones again.
@pytest.mark.parametrize("number", range(max(len(KINDS), len(schedules))))
def test_a_run_goes_on_to_the_same_bits(number: int, tmp_path: Path) -> None:
    kind = optimizers.get(KINDS[number % len(KINDS)])
    schedule = schedules.get(schedules.kinds()[number % len(schedules)])
    falls = {"patience": 0, "threshold": 0.9} if schedule.kind == "plateau" else {}
    given = project_of("mlp")
    settings = replace_fields(
        given.training, optimizer=kind(**({"iterations": 3} if kind.searches else {})), schedule=schedule(**falls),
        parameters=Parameters(decay_biases=kind.searches, l1=0.0 if kind.searches else 1e-4),
        loss=losses.get("cross-entropy")(weights="balanced", label_smoothing=0.1),
    )  # fmt: skip
    project = replace(given, training=settings)
    assert in_two_parts(project, tmp_path / "parts", 25) == whole(project, tmp_path / "whole")
