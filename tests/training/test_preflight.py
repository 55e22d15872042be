"""What is measured before a run, and that it leaves no trace."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from studio.project import Project
from studio.settings import optimizers
from studio.training import doctor, preflight
from studio.training.cures import cures
from studio.training.memory import free_bytes, peak_bytes
from studio.training.preflight import STAGES, PreflightStoppedError
from studio.training.preflight_words import bytes_text, error_text, rows, seconds_text
from tests.training.conftest import with_settings


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "SECONDS_FOR_TIME", 0.1)
    monkeypatch.setattr(preflight, "_WARM_UP_SECONDS", 0.0)


def with_rate(rate: float, kind: str = "adam") -> Project:
    return with_settings("digits-mlp", threads=1, optimizer=optimizers.get(kind)(learning_rate=rate))


def test_a_sound_project_is_measured_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before, files = torch.get_rng_state(), sorted(tmp_path.rglob("*"))
    stages: list[str] = []
    result = preflight.preflight(with_rate(1e-3), on_stage=lambda number, title: stages.append(title))
    assert torch.equal(torch.get_rng_state(), before)
    assert sorted(tmp_path.rglob("*")) == files
    assert not Path("never written").exists()
    assert tuple(stages) == STAGES
    assert result.findings == ()
    assert result.first_loss == pytest.approx(math.log(10), rel=0.1)
    assert result.expected_loss == math.log(10)
    assert result.one_batch[-1] < 0.5 * result.one_batch[0]
    assert 0 < result.step_seconds < result.epoch_seconds < result.run_seconds
    assert (result.largest_batch, result.tried) == (1300, True)  # the digits are few: all fit
    weights = 33_994 * 4
    assert 4 * weights < result.memory_bytes < 8 * weights  # Adam keeps two numbers for each; and there is a gradient


def test_a_longer_epoch_is_estimated_from_some_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "SECONDS_FOR_TIME", 0.0)
    result = preflight.preflight(with_rate(1e-3))
    assert result.epoch_seconds > 20 * result.step_seconds


@pytest.mark.parametrize(
    ("rate", "kind", "first_cure"),
    [(30.0, doctor.RATE_HIGH, "Set the learning rate to 0.001, the usual one of Adam"),
     (1e-9, doctor.STUCK, "Set the learning rate to 0.001, the usual one of Adam")],
)  # fmt: skip
def test_a_bad_rate_is_found_before_the_run(rate: float, kind: str, first_cure: str) -> None:
    project = with_rate(rate)
    (finding,) = preflight.preflight(project).findings
    assert (finding.kind, finding.remedies[0]) == (kind, first_cure)
    after = cures(finding, project)[0].project
    assert preflight.preflight(after).findings == ()


def test_numbers_are_compared_with_their_mean() -> None:
    result = preflight.preflight(with_settings("digits-autoencoder", threads=1))
    assert result.expected_loss == pytest.approx(1.0, abs=0.3)  # they are scaled to a variance of one


def test_it_can_be_given_up() -> None:
    asked = iter(range(1000))
    with pytest.raises(PreflightStoppedError):
        preflight.preflight(with_rate(1e-3), stopped=lambda: next(asked) > 10)


def test_memory_is_that_of_tensors_that_live_at_the_same_time() -> None:
    layer, x, cpu = nn.Linear(100, 200, bias=False), torch.ones(50, 100), torch.device("cpu")

    def twice() -> None:
        for _ in range(2):
            layer(x).sum().backward()

    results = 50 * 200 * 4  # of the layer; its gradient is a view of one number
    first = peak_bytes(lambda: layer(x), cpu)
    assert first == results
    layer.weight.grad = None
    assert peak_bytes(twice, cpu) < 2 * results + 3 * 100 * 200 * 4
    assert free_bytes(cpu) > 2**20


def test_too_little_memory_halves_the_batch() -> None:
    project = with_rate(1e-3)
    finding = replace(next(preflight._of_memory(9_000, 10_000)), node="")
    after = cures(finding, project)[0].project.training
    assert (after.batch_size, after.gradients.accumulate) == (32, 2)
    assert not list(preflight._of_memory(7_000, 10_000))


def test_words() -> None:
    assert [seconds_text(s) for s in (0.00035, 0.35, 12.3, 200, 18_600)] == [
        "0.35 ms", "350 ms", "12 s", "3 min 20 s", "5 h 10 min",
    ]  # fmt: skip
    assert [bytes_text(count) for count in (850_000, 1_234_567_890)] == ["850 kB", "1.23 GB"]
    assert error_text(2.0, 2.5) == "An epoch took 2.5 s: 25% more than estimated (2 s)."
    result = preflight.preflight(with_rate(1e-3))
    assert [row[0] for row in rows(result)][-1] == "One batch alone"
