"""Divides samples into train, validation and test.

How it draws and cuts stands once more in `studio/export/script_splits.py`, for scripts that run without the studio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.base import SPLITS, DataError
from studio.data.choice import BY_TIME, FIND_OUT, FIXED, GROUPED, K_FOLD, RANDOM, STRATIFIED, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Pair = tuple[np.ndarray, np.ndarray]

DRAWN, ORDERED = "drawn", "ordered"  # and GROUPED: the ways in which samples are told apart


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of samples that matters for their division.

    Args:
        count: how many there are, M.
        classes: the class number of each (M,); None if there are none whose shares could be kept.
        test_start, validation_start, groups, times, gap: as in `Samples`.
        in_order: whether neighbours belong together, as in `Source`.
    """

    count: int
    classes: np.ndarray | None = None
    test_start: int | None = None
    validation_start: int | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    gap: int = 0
    in_order: bool = False

    @property
    def ordered(self) -> bool:
        """Whether neighbours must not be torn apart at random."""
        return self.in_order or self.gap > 0


def split_indices(known: Known, split: Split) -> dict[str, np.ndarray]:
    """The samples of each split. Same arguments: same split, on any machine.

    A test set of the dataset's own is the test split with every method; its own validation set is kept by “find out”
    and “fixed”, and divided anew by the others.

    Returns:
        sorted int64 indices for each of SPLITS; together every sample at most once. Those in none of them lie between
        two splits of ordered samples, and share values with both.

    Raises:
        DataError: if a split would be empty, or the method does not fit what is known.
    """
    import numpy as np

    assert known.validation_start is None or known.test_start is not None, "the rest is what comes before the test"
    if reason := _refusal(known, split):
        raise DataError(f"The data cannot be divided by the method “{split.method}”: {reason}")
    way = _way(known, split)
    rows = np.arange(known.count)
    if split.method == BY_TIME and known.times is not None:
        rows = np.argsort(known.times, kind="stable")
    if known.test_start is None:
        rest, test = way.cut(rows, split.test, 2)
    else:
        rest, test = way.parted(rows, known.test_start)
    if split.method == K_FOLD:
        train, validation = _folded(way, rest, split)
    elif known.validation_start is not None and split.method in (FIND_OUT, FIXED):
        train, validation = way.parted(rest, known.validation_start)
    else:
        train, validation = way.cut(rest, split.validation, 1)
    parts = {name: np.sort(part) for name, part in zip(SPLITS, (train, validation, test), strict=True)}
    return _filled(parts, known, way)


def _folded(way: _Way, rest: np.ndarray, split: Split) -> Pair:
    """Train and validation of one fold. Raises DataError if one of the folds would be empty."""
    if way.units(rest) < split.folds:
        raise DataError(
            f"{len(rest):,} samples{way.scarcity} are too few for {split.folds:,} folds. Use fewer folds, or a larger "
            "dataset."
        )
    return way.fold(rest, split.folds, split.fold)


def without(parts: dict[str, np.ndarray], excluded: Sequence[int], count: int) -> dict[str, np.ndarray]:
    """The splits without some samples; all others stay in the split they were in.

    So nothing that a network was tested on gets among what it learns, when a person leaves a sample out.

    Args:
        excluded: their numbers, in order.
        count: how many samples there are.

    Raises:
        DataError: if there is no sample of such a number, or nothing is left of a split.
    """
    import numpy as np

    if not excluded:
        return parts
    if excluded[-1] >= count:
        raise DataError(
            f"Sample {excluded[-1] + 1:,} is to be left out, but the dataset has only {count:,}: other samples were "
            "meant. Clear the list of samples that are left out, and look for problems again."
        )
    left = {name: np.setdiff1d(part, np.asarray(excluded, np.int64)) for name, part in parts.items()}
    for name, part in left.items():
        if not len(part):
            raise DataError(f"All samples of the {name} split are left out. Leave fewer out.")
    return left


