"""Divides samples into train, validation and test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.data.base import SPLITS, DataError
from studio.data.choice import Split

if TYPE_CHECKING:
    import numpy as np


def split_indices(
    targets: np.ndarray,
    split: Split,
    *,
    stratify: bool,
    test_start: int | None = None,
    validation_start: int | None = None,
    in_order: bool = False,
) -> dict[str, np.ndarray]:
    """The samples of each split. Same arguments: same split, on any machine.

    Args:
        targets: class numbers (M,), or (M, *any) when not stratified.
        split: shares and seed.
        stratify: keep the share of each class the same in each split; from three samples on it is in each of them.
        test_start: index of the first sample of the dataset's own test set, which then is the test split.
        validation_start: the same of its own validation set, which goes to `test_start`.
        in_order: neighbours belong together: each split is in one piece, the test split at the end.

    Returns:
        sorted int64 indices for each of SPLITS; together every sample once.

    Raises:
        DataError: if a split would be empty.
    """
    import numpy as np

    assert validation_start is None or test_start is not None, "the rest is only then what comes before the test"
    rng = np.random.default_rng(split.seed)
    groups = targets if stratify else np.zeros(len(targets), np.int64)
    divide = _cut_off if in_order else _divide
    rest = np.arange(len(targets) if test_start is None else test_start)
    if test_start is None:
        rest, test = divide(rest, groups, split.test, 2, rng)
    else:
        test = np.arange(test_start, len(targets))
    if validation_start is None:
        train, validation = divide(rest, groups, split.validation, 1, rng)
    else:
        train, validation = rest[:validation_start], rest[validation_start:]
    parts = dict(zip(SPLITS, (train, validation, test), strict=True))
    for name, indices in parts.items():
        if not len(indices):
            raise DataError(f"The {name} split is empty: {len(targets):,} samples are too few. Use a larger dataset.")
    return parts


def _divide(
    indices: np.ndarray, groups: np.ndarray, share: float, keep: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Part of each group goes to the second array, the rest, at least `keep`, to the first; both sorted."""
    import numpy as np

    first, second = [indices[:0]], [indices[:0]]
    for group in np.unique(groups[indices]):
        members = rng.permutation(indices[groups[indices] == group])
        count = _count(share, len(members), keep)
        first.append(members[count:])
        second.append(members[:count])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))


def _cut_off(
    indices: np.ndarray, groups: np.ndarray, share: float, keep: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The end goes to the second array, the rest, at least `keep`, to the first; nothing is drawn."""
    left = len(indices) - _count(share, len(indices), keep)
    return indices[:left], indices[left:]


def _count(share: float, members: int, keep: int) -> int:
    """How many of the members a share is, so that at least one goes and at least `keep` stay, if there are so many."""
    return max(min(max(round(share * members), 1), members - keep), 0)
