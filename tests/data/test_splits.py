"""Splits: disjoint, complete, the same each time, and nothing that belongs together on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.data import SPLITS, DataError, Split
from studio.data.choice import METHODS
from studio.data.splits import Known, split_indices, without
from studio.fields import FieldError

SHARES = st.floats(0.01, 0.9)
SEEDS = st.integers(0, 2**31 - 1)
CLASSES = st.lists(st.integers(0, 4), min_size=3, max_size=300).map(np.array)


def of(classes: np.ndarray, **known: Any) -> Known:
    return Known(len(classes), classes, **known)


def listed(parts: dict[str, np.ndarray]) -> dict[str, list[int]]:
    return {name: indices.tolist() for name, indices in parts.items()}


def sizes(parts: dict[str, np.ndarray]) -> dict[str, int]:
    return {name: len(indices) for name, indices in parts.items()}


def divided(known: Known, split: Split) -> dict[str, np.ndarray] | None:
    """The splits, which are in order and share nothing; None if there are too few samples."""
    try:
        parts = split_indices(known, split)
    except DataError as error:
        if "too few" not in str(error):
            raise
        return None
    assert list(parts) == list(SPLITS)
    for indices in parts.values():
        assert indices.dtype == np.int64
        assert len(indices)
        assert (np.diff(indices) > 0).all()
    together = np.concatenate(list(parts.values()))
    assert len(np.unique(together)) == len(together)
    assert set(together.tolist()) <= set(range(known.count))
    if not known.gap:
        assert len(together) == known.count
    assert listed(split_indices(known, split)) == listed(parts)
    return parts


@given(classes=CLASSES, validation=SHARES, test=SHARES, seed=SEEDS, method=st.sampled_from(["find out", "stratified"]))
def test_each_sample_once_and_each_class_everywhere(
    classes: np.ndarray, validation: float, test: float, seed: int, method: str
) -> None:
    parts = divided(of(classes), Split(method, validation, test, seed))
    counts = np.bincount(classes)
    assert (parts is None) <= (max(counts) < 3)
    for indices in (parts or {}).values():
        for label, count in enumerate(counts):
            assert count < 3 or label in classes[indices]


@given(classes=CLASSES, validation=SHARES, test=SHARES, seed=SEEDS)
def test_at_random_classes_do_not_count(classes: np.ndarray, validation: float, test: float, seed: int) -> None:
    split = Split("random", validation, test, seed)
    parts = divided(of(classes), split)
    assert parts is not None
    assert listed(parts) == listed(split_indices(of(np.zeros(len(classes))), split))


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_shares(method: str) -> None:
    classes = np.repeat([0, 1], [900, 100])
    parts = split_indices(of(classes), Split(method, validation=0.25, test=0.2))
    assert sizes(parts) == {"train": 600, "validation": 200, "test": 200}
    rare = {name: int(classes[indices].sum()) for name, indices in parts.items()}
    assert (rare == {"train": 60, "validation": 20, "test": 20}) == (method == "stratified")


def test_the_datasets_own_test_set_is_kept() -> None:
    parts = split_indices(of(np.arange(100) % 5, test_start=80), Split(validation=0.25, test=0.9))
    assert parts["test"].tolist() == list(range(80, 100))
    assert (len(parts["validation"]), len(parts["train"])) == (20, 60)


def test_the_datasets_own_validation_set_is_kept() -> None:
    known = of(np.arange(12) % 2, test_start=8, validation_start=5)
    for method in ("find out", "fixed"):
        assert listed(split_indices(known, Split(method, validation=0.9))) == {
            "train": [0, 1, 2, 3, 4], "validation": [5, 6, 7], "test": [8, 9, 10, 11],
        }  # fmt: skip


@pytest.mark.parametrize("method", ["random", "stratified", "grouped", "by time", "k-fold"])
def test_other_methods_divide_all_but_the_datasets_own_test_set(method: str) -> None:
    groups, times = np.arange(40) // 2, np.arange(40)[::-1].astype(float)
    known = of(np.arange(40) % 2, test_start=30, validation_start=29, groups=groups, times=times)
    parts = divided(known, Split(method, validation=0.4, folds=3))
    assert parts is not None
    assert parts["test"].tolist() == list(range(30, 40))
    assert len(parts["validation"]) in (10, 12)
    assert parts["validation"][0] < 29


def test_the_same_seed_gives_the_same_split_for_ever() -> None:
    # Written down: a changed split would make old runs and new ones differ without a word.
    known = of(np.arange(20) % 2, groups=np.arange(20) // 2 % 7)
    assert listed(split_indices(of(np.arange(20) % 2), Split(seed=3))) == EXPECTED
    assert listed(split_indices(known, Split(seed=3))) == EXPECTED_GROUPED
    assert listed(split_indices(of(np.arange(20) % 2), Split("k-fold", seed=3, folds=3, fold=2))) == EXPECTED_FOLD
    assert listed(split_indices(of(np.arange(20) % 2), Split(seed=4))) != EXPECTED


EXPECTED = {
    "train": [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 16, 17, 19],
    "validation": [13, 14],
    "test": [9, 12, 15, 18],
}
EXPECTED_GROUPED = {
    "train": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 19],
    "validation": [12, 13],
    "test": [10, 11],
}
EXPECTED_FOLD = {
    "train": [1, 2, 3, 5, 6, 8, 13, 14, 16, 17, 19],
    "validation": [0, 4, 7, 10, 11],
    "test": [9, 12, 15, 18],
}


def test_without_classes_they_are_drawn() -> None:
    assert sizes(split_indices(Known(10), Split())) == {"train": 7, "validation": 1, "test": 2}


@pytest.mark.parametrize("classes", [[], [0], [0, 0], [0, 1, 2]])
def test_too_few_samples_are_told(classes: list[int]) -> None:
    with pytest.raises(DataError, match="too few"):
        split_indices(of(np.array(classes, np.int64)), Split())


@given(
    groups=st.lists(st.integers(0, 12), min_size=3, max_size=200).map(np.array),
    validation=SHARES,
    test=SHARES,
    seed=SEEDS,
    method=st.sampled_from(["find out", "grouped", "k-fold"]),
)
def test_no_group_is_in_two_splits(groups: np.ndarray, validation: float, test: float, seed: int, method: str) -> None:
    known = of(np.zeros(len(groups), np.int64), groups=groups)
    parts = divided(known, Split(method, validation, test, seed, folds=2))
    enough = len(np.unique(groups)) >= 3
    assert (parts is not None) == (enough or method == "find out")
    if parts is not None and enough:
        found = [set(groups[indices].tolist()) for indices in parts.values()]
        assert sum(map(len, found)) == len(set.union(*found))


def test_groups_come_near_the_shares() -> None:
    groups = np.repeat(np.arange(100), 7)
    parts = split_indices(Known(700, groups=groups), Split("grouped", validation=0.25, test=0.2))
    assert sizes(parts) == {"train": 420, "validation": 140, "test": 140}


@given(
    times=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=200).map(np.array), validation=SHARES, test=SHARES,
    gap=st.integers(0, 9),
)  # fmt: skip
def test_by_time_what_is_later_is_tested(times: np.ndarray, validation: float, test: float, gap: int) -> None:
    parts = divided(Known(len(times), times=times, gap=gap), Split("by time", validation, test))
    assert parts is not None or len(times) < 3 + 2 * gap
    if parts is None:
        return
    train, watched, tested = (times[indices] for indices in parts.values())
    assert train.max() <= watched.min()
    assert watched.max() <= tested.min()
    assert sum(map(len, parts.values())) == len(times) - 2 * gap


@given(count=st.integers(3, 300), validation=SHARES, test=SHARES, gap=st.integers(0, 9))
def test_in_order_each_split_is_one_piece_and_nothing_overlaps(
    count: int, validation: float, test: float, gap: int
) -> None:
    parts = divided(Known(count, np.zeros(count), gap=gap, in_order=True), Split(validation=validation, test=test))
    assert parts is not None or count < 3 + 2 * gap
    if parts is None:
        return
    starts, ends = zip(*((indices[0], indices[-1]) for indices in parts.values()), strict=True)
    assert (starts[0], ends[2]) == (0, count - 1)
    assert [starts[1] - ends[0], starts[2] - ends[1]] == [gap + 1, gap + 1]
    assert [len(indices) for indices in parts.values()] == [e - s + 1 for s, e in zip(starts, ends, strict=True)]
    assert len(parts["test"]) == max(1, min(round(test * count), count - 2 * (1 + gap)))


def test_the_gap_is_kept_before_own_sets() -> None:
    known = Known(30, test_start=20, validation_start=10, gap=3)
    assert listed(split_indices(known, Split())) == {
        "train": list(range(7)), "validation": list(range(10, 17)), "test": list(range(20, 30)),
    }  # fmt: skip


@given(classes=CLASSES, folds=st.integers(2, 9), seed=SEEDS, order=st.booleans(), gap=st.integers(0, 3))
def test_each_sample_that_is_not_for_the_test_is_validation_in_one_fold(
    classes: np.ndarray, folds: int, seed: int, order: bool, gap: int
) -> None:
    known = of(classes, in_order=order, gap=gap if order else 0)
    parts = [divided(known, Split("k-fold", seed=seed, folds=folds, fold=fold + 1)) for fold in range(folds)]
    whole = [part for part in parts if part is not None]
    if len(whole) < folds:
        assert len(classes) < 50
        return
    assert len({tuple(part["test"]) for part in whole}) == 1
    watched = np.sort(np.concatenate([part["validation"] for part in whole]))
    rest = np.setdiff1d(np.arange(len(classes)), whole[0]["test"])
    assert watched.tolist() == (rest[: len(rest) - known.gap] if known.gap else rest).tolist()
    lengths = [len(part["validation"]) for part in whole]
    assert max(lengths) - min(lengths) <= 1
    for part in whole:
        if order:
            distances = np.abs(part["train"][:, None] - part["validation"])
            assert not len(part["train"]) or distances.min() > known.gap
        else:
            counts = [np.bincount(classes[p["validation"]], minlength=5) for p in whole]
            assert (np.ptp(counts, axis=0) <= 1).all()


def test_folds_of_groups_cover_all_but_the_test() -> None:
    known = Known(60, groups=np.arange(60) // 4)
    parts = [split_indices(known, Split("k-fold", folds=3, fold=fold)) for fold in (1, 2, 3)]
    watched = np.concatenate([part["validation"] for part in parts])
    assert sorted([*watched, *parts[0]["test"]]) == list(range(60))
    assert [len(part["validation"]) // 4 for part in parts] == [5, 4, 4]


def test_a_fold_beyond_the_last_is_refused() -> None:
    with pytest.raises(FieldError, match="at most the number of folds, 5, not 6"):
        Split("k-fold", fold=6)
    assert Split(fold=6).fold == 6  # it is not used


TIMES = np.array([1.0, np.nan, 3.0, np.inf, 4.0, 5.0])


@pytest.mark.parametrize(
    ("method", "known", "reason"),
    [
        ("fixed", Known(9), "no sets of its own"),
        ("fixed", Known(9, test_start=6), "a test set, but no validation set"),
        ("stratified", Known(9), "no classes"),
        ("grouped", Known(9), "which samples belong together"),
        ("grouped", Known(6, groups=np.arange(6) // 4, test_start=5), "own test set and outside"),
        ("grouped", Known(6, groups=np.arange(6) // 3), "in 2 groups are too few"),
        ("by time", Known(9), "when its samples were taken"),
        ("by time", Known(6, times=TIMES), "2 of its samples have no time"),
        ("random", Known(9, gap=1), "neighbours share values"),
        ("stratified", of(np.zeros(9), gap=1), "neighbours share values"),
        ("k-fold", Known(5), "too few"),
        ("find out", Known(9, gap=4), "of which 4 are left out between two splits, are too few"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(method: str, known: Known, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        split_indices(known, Split(method, folds=6))


def test_every_method_divides_what_it_is_for() -> None:
    everything = of(np.arange(60) % 3, test_start=40, validation_start=30, times=np.arange(60.0))
    grouped = of(np.arange(60) % 3, groups=np.arange(60) // 4)
    for method in METHODS:
        assert divided(grouped if method == "grouped" else everything, Split(method)) is not None


@given(classes=CLASSES, excluded=st.sets(st.integers(0, 299)))
def test_what_is_left_out_moves_nothing_else(classes: np.ndarray, excluded: set[int]) -> None:
    parts = divided(of(classes), Split())
    numbers = sorted(number for number in excluded if number < len(classes))
    if parts is None or any(set(indices.tolist()) <= excluded for indices in parts.values()):
        return
    left = without(parts, numbers, len(classes))
    assert {name: [n for n in indices.tolist() if n not in excluded] for name, indices in parts.items()} == listed(left)


def test_left_out_samples_that_cannot_be_meant_are_refused() -> None:
    parts = split_indices(Known(10), Split())
    with pytest.raises(DataError, match="Sample 11 is to be left out, but the dataset has only 10"):
        without(parts, (3, 10), 10)
    with pytest.raises(DataError, match="only 10"):
        without(parts, (10**400,), 10)
    with pytest.raises(DataError, match="All samples of the test split"):
        without(parts, tuple(parts["test"].tolist()), 10)
