"""Splits: disjoint, complete, stratified, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.data import SPLITS, DataError, Split
from studio.data.splits import split_indices

SHARES = st.floats(0.01, 0.9)


@given(
    classes=st.lists(st.integers(0, 4), min_size=3, max_size=300),
    validation=SHARES,
    test=SHARES,
    seed=st.integers(0, 2**31 - 1),
)
def test_each_sample_once_and_each_class_everywhere(
    classes: list[int], validation: float, test: float, seed: int
) -> None:
    targets = np.array(classes)
    split = Split(validation=validation, test=test, seed=seed)
    if max(np.bincount(targets)) < 3:
        return
    parts = split_indices(targets, split, stratify=True)
    assert list(parts) == list(SPLITS)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(targets)))
    for indices in parts.values():
        assert indices.dtype == np.int64
        assert (np.diff(indices) > 0).all()
        for label, count in enumerate(np.bincount(targets)):
            assert count < 3 or label in targets[indices]


@pytest.mark.parametrize("stratify", [True, False])
def test_shares(stratify: bool) -> None:
    targets = np.repeat([0, 1], [900, 100])
    parts = split_indices(targets, Split(validation=0.25, test=0.2), stratify=stratify)
    assert {name: len(indices) for name, indices in parts.items()} == {"train": 600, "validation": 200, "test": 200}
    if stratify:
        assert {name: int(targets[indices].sum()) for name, indices in parts.items()} == {
            "train": 60, "validation": 20, "test": 20,
        }  # fmt: skip


def test_the_datasets_own_test_set_is_kept() -> None:
    targets = np.arange(100) % 5
    parts = split_indices(targets, Split(validation=0.25, test=0.9), stratify=True, test_start=80)
    assert parts["test"].tolist() == list(range(80, 100))
    assert len(parts["validation"]) == 20
    assert len(parts["train"]) == 60


def test_the_datasets_own_validation_set_is_kept() -> None:
    targets = np.arange(12) % 2
    parts = split_indices(targets, Split(validation=0.9), stratify=True, test_start=8, validation_start=5)
    assert {name: indices.tolist() for name, indices in parts.items()} == {
        "train": [0, 1, 2, 3, 4], "validation": [5, 6, 7], "test": [8, 9, 10, 11],
    }  # fmt: skip


def test_the_same_seed_gives_the_same_split_for_ever() -> None:
    targets = np.arange(20) % 2
    # Written down: a changed split would make old runs and new ones differ without a word.
    parts = split_indices(targets, Split(seed=3), stratify=True)
    assert {name: indices.tolist() for name, indices in parts.items()} == EXPECTED
    other = split_indices(targets, Split(seed=4), stratify=True)
    assert other["train"].tolist() != parts["train"].tolist()


EXPECTED = {
    "train": [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 16, 17, 19],
    "validation": [13, 14],
    "test": [9, 12, 15, 18],
}


def test_regression_targets_have_two_axes() -> None:
    parts = split_indices(np.zeros((10, 2), np.float32), Split(), stratify=False)
    assert {name: len(indices) for name, indices in parts.items()} == {"train": 7, "validation": 1, "test": 2}


@pytest.mark.parametrize("targets", [[], [0], [0, 0], [0, 1, 2]])
def test_too_few_samples_are_told(targets: list[int]) -> None:
    with pytest.raises(DataError, match="too few"):
        split_indices(np.array(targets, np.int64), Split(), stratify=True)


@given(count=st.integers(3, 300), validation=SHARES, test=SHARES)
def test_in_order_each_split_is_one_piece_and_the_test_is_the_end(count: int, validation: float, test: float) -> None:
    split = Split(validation=validation, test=test)
    parts = split_indices(np.zeros((count, 4)), split, stratify=False, in_order=True)
    assert np.concatenate(list(parts.values())).tolist() == list(range(count))
    assert len(parts["test"]) == max(1, min(round(test * count), count - 2))
