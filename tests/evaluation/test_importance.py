"""What features are worth: scikit-learn's figures, columns as a whole, tokens, channels, and curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.inspection import permutation_importance as by_sklearn
from sklearn.metrics import accuracy_score, mean_absolute_error

from studio.evaluation.explain.importance import (
    features_of,
    has_dependence,
    partial_dependence,
    permutation_importance,
)
from studio.evaluation.trained import Trained
from studio.training.errors import TrainingError


class Wrapped:
    """A network for scikit-learn: a cell is the number of the sample whose column is meant."""

    def __init__(self, trained: Trained, split: str) -> None:
        self.trained = trained
        self.rows = trained.dataset.splits[split]
        self.features = features_of(trained)

    def fit(self, *_: object) -> None: ...

    def predict(self, numbers: np.ndarray) -> np.ndarray:
        inputs = []
        for which, (stored, scaling) in enumerate(
            zip(self.trained.dataset.inputs, self.trained.dataset.scalings, strict=True)
        ):
            known = stored[self.rows]
            given = known.clone()
            for column, feature in enumerate(self.features):
                if feature.which == which:
                    given[..., feature.places] = known[torch.from_numpy(numbers[:, column])][..., feature.places]
            inputs.append(scaling.apply(given))
        with torch.no_grad():
            answers = self.trained.model(*inputs)
        if self.trained.dataset.spec.target.task == "classification":
            return answers.argmax(1).numpy()
        scaling = self.trained.dataset.answers
        return (answers / torch.tensor(scaling.scale) + torch.tensor(scaling.shift)).numpy()


@pytest.mark.parametrize("data", ["numbers", "columns", "embedded", "series"])
def test_the_drops_are_those_of_scikit_learn(trained_on: Callable[[str], Trained], data: str) -> None:
    trained = trained_on(data)
    found = permutation_importance(trained, "train", repeats=3, seed=11)
    wrapped, rows = Wrapped(trained, "train"), trained.dataset.splits["train"]
    numbers = np.repeat(np.arange(len(rows))[:, None], len(wrapped.features), 1)
    targets = trained.dataset.targets[rows].numpy()
    classes = trained.dataset.spec.target.task == "classification"

    def score(network: Wrapped, given: np.ndarray, wanted: np.ndarray) -> float:
        answers = network.predict(given)
        return accuracy_score(wanted, answers) if classes else -mean_absolute_error(wanted, answers)

    wanted = by_sklearn(wrapped, numbers, targets, scoring=score, n_repeats=3, random_state=11).importances
    places = {feature.name: number for number, feature in enumerate(wrapped.features)}
    largest = max(1.0, abs(found.before))
    for each in found.found:
        np.testing.assert_allclose(each.drops, wanted[places[each.feature.name]], atol=1e-6 * largest)
    assert [each.mean for each in found.found] == sorted((each.mean for each in found.found), reverse=True)


@pytest.mark.parametrize("data", ["columns", "embedded"])
def test_a_column_is_one_feature_however_it_became_numbers(trained_on: Callable[[str], Trained], data: str) -> None:
    features = {feature.name: feature for feature in features_of(trained_on(data))}
    assert set(features) == {"size", "town", "colour"}
    for which, values in enumerate(trained_on(data).dataset.inputs):
        places = [place for feature in features.values() if feature.which == which for place in feature.places]
        assert places == list(range(values.shape[1]))
    assert set(features["town"].choices) >= {"Atown", "Btown", "Ctown"}


def test_progress_is_told_and_can_break_it_off(trained_on: Callable[[str], Trained]) -> None:
    told: list[tuple[int, int]] = []
    permutation_importance(trained_on("numbers"), "validation", repeats=2, progress=lambda *done: told.append(done))
    assert told[0] == (0, 9)
    assert told[-1] == (9, 9)

    def give_up(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        permutation_importance(trained_on("numbers"), "validation", repeats=2, progress=give_up)


def test_pictures_and_texts_have_nothing_to_shuffle(trained_on: Callable[[str], Trained]) -> None:
    for data in ("picture", "text"):
        with pytest.raises(TrainingError, match="only tables"):
            permutation_importance(trained_on(data), "validation")


def test_a_curve_is_the_mean_answer_with_the_value_everywhere(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("columns")
    features = {feature.name: feature for feature in features_of(trained)}
    found = partial_dependence(trained, "train", features["size"], points=5)
    rows = trained.dataset.splits["train"]
    raw = trained.dataset.inputs[0][rows].clone()
    raw[:, 0] = float(found.points[3])
    with torch.no_grad():
        answers = trained.model(trained.dataset.scalings[0].apply(raw))
    scaling = trained.dataset.answers
    told = answers / torch.tensor(scaling.scale) + torch.tensor(scaling.shift)
    assert found.means[3, 0] == pytest.approx(float(told.mean()), rel=1e-5)
    assert (found.low <= found.means).all()
    assert found.means.shape == (5, 1)


def test_a_curve_over_categories_is_the_same_for_features_and_tokens(trained_on: Callable[[str], Trained]) -> None:
    for data in ("columns", "embedded"):
        trained = trained_on(data)
        town = next(feature for feature in features_of(trained) if feature.name == "town")
        assert has_dependence(trained, town)
        found = partial_dependence(trained, "train", town)
        assert found.labels == town.choices
        which, places, raws = town.which, town.places, [values.clone() for values in trained.dataset.inputs]
        inputs = [scaling.apply(raw) for raw, scaling in zip(raws, trained.dataset.scalings, strict=True)]
        rows = trained.dataset.splits["train"]
        for number, choice in enumerate(town.choices[:3]):
            like = next(n for n in range(len(raws[0])) if f"town {choice}" in _text(trained, n))
            changed = [values[rows].clone() for values in inputs]
            for place in places:
                changed[which][:, place] = inputs[which][like, place]
            with torch.no_grad():
                mean = trained.model(*changed).mean()
            scaling = trained.dataset.answers
            assert found.means[number, 0] == pytest.approx(float(mean / scaling.scale[0] + scaling.shift[0]), rel=1e-4)


def _text(trained: Trained, row: int) -> str:
    return " ".join(raw.text(row) for raw in trained.dataset.raw if raw is not None).replace(":", "").replace("=", "")
