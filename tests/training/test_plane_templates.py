"""The course's lesson: one unit cannot learn the exclusive or, a hidden layer can."""

from __future__ import annotations

import math

import pytest

from tests.training.conftest import with_settings

SEEDS = range(4)  # measured over ten


@pytest.mark.parametrize("seed", SEEDS)
def test_one_unit_does_not_learn_xor(train, seed: int) -> None:
    finished, _ = train(with_settings("xor-unit", seed=seed))
    assert finished.metrics["test"]["accuracy"] <= 0.75
    assert finished.metrics["test"]["loss"] == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hidden_layer_learns_xor_by_plain_gradient_descent(train, seed: int) -> None:
    project = with_settings("xor-mlp", seed=seed)
    assert (project.training.optimizer.kind, project.training.optimizer.momentum) == ("sgd", 0.0)
    finished, _ = train(project)
    assert finished.metrics["test"]["accuracy"] == 1.0
    assert finished.metrics["test"]["loss"] < 0.05


def test_the_spirals_are_learned(train) -> None:
    finished, _ = train(with_settings("spirals-mlp"))
    assert finished.metrics["test"]["accuracy"] >= 0.93
