"""Classes given by hand, and samples to look at later."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from studio.data import DataChoice, DataError
from studio.data.base import Samples, Target, Texts
from studio.data.bundled import Diabetes, Digits, Iris
from studio.data.dataset import prepare
from studio.data.marks import LONGEST_NOTE, Later, Relabelled, content_digest, with_labels
from studio.data.texts.tokens import TokenRules
from studio.fields import FieldError

CLASSES = Target("classification", ("a", "b", "c"))


def marked(sample: int, label: str, samples: Samples) -> Relabelled:
    return Relabelled(sample, label, content_digest(samples.inputs, samples.contents, sample))


@pytest.fixture(scope="module")
def numbers() -> Samples:
    return Samples((np.arange(12, dtype=np.float32).reshape(6, 2),), np.array([0, 1, 2, 0, 1, 2]))


def test_a_class_given_by_hand_changes_the_target_and_nothing_else() -> None:
    plain = prepare(DataChoice(source=Digits()))
    row = int(plain.splits["train"][3])
    label = (int(plain.targets[row]) + 1) % 10
    choice = DataChoice(source=Digits()).given([Relabelled(row, str(label), plain.digest(row))])
    changed = prepare(choice)
    assert int(changed.targets[row]) == label
    assert (changed.targets != plain.targets).sum() == 1
    assert all((changed.splits[name] == plain.splits[name]).all() for name in plain.splits)
    assert changed.fingerprint != plain.fingerprint
    assert prepare(replace(choice, relabelled=())).fingerprint == plain.fingerprint
    assert prepare(choice.noted([Later(row, "odd")]).given(())).fingerprint == changed.fingerprint


def test_other_content_under_the_number_is_refused(numbers: Samples) -> None:
    marks = [marked(4, "c", numbers)]
    assert with_labels(numbers, CLASSES, marks).tolist() == [0, 1, 2, 0, 2, 2]
    assert numbers.targets.tolist() == [0, 1, 2, 0, 1, 2]
    moved = replace(numbers, inputs=(numbers.inputs[0][::-1],))
    for other, reason in (
        (moved, "Sample 5 was given the class “c” by hand, and is another sample now"),
        (Samples((numbers.inputs[0][:3],), numbers.targets[:3]), "is another sample now"),
    ):
        with pytest.raises(DataError, match=reason):
            with_labels(other, CLASSES, marks)
    with pytest.raises(DataError, match="there is no such class any more"):
        with_labels(numbers, Target("classification", ("a", "b")), marks)


def test_the_digest_of_a_file_counts_alone_where_it_is_known(numbers: Samples) -> None:
    files = np.arange(96, dtype=np.uint8).reshape(6, 16)
    known = replace(numbers, contents=files)
    resized = Samples((np.zeros((6, 5), np.float32),), numbers.targets, contents=files)
    assert with_labels(resized, CLASSES, [marked(1, "a", known)]).tolist() == [0, 0, 2, 0, 1, 2]


def test_texts_are_told_apart_by_what_is_written() -> None:
    texts = [Texts([first, "b"], TokenRules("words", 10, 4, 1)) for first in ("a", "a ")]
    digests = [content_digest((given,), None, 0) for given in texts]
    assert digests[0] != digests[1]
    assert content_digest((texts[0],), None, 1) == content_digest((texts[1],), None, 1)


def test_only_samples_with_one_class_can_be_given_another() -> None:
    choice = DataChoice(source=Diabetes()).given([Relabelled(0, "x", "0" * 32)])
    with pytest.raises(DataError, match="numbers are predicted here"):
        prepare(choice)


def test_marks_go_with_other_samples_and_come_back_from_json() -> None:
    choice = DataChoice(source=Digits()).given([Relabelled(5, "3", "ab" * 16), Relabelled(2, "1", "cd" * 16)])
    choice = choice.noted([Later(9, "blurred"), Later(1)]).given([Relabelled(5, "4", "ab" * 16)])
    assert [(mark.sample, mark.label) for mark in choice.relabelled] == [(2, "1"), (5, "4")]
    assert DataChoice.from_json(json.loads(json.dumps(choice.to_json()))) == choice
    other = choice.with_source(Iris())
    assert (other.relabelled, other.later) == ((), ())
    assert "later" not in DataChoice().to_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relabelled", [[1, "a", "0" * 31]]),
        ("relabelled", [[1, "a", "0" * 32], [1, "b", "0" * 32]]),
        ("relabelled", [[True, "a", "0" * 32]]),
        ("relabelled", [[1, 2, "0" * 32]]),
        ("relabelled", {"1": "a"}),
        ("later", [{"sample": -1}]),
        ("later", [{"sample": 1, "note": "x" * (LONGEST_NOTE + 1)}]),
        ("later", [{"sample": 2}, {"sample": 1}]),
        ("later", [{"sample": 1, "more": 2}]),
    ],
)
def test_marks_that_cannot_be_are_refused(name: str, value: object) -> None:
    with pytest.raises(FieldError, match=name):
        DataChoice.from_json({"kind": "digits", name: value})
