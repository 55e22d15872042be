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
) -> dict[str, np.ndarray]:
    """The samples of each split. Same arguments: same split, on any machine.

    Args:
        targets: class numbers (M,), or (M, targets) when not stratified.
        split: shares and seed.
        stratify: keep the share of each class the same in each split; from three samples on it is in each of them.
        test_start: index of the first sample of the dataset's own test set, which then is the test split.
        validation_start: the same of its own validation set, which goes to `test_start`.

    Returns:
        sorted int64 indices for each of SPLITS; together every sample once.

    Raises:
        DataError: if a split would be empty.
    """
    import numpy as np

    assert validation_start is None or test_start is not None, "the rest is only then what comes before the test"
    rng = np.random.default_rng(split.seed)
    groups = targets if stratify else np.zeros(len(targets), np.int64)
    rest = np.arange(len(targets) if test_start is None else test_start)
    if test_start is None:
        rest, test = _divide(rest, groups, split.test, 2, rng)
    else:
        test = np.arange(test_start, len(targets))
    if validation_start is None:
        train, validation = _divide(rest, groups, split.validation, 1, rng)
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
        count = max(min(max(round(share * len(members)), 1), len(members) - keep), 0)
        first.append(members[count:])
        second.append(members[:count])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))
