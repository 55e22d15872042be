"""The data of a project, as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.data import SCALINGS, DataChoice, Remedy, Split
from studio.data import registry as sources
from studio.fields import FieldError, replace
from studio.registry import UnknownKindError


@pytest.mark.parametrize("kind", sources.kinds())
@pytest.mark.parametrize("scaling", SCALINGS)
def test_there_and_back(kind: str, scaling: str) -> None:
    choice = DataChoice(sources.get(kind)(), Split(validation=0.2, test=0.1, seed=7), scaling)
    assert DataChoice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


def test_what_was_chosen_beside_the_source_comes_back() -> None:
    split = Split("k-fold", folds=7, fold=7)
    choice = DataChoice(split=split, balanced=True, excluded=(0, 3, 1796))
    saved = json.loads(json.dumps(choice.to_json()))
    assert saved["split"] == {"method": "k-fold", "validation": 0.15, "test": 0.15, "seed": 0, "folds": 7, "fold": 7}
    assert DataChoice.from_json(saved) == choice


def test_samples_stay_left_out_only_while_they_are_the_same() -> None:
    texts = sources.get("text-files")(path="/a.csv")
    choice = DataChoice(texts, excluded=(3, 5), balanced=True)
    for same in (texts, replace(texts, max_length=7, tokens="characters", vocabulary=9, min_count=2)):
        assert choice.with_source(same) == DataChoice(same, excluded=(3, 5), balanced=True)
    for other in (replace(texts, path="/b.csv"), replace(texts, header="no"), sources.get("digits")()):
        assert choice.with_source(other) == DataChoice(other, balanced=True)


def test_a_remedy_counts_the_samples_of_its_own_source() -> None:
    choice = DataChoice(excluded=(3, 5))
    assert choice.remedied(Remedy("", exclude=(4, 5))).excluded == (3, 4, 5)
    other = sources.get("iris")()
    assert choice.remedied(Remedy("", source=other, exclude=(4,))) == DataChoice(other, excluded=(4,))
    assert choice.remedied(Remedy("", balanced=True)) == DataChoice(excluded=(3, 5), balanced=True)


def test_the_form_of_the_json() -> None:
    assert DataChoice().to_json() == {
        "kind": "digits",
        "fields": {},
        "split": {"validation": 0.15, "test": 0.15, "seed": 0},
        "scaling": "standardize",
    }


def test_what_is_missing_takes_its_default() -> None:
    assert DataChoice.from_json({"kind": "digits"}) == DataChoice()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "digits",
        {},
        {"kind": 3},
        {"kind": None},
        {"kind": "digits", "folder": "/somewhere"},
        {"kind": "digits", "fields": {"size": 3}},
        {"kind": "digits", "fields": []},
        {"kind": "digits", "split": {"train": 0.5}},
        {"kind": "digits", "split": None},
        {"kind": "digits", "split": {"validation": 0.95}},
        {"kind": "digits", "split": {"test": 0.001}},
        {"kind": "digits", "split": {"seed": -1}},
        {"kind": "digits", "split": {"seed": 1.5}},
        {"kind": "digits", "split": {"method": "at will"}},
        {"kind": "digits", "split": {"method": "k-fold", "folds": 3, "fold": 4}},
        {"kind": "digits", "split": {"folds": 1}},
        {"kind": "digits", "excluded": 3},
        {"kind": "digits", "excluded": [3, 1]},
        {"kind": "digits", "excluded": [3, 3]},
        {"kind": "digits", "excluded": [True]},
        {"kind": "digits", "excluded": [-1]},
        {"kind": "digits", "excluded": [1.0]},
        {"kind": "digits", "balanced": 1},
        {"kind": "digits", "scaling": "whiten"},
        {"kind": "digits", "scaling": None},
    ],
)
def test_other_json_is_refused(data: Any) -> None:
    with pytest.raises(FieldError):
        DataChoice.from_json(data)


def test_an_unknown_dataset_is_refused_with_advice() -> None:
    with pytest.raises(UnknownKindError, match="Did you mean “mnist”"):
        DataChoice.from_json({"kind": "mnits"})


@pytest.mark.parametrize("kind", sources.kinds())
def test_the_input_itself_can_be_the_target(kind: str) -> None:
    choice = DataChoice(sources.get(kind)(), target="the input itself")
    assert choice.to_json()["target"] == "the input itself"
    assert DataChoice.from_json(json.loads(json.dumps(choice.to_json()))) == choice
    given = choice.spec.inputs[0]
    assert choice.spec.target.answer.dims == given.dims
    assert bool(choice.spec.refusal) == (given.dtype == "int" or len(choice.spec.inputs) > 1)
    assert DataChoice(choice.source).spec == choice.source.spec


def test_other_targets_are_refused() -> None:
    with pytest.raises(FieldError, match="target must be one of labels, the input itself"):
        DataChoice.from_json({"kind": "digits", "target": "nothing"})
