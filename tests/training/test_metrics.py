"""Figures beside loss and score: those of scikit-learn, whatever the batches are."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn import metrics as known
from torch import Tensor
from torch.nn import functional

from studio.data.base import IGNORED
from studio.data.scaling import Scaling
from studio.training import metrics
from studio.training.metrics import Meter, Subject
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES, STEPS


def measured(subject: Subject, answers: Tensor, targets: Tensor, size: int, kept: int = 50) -> Meter:
    """A meter that took batches of a size, and counted them a few at a time."""
    meter = Meter(subject)
    meter.MAX_KEPT_NUMBERS = kept
    for start in range(0, len(targets), size):
        meter.add(answers[start : start + size], targets[start : start + size])
    return meter


def drawn(*dims: int, seed: int = 0) -> Tensor:
    return torch.randn(*dims, generator=torch.Generator().manual_seed(seed))


def whole(top: int, *dims: int, seed: int = 1) -> Tensor:
    return torch.randint(0, top, dims, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [7, 100])
def test_figures_of_classes_are_those_of_scikit_learn(size: int) -> None:
    answers, targets = drawn(100, 8), whole(7, 100)  # the last class never occurs
    answers[:, 7] = -9.0
    figures = measured(Subject(CLASSES, 8), answers, targets, size).figures()
    answered, shares = answers.argmax(1), answers.softmax(1)
    areas = [known.roc_auc_score(targets == number, shares[:, number]) for number in range(7)]
    expected = {
        "top5_accuracy": known.top_k_accuracy_score(targets, answers, k=5, labels=range(8)),
        "balanced_accuracy": known.balanced_accuracy_score(targets, answered),
        "f1": known.f1_score(targets, answered, average="macro"),
        "auroc": sum(areas) / 7,
    }
    assert figures == pytest.approx(expected, abs=1e-6)


def test_equal_scores_count_half() -> None:
    scores, wanted = drawn(200, 1).round(), whole(2, 200, 1).bool()
    assert metrics.areas(scores, wanted).item() == pytest.approx(known.roc_auc_score(wanted, scores), abs=1e-9)


def test_the_area_of_two_classes_is_that_of_the_second() -> None:
    answers, targets = drawn(60, 2), whole(2, 60)
    figures = measured(Subject(CLASSES, 2), answers, targets, 60).figures()
    assert figures["auroc"] == pytest.approx(known.roc_auc_score(targets, answers.softmax(1)[:, 1]), abs=1e-6)
    assert "top5_accuracy" not in figures


def test_figures_of_labels_are_those_of_scikit_learn() -> None:
    answers, targets = drawn(90, 4), whole(2, 90, 4).float()
    figures = measured(Subject(LABELS, 4), answers, targets, 13).figures()
    expected = {
        "f1": known.f1_score(targets, answers > 0, average="macro", zero_division=math.nan),
        "auroc": known.roc_auc_score(targets, answers.sigmoid(), average="macro"),
    }
    assert figures == pytest.approx(expected, abs=1e-6)


def test_figures_of_pixels_are_those_of_scikit_learn() -> None:
    answers, targets = drawn(6, 3, 4, 5), whole(3, 6, 4, 5)
    targets[0, :2] = IGNORED
    figures = measured(Subject(PLACES, 3), answers, targets, 4).figures()
    real = targets != IGNORED
    wanted, answered = targets[real], answers.argmax(1)[real]
    expected = {
        "iou": known.jaccard_score(wanted, answered, average="macro"),
        "dice": known.f1_score(wanted, answered, average="macro"),
    }
    assert figures == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("most", [2, 200])  # counted by class, or by pairs of classes
def test_figures_of_steps_leave_out_those_without_an_answer(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_CONFUSED", most)
    answers, targets = drawn(9, 6, 5), whole(5, 9, 6)
    targets[2:5, 3:] = IGNORED
    figures = measured(Subject(STEPS, 5, next_token=True), answers, targets, 4).figures()
    real = targets != IGNORED
    wanted, scores = targets[real], answers[real]
    expected = {
        "f1": known.f1_score(wanted, scores.argmax(1), average="macro"),
        "perplexity": math.exp(known.log_loss(wanted, scores.double().softmax(1))),
    }
    assert figures == pytest.approx(expected, abs=1e-5)


def test_figures_of_numbers_are_in_their_own_units() -> None:
    scaling = Scaling((1000.0, -3.0), (0.01, 2.0))
    own, guessed = 1000 + 100 * drawn(80, 2), 1000 + 100 * drawn(80, 2) + 30 * drawn(80, 2, seed=3)
    figures = measured(Subject(NUMBERS, 2, answers=scaling), scaling.apply(guessed), scaling.apply(own), 11).figures()
    expected = {
        "rmse": math.sqrt(known.mean_squared_error(own, guessed)),
        "r2": known.r2_score(own, guessed),
    }
    assert figures == pytest.approx(expected, rel=1e-5)


def test_numbers_at_places_are_taken_together() -> None:
    targets, answers = drawn(20, 1, 3, 3), drawn(20, 1, 3, 3, seed=2)
    targets[:, :, 0] = 0.0  # a corner that is always black says nothing by itself
    figures = measured(Subject(NUMBERS, 1, named=False), answers, targets, 7).figures()
    assert figures["r2"] == pytest.approx(known.r2_score(targets.flatten(), answers.flatten()), abs=1e-6)


def test_pairs_of_classes_are_counted() -> None:
    answers, targets = drawn(50, 4), whole(4, 50)
    counted = measured(Subject(CLASSES, 4), answers, targets, 9).confusion()
    assert counted == tuple(known.confusion_matrix(targets, answers.argmax(1)).flatten().tolist())


def test_what_is_not_defined_is_not_told() -> None:
    answers, targets = drawn(10, 3), torch.zeros(10, dtype=torch.int64)
    assert set(measured(Subject(CLASSES, 3), answers, targets, 10).figures()) == {"balanced_accuracy", "f1"}


def test_too_many_scores_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_SCORES", 200)
    answers, targets = drawn(100, 3), whole(3, 100)
    assert "auroc" not in measured(Subject(CLASSES, 3), answers, targets, 10).figures()
    assert "auroc" in measured(Subject(CLASSES, 3), answers[:60], targets[:60], 10).figures()


def test_names_are_told_before_anything_is_measured() -> None:
    subjects = [Subject(CLASSES, 8), Subject(CLASSES, 2), Subject(LABELS, 3), Subject(NUMBERS, 2)]
    subjects += [Subject(STEPS, 5, next_token=True), Subject(STEPS, 5), Subject(PLACES, 3)]
    for subject in subjects:
        answers, targets = {
            CLASSES: (drawn(40, subject.classes), whole(subject.classes, 40)),
            LABELS: (drawn(40, 3), whole(2, 40, 3).float()),
            NUMBERS: (drawn(40, 2), drawn(40, 2)),
            STEPS: (drawn(9, 6, 5), whole(5, 9, 6)),
            PLACES: (drawn(9, 3, 4, 4), whole(3, 9, 4, 4)),
        }[subject.kind]
        assert set(measured(subject, answers, targets, 4).figures()) == set(subject.names[1:])


def test_perplexity_of_a_guess_is_the_number_of_tokens() -> None:
    targets = whole(7, 4, 5)
    figures = measured(Subject(STEPS, 7, next_token=True), torch.zeros(4, 5, 7), targets, 4).figures()
    assert figures["perplexity"] == pytest.approx(7.0)
    assert functional.cross_entropy(torch.zeros(20, 7), targets.flatten()).exp() == pytest.approx(7.0)
