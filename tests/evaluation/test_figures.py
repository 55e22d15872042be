"""Figures of answers: those of scikit-learn and SciPy on the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from studio.evaluation import classes
from studio.evaluation.comparison import compare_numbers, compare_rights
from studio.evaluation.intervals import of_figure, of_mean
from studio.evaluation.mistakes import least_sure, likely_wrong_labels, surest_mistakes
from studio.evaluation.numbers import number_scores


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    """Raw scores (N, K) that know a little of the targets (N,); one class is never answered, two never occur."""
    generator = np.random.default_rng(5)
    targets = generator.integers(0, 4, 600)
    scores = generator.normal(size=(600, 6)) + 1.5 * np.eye(6)[targets]
    scores[:, 3] -= 50
    return scores, targets


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def test_scores_of_classes_are_those_of_scikit_learn(answers) -> None:
    scores, targets = answers
    guesses = scores.argmax(1)
    counts = classes.confusion(targets, guesses, 6)
    assert (counts == metrics.confusion_matrix(targets, guesses, labels=range(6))).all()
    told = classes.class_scores(counts, tuple("abcdef"))
    wanted = metrics.precision_recall_fscore_support(targets, guesses, labels=range(6), zero_division=0)
    for column, expected in zip(("precision", "recall", "f1", "support"), wanted, strict=True):
        np.testing.assert_allclose([getattr(score, column) for score in told], expected, atol=1e-12)
    averages = classes.averages(counts)
    assert averages["macro F1"] == pytest.approx(metrics.f1_score(targets, guesses, average="macro"), abs=1e-12)
    recalls = metrics.recall_score(targets, guesses, labels=range(4), average="macro", zero_division=0)
    assert averages["balanced accuracy"] == pytest.approx(recalls, abs=1e-12)
    assert averages["accuracy"] == pytest.approx(metrics.accuracy_score(targets, guesses), abs=1e-12)


def test_overlaps_are_jaccard_and_dice(answers) -> None:
    scores, targets = answers
    guesses = scores.argmax(1)
    overlaps = classes.overlaps(classes.confusion(targets, guesses, 7))
    jaccard = metrics.jaccard_score(targets, guesses, labels=range(6), average=None)
    np.testing.assert_allclose([iou for iou, _ in overlaps[:6]], jaccard, atol=1e-12)
    assert overlaps[6] == (1.0, 1.0)  # nowhere, and nowhere answered
    np.testing.assert_allclose([dice for _, dice in overlaps], [2 * iou / (1 + iou) for iou, _ in overlaps], atol=1e-12)


def test_curves_have_the_areas_of_scikit_learn_and_few_points(answers) -> None:
    scores, targets = answers
    yes, sure = targets == 1, softmax(scores)[:, 1]
    curve = classes.roc(yes, sure)
    assert curve is not None
    assert curve.area == metrics.roc_auc_score(yes, sure)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    curve = classes.precision_recall(yes, sure)
    assert curve is not None
    assert curve.area == metrics.average_precision_score(yes, sure)
    assert len(curve.x) <= classes.MOST_POINTS
    assert classes.roc(np.ones(5, bool), sure[:5]) is None


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.4, 0.6]])
    found = classes.calibration(probabilities, np.array([0, 1, 1, 1]), bins=10)
    assert found.accuracies == (1.0, 1.0, 0.5)  # of 0.5 to 0.6, of 0.6 to 0.7, of 0.9 to 1
    assert found.error == pytest.approx(0.25 * 0.4 + 0.25 * 0.35 + 0.5 * 0.45)


def test_the_temperature_undoes_what_made_the_scores_too_sure() -> None:
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(20_000, 3))
    targets = np.array([generator.choice(3, p=row) for row in softmax(scores)])
    assert classes.best_temperature(scores * 4, targets) == pytest.approx(4, rel=0.05)
    before, after = (classes.calibration(softmax(scores * 4 / t), targets).error for t in (1, 4))
    assert after < 0.02 < 0.1 < before


def test_scores_of_numbers_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    targets = generator.normal(size=(200, 2)) * [1, 50] + [0, 9]
    answers = targets + generator.normal(size=(200, 2))
    for number, score in enumerate(number_scores(answers, targets, ("small", "large"))):
        pair = targets[:, number], answers[:, number]
        assert score.mae == pytest.approx(metrics.mean_absolute_error(*pair), abs=1e-9)
        assert score.rmse == pytest.approx(metrics.root_mean_squared_error(*pair), abs=1e-9)
        assert score.r2 == pytest.approx(metrics.r2_score(*pair), abs=1e-9)
        assert score.bias == pytest.approx((pair[1] - pair[0]).mean(), abs=1e-9)
    (flat,) = number_scores(np.zeros((4, 3)), np.zeros((4, 3)), ("places",))
    assert (flat.r2, flat.rmse) == (1.0, 0.0)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    held = 0
    for number in range(200):
        interval = of_mean(generator.random(150) < 0.7, seed=number)
        held += interval.low <= 0.7 <= interval.high
    assert 0.9 <= held / 200 <= 0.99
    values = generator.normal(size=100)
    by_figure = of_figure(lambda rows: float(values[rows].mean()), 100)
    assert by_figure == of_mean(values)


def test_a_difference_is_real_only_where_chance_hardly_gives_it() -> None:
    generator = np.random.default_rng(2)
    first = generator.random(1_000) < 0.8
    second = np.where(generator.random(1_000) < 0.1, ~first, first)  # as often better as worse, by chance
    worse = first & (generator.random(1_000) < 0.93)
    assert not compare_rights(first, first).is_real
    assert compare_rights(first, worse).is_real
    found = compare_rights(first[:60], second[:60])
    assert found.p == pytest.approx(binomtest(found.first_only, found.first_only + found.second_only).pvalue)
    losses = generator.exponential(size=300)
    assert compare_numbers(losses, losses + 0.1, "loss").p == pytest.approx(1 / 10_001)
    chances = [compare_numbers(losses, losses + generator.normal(size=300), "loss", 400).p for _ in range(100)]
    assert sum(p < 0.05 for p in chances) <= 12  # about 5 are to be expected
    assert compare_numbers(losses, losses, "loss").p == 1.0


def test_wrong_labels_are_found_where_they_were_planted() -> None:
    generator = np.random.default_rng(4)
    truth = generator.integers(0, 3, 500)
    probabilities = softmax(4 * np.eye(3)[truth] + generator.normal(size=(500, 3)))
    labels, planted = truth.copy(), generator.choice(500, 25, replace=False)
    labels[planted] = (labels[planted] + 1) % 3
    found = likely_wrong_labels(probabilities, labels)
    assert set(found) <= set(planted)  # nobody else is suspected
    assert len(found) >= 20
    wrong = surest_mistakes(probabilities, labels)
    assert (probabilities[wrong].argmax(1) != labels[wrong]).all()
    assert (np.diff(probabilities[wrong].max(1)) <= 0).all()
    first = probabilities[least_sure(probabilities)[0]]
    assert np.diff(np.sort(first)[-2:])[0] == min(np.diff(np.sort(row)[-2:])[0] for row in probabilities)
