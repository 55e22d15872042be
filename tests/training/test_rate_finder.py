"""The learning-rate finder: what it suggests, and that it touches nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from studio.cli.main import main
from studio.settings import optimizers, schedules
from studio.settings.parts import Gradients
from studio.settings.rates import HIGHEST, LOWEST, RatePoint, suggest
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.rate_finder import STEPS, find_rate
from tests.training.conftest import with_settings
from tests.training.test_stepping import BATCH, by_hand, trainer_of


def sweep(losses: list[float]) -> list[RatePoint]:
    growth = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    return [RatePoint(LOWEST * growth**i, loss) for i, loss in enumerate(losses)]


def test_it_suggests_where_the_loss_falls_fastest() -> None:
    fall = [2.0 - 1.5 / (1 + math.exp(-(i - 60) / 2)) for i in range(100)]  # fastest at 60, and lowest at the end
    found = suggest(sweep(fall))
    assert found.rate == pytest.approx(LOWEST * 1e8 ** (60 / (STEPS - 1)), rel=0.5)
    assert "falls fastest" in found.reason


def test_it_keeps_away_from_where_the_loss_rises() -> None:
    losses = [2.0] * 50 + [2.0 - 0.15 * i for i in range(11)] + [0.5 + i for i in range(9)]
    points = sweep(losses)
    found = suggest(points)
    assert found.rate is not None
    assert points[40].rate < found.rate <= points[60].rate / 10
    assert found.rate == float(f"{found.rate:.0e}"), "a number that one can read"
    assert "a tenth" in found.reason


@pytest.mark.parametrize("losses", [[], [1.0] * 5, [1.0] * 100, [1.0 + i / 10 for i in range(50)]])
def test_it_suggests_nothing_where_nothing_fell(losses: list[float]) -> None:
    found = suggest(sweep(losses))
    assert found.rate is None
    assert found.reason


def test_each_step_has_a_higher_rate_than_the_one_before(tmp_path: Path) -> None:
    """And is a step of the optimizer, from the weights and in the order of the project's seed."""
    settings = {"optimizer": optimizers.get("sgd")(learning_rate=9.0, momentum=0.5)}
    more = {"schedule": schedules.get("cosine")(), "gradients": Gradients(accumulate=4)}  # it goes without
    project = with_settings("iris-mlp", threads=1, batch_size=BATCH, **settings, **more)
    points, _ = find_rate(project, Control(), lambda point: None)
    model, batches = by_hand(trainer_of(tmp_path, **settings), len(points))
    optimizer = torch.optim.SGD(model.parameters(), lr=LOWEST, momentum=0.5, fused=True)
    for point, (inputs, targets) in zip(points, batches, strict=True):
        optimizer.param_groups[0]["lr"] = point.rate
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        assert loss.item() == point.loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert points[0].rate == LOWEST
    assert 20 < len(points) < STEPS, "the last of the steps that there might be is far beyond where the loss explodes"


def test_it_leaves_all_that_is_drawn_at_random_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    threads = torch.get_num_threads()
    find_rate(with_settings("digits-cnn", threads=threads + 1), stopped_after(3), lambda point: None)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


class stopped_after(Control):  # noqa: N801  (it reads as a word here)
    """Stops when it was asked so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times

    @property
    def stopping(self) -> bool:
        self._left -= 1
        return self._left <= 0


def test_it_stops_when_it_is_told_to() -> None:
    told: list[RatePoint] = []
    points, suggestion = find_rate(with_settings("iris-mlp"), stopped_after(3), told.append)
    assert len(points) == 3
    assert told == points
    assert suggestion.rate is None


def test_an_optimizer_that_looks_itself_is_refused() -> None:
    project = with_settings("iris-mlp", optimizer=optimizers.get("lbfgs")())
    with pytest.raises(TrainingError, match="looks for the length of its steps itself"):
        find_rate(project, Control(), lambda point: None)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find-rate", "--template", "iris-mlp", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 1e-4 < told["suggested"] < 1
    assert told["points"][0]["rate"] == LOWEST
    assert main(["find-rate", "--template", "iris-mlp"]) == 0
    assert f"suggested learning rate: {told['suggested']:g}" in capsys.readouterr().out