def way_of(split: Split, *, ordered: bool, grouped: bool) -> str:
    """How samples are told apart: DRAWN, ORDERED or GROUPED.

    Args:
        ordered: whether neighbours belong together.
        grouped: whether groups are known, and enough of them for each split.
    """
    if split.method in (BY_TIME, GROUPED, RANDOM, STRATIFIED):
        return {BY_TIME: ORDERED, GROUPED: GROUPED}.get(split.method, DRAWN)
    return ORDERED if ordered else GROUPED if grouped else DRAWN


def _way(known: Known, split: Split) -> _Way:
    import numpy as np

    rng = np.random.default_rng(split.seed)
    match way_of(split, ordered=known.ordered, grouped=_has_groups(known, split)):
        case "ordered":
            return _Ordered(known.gap)
        case "grouped":
            assert known.groups is not None
            return _Grouped(rng, known.groups)
    classes = None if split.method == RANDOM else known.classes
    return _Drawn(rng, np.zeros(known.count, np.int64) if classes is None else classes)


def _has_groups(known: Known, split: Split) -> bool:
    """Whether groups are known; for “find out” also whether there are enough, else it goes by classes."""
    import numpy as np

    if known.groups is None:
        return False
    needed = 3 if known.test_start is None else 2
    return split.method != FIND_OUT or len(np.unique(known.groups[: known.test_start])) >= needed


def _refusal(known: Known, split: Split) -> str:
    """Why the method does not fit; empty if it does."""
    import numpy as np

    match split.method:
        case "fixed" if known.test_start is None or known.validation_start is None:
            lacks = "no sets" if known.test_start is None else "a test set, but no validation set"
            return f"the dataset has {lacks} of its own. Choose “{FIND_OUT}”."
        case "stratified" if known.classes is None:
            return f"its samples have no classes whose shares could be kept. Choose “{RANDOM}”."
        case "grouped" if known.groups is None:
            return f"nothing is known of which samples belong together. Choose “{FIND_OUT}”."
        case "grouped" if np.isin(*_groups_of_parts(known)).any():
            return f"some groups are in the dataset’s own test set and outside of it. Choose “{FIND_OUT}”."
        case "by time" if known.times is None and not known.ordered:
            return f"nothing is known of when its samples were taken. Choose “{FIND_OUT}”."
        case "by time" if known.times is not None and not np.isfinite(known.times).all():
            missing = int((~np.isfinite(known.times)).sum())
            return f"{missing:,} of its samples have no time. Leave them out of the file, or choose “{FIND_OUT}”."
        case "random" | "stratified" if known.gap:
            return f"neighbours share values, and so would train and test. Choose “{FIND_OUT}” or “{BY_TIME}”."
    return ""


def _groups_of_parts(known: Known) -> Pair:
    """The groups of the dataset's own test set, none if it has none, and those of the rest."""
    assert known.groups is not None
    start = len(known.groups) if known.test_start is None else known.test_start
    return known.groups[start:], known.groups[:start]


def _filled(parts: dict[str, np.ndarray], known: Known, way: _Way) -> dict[str, np.ndarray]:
    for name, indices in parts.items():
        if not len(indices):
            raise DataError(
                f"The {name} split is empty: {known.count:,} samples{way.scarcity} are too few. Use a larger dataset."
            )
    return parts


class _Way:
    """How rows are divided in two."""

    @property
    def scarcity(self) -> str:
        """What makes the samples fewer than they seem, in words after their number."""
        return ""

    def cut(self, rows: np.ndarray, share: float, keep: int) -> Pair:
        """A share goes to the second array, the rest, at least `keep` samples, to the first."""
        raise NotImplementedError

    def parted(self, rows: np.ndarray, start: int) -> Pair:
        """Those before a sample, and those from it on."""
        return rows[rows < start], rows[rows >= start]

    def fold(self, rows: np.ndarray, folds: int, fold: int) -> Pair:
        """One of several parts, about equally large, goes to the second array."""
        raise NotImplementedError

    def units(self, rows: np.ndarray) -> int:
        """How many parts can be made at most."""
        return len(rows)


