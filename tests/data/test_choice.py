"""The data of a project, as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.data import SCALINGS, DataChoice, Split
from studio.data import registry as sources
from studio.fields import FieldError
from studio.registry import UnknownKindError


@pytest.mark.parametrize("kind", sources.kinds())
@pytest.mark.parametrize("scaling", SCALINGS)
def test_there_and_back(kind: str, scaling: str) -> None:
    choice = DataChoice(sources.get(kind)(), Split(validation=0.2, test=0.1, seed=7), scaling)
    assert DataChoice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


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
    (given,) = choice.spec.inputs
    assert choice.spec.target.answer.dims == given.dims
    assert bool(choice.spec.refusal) == (given.dtype == "int")
    assert DataChoice(choice.source).spec == choice.source.spec


def test_other_targets_are_refused() -> None:
    with pytest.raises(FieldError, match="target must be one of labels, the input itself"):
        DataChoice.from_json({"kind": "digits", "target": "nothing"})
