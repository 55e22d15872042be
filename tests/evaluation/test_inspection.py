"""Answers to single samples, in words and in orders, and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.evaluation.inspection import Inspection, Thresholds
from studio.evaluation.predictions import Predictions
from studio.evaluation.trained import open_trained
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES
from tests.evaluation.runs import trained_run


def of_classes() -> Inspection:
    answers = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 1.0], [0.0, 4.0, 0.0]])
    losses = torch.tensor([0.2, 3.0, 0.5, 4.0])
    rows = torch.tensor([10, 20, 30, 40])
    return Inspection(Predictions("test", CLASSES, ("a", "b", "c"), rows, losses, answers, torch.tensor([0, 0, 2, 0])))


def test_samples_of_a_cell_come_the_surest_first() -> None:
    inspection = of_classes()
    assert inspection.of_cell(0, 1).tolist() == [3, 1]
    assert inspection.of_cell(1, 0).tolist() == []
    assert inspection.orders["surest mistakes"].tolist() == [3, 1]
    assert inspection.orders["highest loss"].tolist() == [3, 1, 2, 0]
    verdict = inspection.verdict(3)
    assert (verdict.text, verdict.right) == ("b", False)
    assert verdict.sureness == pytest.approx(np.exp(4) / (np.exp(4) + 2))
    assert (inspection.truth(3), inspection.truths(3)) == ("a", frozenset({0}))


def test_the_true_class_is_among_the_most_probable_ones() -> None:
    answers = torch.tensor([[5.0, 4.0, 3.0, 2.0]])
    predictions = Predictions(
        "test", CLASSES, tuple("abcd"), torch.tensor([0]), torch.ones(1), answers, torch.tensor([3])
    )
    assert [number for number, _ in Inspection(predictions).most_probable(0, 2)] == [0, 3]


def test_labels_numbers_and_places_have_verdicts_of_their_own() -> None:
    rows, losses = torch.tensor([0, 1]), torch.zeros(2)
    answers, targets = torch.tensor([[3.0, 3.0], [-1.0, 2.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    labels = Inspection(Predictions("test", LABELS, ("x", "y"), rows, losses, answers, targets))
    assert [(labels.verdict(n).text, labels.verdict(n).right) for n in (0, 1)] == [("x, y", True), ("y", False)]
    assert labels.truth(1) == "x"
    numbers = Inspection(Predictions("test", NUMBERS, ("price",), rows, losses, torch.ones(2, 1), torch.zeros(2, 1)))
    assert (numbers.verdict(0).text, numbers.verdict(0).right, numbers.truth(0)) == ("1", None, "0")
    rights, sizes = torch.tensor([3, 4]), torch.tensor([4, 4])
    places = Inspection(
        Predictions("test", PLACES, ("x", "y"), rows, losses, counts=torch.eye(2), rights=rights, sizes=sizes)
    )
    assert [places.verdict(n).text for n in (0, 1)] == ["75.0 % right", "100.0 % right"]
    assert places.verdict(1).right is True


def test_a_threshold_counts_as_one_would_by_hand() -> None:
    generator = np.random.default_rng(0)
    yes, scores = generator.random(200) < 0.3, np.round(generator.random(200), 1)
    thresholds = Thresholds(yes, scores)
    for threshold in (0.0, 0.1, 0.5, 0.55, 1.0):
        cut, given = thresholds.at(threshold), scores >= threshold
        by_hand = [int((a & b).sum()) for a, b in ((yes, given), (~yes, given), (yes, ~given), (~yes, ~given))]
        assert [cut.hits, cut.false_alarms, cut.misses, cut.right_noes] == by_hand
        assert cut.recall == pytest.approx(given[yes].mean())


def test_opening_weights_leaves_the_numbers_of_a_run_beside_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = trained_run(tmp_path / "run", "digits-cnn", epochs=1)
    monkeypatch.setattr(torch, "set_rng_state", lambda _state: pytest.fail("torch's generator was put back"))
    before = torch.get_rng_state()
    open_trained(folder)
    assert torch.equal(torch.get_rng_state(), before)