@dataclass(frozen=True, eq=False)
class _Drawn(_Way):
    """At random, with the same share of each class."""

    rng: np.random.Generator
    classes: np.ndarray  # (M,)

    def cut(self, rows: np.ndarray, share: float, keep: int) -> Pair:
        """Part of each class goes to the second array, the rest, at least `keep`, to the first; both sorted."""
        import numpy as np

        first, second = [rows[:0]], [rows[:0]]
        for label in np.unique(self.classes[rows]):
            members = self.rng.permutation(rows[self.classes[rows] == label])
            count = _count(share, len(members), keep)
            first.append(members[count:])
            second.append(members[:count])
        return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))

    def fold(self, rows: np.ndarray, folds: int, fold: int) -> Pair:
        """Rows are dealt like cards, class after class, one to each fold in turn."""
        import numpy as np

        drawn = [self.rng.permutation(rows[self.classes[rows] == label]) for label in np.unique(self.classes[rows])]
        dealt = np.concatenate([rows[:0], *drawn])
        taken = np.arange(len(dealt)) % folds == fold - 1
        return dealt[~taken], dealt[taken]


@dataclass(frozen=True, eq=False)
class _Ordered(_Way):
    """In one piece each, the last one for the test; nothing is drawn."""

    gap: int

    @property
    def scarcity(self) -> str:
        return f", of which {self.gap:,} are left out between two splits," if self.gap else ""

    def cut(self, rows: np.ndarray, share: float, keep: int) -> Pair:
        """The end goes to the second array, the rest, at least `keep` and as many gaps, to the first."""
        left = len(rows) - _count(share, len(rows), keep * (1 + self.gap))
        return self._shortened(rows[:left]), rows[left:]

    def parted(self, rows: np.ndarray, start: int) -> Pair:
        """Those before a sample, but for the gap, and those from it on."""
        return self._shortened(rows[rows < start]), rows[rows >= start]

    def fold(self, rows: np.ndarray, folds: int, fold: int) -> Pair:
        """One of several equal pieces goes to the second array; the gap is left out on both sides of it."""
        import numpy as np

        start, end = len(rows) * (fold - 1) // folds, len(rows) * fold // folds
        return np.concatenate([self._shortened(rows[:start]), rows[end + self.gap :]]), rows[start:end]

    def _shortened(self, rows: np.ndarray) -> np.ndarray:
        return rows[: max(len(rows) - self.gap, 0)]


@dataclass(frozen=True, eq=False)
class _Grouped(_Way):
    """At random, but whole groups."""

    rng: np.random.Generator
    groups: np.ndarray  # (M,)

    @property
    def scarcity(self) -> str:
        import numpy as np

        return f" in {len(np.unique(self.groups)):,} groups"

    def cut(self, rows: np.ndarray, share: float, keep: int) -> Pair:
        """Groups go to the second array until it has about its share; at least `keep` groups stay in the first."""
        import numpy as np

        names, sizes = np.unique(self.groups[rows], return_counts=True)
        order = self.rng.permutation(len(names))
        missed = np.abs(np.cumsum(sizes[order]) - share * len(rows))[: max(len(names) - keep, 0)]
        taken = np.isin(self.groups[rows], names[order[: np.argmin(missed) + 1 if len(missed) else 0]])
        return rows[~taken], rows[taken]

    def fold(self, rows: np.ndarray, folds: int, fold: int) -> Pair:
        """Each fold gets one group of so many."""
        import numpy as np

        names = self.rng.permutation(np.unique(self.groups[rows]))
        taken = np.isin(self.groups[rows], names[fold - 1 :: folds])
        return rows[~taken], rows[taken]

    def units(self, rows: np.ndarray) -> int:
        """How many groups there are."""
        import numpy as np

        return len(np.unique(self.groups[rows]))


def _count(share: float, members: int, keep: int) -> int:
    """How many of the members a share is, so that at least one goes and at least `keep` stay, if there are so many."""
    return max(min(max(round(share * members), 1), members - keep), 0)
