"""How the training script divides the samples: the same as `studio.data.splits`, for one method, in plain NumPy."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from studio.data import DataChoice, LoadingCode
from studio.data.choice import BY_TIME, FIND_OUT, FIXED, GROUPED, K_FOLD, RANDOM
from studio.data.splits import DRAWN, ORDERED, way_of

_PAIR = ") -> tuple[np.ndarray, np.ndarray]:"

_DIVIDE = '''
def divide(
    rows: np.ndarray, labels: np.ndarray, share: float, keep: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A share of each class goes to the second array, the rest, at least `keep`, to the first; both sorted."""
    first, second = [], []
    for label in np.unique(labels[rows]):
        members = rng.permutation(rows[labels[rows] == label])
        count = max(min(max(round(share * len(members)), 1), len(members) - keep), 0)
        first.append(members[count:])
        second.append(members[:count])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))
'''
_DIVIDE_GROUPS = '''
def divide(
    rows: np.ndarray, groups: np.ndarray, share: float, keep: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Whole groups, together about a share, go to the second array; at least `keep` groups stay in the first."""
    names, sizes = np.unique(groups[rows], return_counts=True)
    order = rng.permutation(len(names))
    missed = np.abs(np.cumsum(sizes[order]) - share * len(rows))[: len(names) - keep]
    taken = np.isin(groups[rows], names[order[: np.argmin(missed) + 1]])
    return rows[~taken], rows[taken]
'''
_CUT_OFF = '''
def divide(rows: np.ndarray, share: float, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """The end goes to the second array, the rest, at least `keep`, to the first: neighbours belong together."""
    left = len(rows) - max(min(max(round(share * len(rows)), 1), len(rows) - keep), 0)
    return rows[:left], rows[left:]
'''
_CUT_OFF_WITH_GAP = '''
def divide(rows: np.ndarray, share: float, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """The end goes to the second array, the rest, at least `keep`, to the first, but for the gap between them."""
    left = len(rows) - max(min(max(round(share * len(rows)), 1), len(rows) - keep * (1 + GAP)), 0)
    return rows[:left][:-GAP], rows[left:]
'''
_FOLD = '''
def fold_of(rows: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One fold goes to the second array. Rows are dealt like cards, class after class, one to each fold in turn."""
    dealt = np.concatenate([rng.permutation(rows[labels[rows] == label]) for label in np.unique(labels[rows])])
    taken = np.arange(len(dealt)) % FOLDS == FOLD - 1
    return dealt[~taken], dealt[taken]
'''
_FOLD_OF_GROUPS = '''
def fold_of(rows: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One fold goes to the second array. Each of them gets one group of so many."""
    taken = np.isin(groups[rows], rng.permutation(np.unique(groups[rows]))[FOLD - 1 :: FOLDS])
    return rows[~taken], rows[taken]
'''
_PIECE = '''
def fold_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One fold goes to the second array: each of them is one piece, since neighbours belong together."""
    start, end = len(rows) * (FOLD - 1) // FOLDS, len(rows) * FOLD // FOLDS
    return np.concatenate([rows[:start]$gap, rows[end$after:]]), rows[start:end]
'''


@dataclass(frozen=True)
class SplitCode:
    """What the script needs to divide the samples.

    Args:
        functions: `split_rows` and what it needs.
        constants: lines of assignments.
        loaded: names for what `load_data` gives after samples and labels.
        arguments: what `split_rows` is called with.
    """

    functions: str
    constants: tuple[str, ...]
    loaded: tuple[str, ...]
    arguments: str


def refusal(choice: DataChoice, loading: LoadingCode) -> str:
    """What about the division cannot be written as code, in words; empty if all can."""
    method = choice.split.method
    if method == GROUPED and not loading.groups:
        return "how the groups of the samples are read"
    if method == BY_TIME and not (loading.times or _is_ordered(choice, loading)):
        return "how the times of the samples are read"
    if method == FIXED and len(loading.own_splits) < 2:
        return "how the dataset’s own sets are read"
    return ""


def split_code(choice: DataChoice, loading: LoadingCode, *, classes: bool) -> SplitCode:
    """The division of a choice that has no `refusal`.

    Args:
        classes: whether the labels are classes of samples, whose shares are to be kept.
    """
    return _Writer(choice, loading, classes).code()


def _is_ordered(choice: DataChoice, loading: LoadingCode) -> bool:
    return choice.source.in_order or loading.gap > 0


class _Writer:
    """Writes `split_rows` for one way of telling samples apart."""

    def __init__(self, choice: DataChoice, loading: LoadingCode, classes: bool) -> None:
        self.choice, self.loading, self.split = choice, loading, choice.split
        self.way = way_of(self.split, ordered=_is_ordered(choice, loading), grouped=loading.groups)
        self.gap = loading.gap if self.way == ORDERED else 0
        self.by_time = self.split.method == BY_TIME and loading.times
        self.own_test = "test" in loading.own_splits
        self.own_validation = "validation" in loading.own_splits and self.split.method in (FIND_OUT, FIXED)
        self.labels = "labels"
        if self.way == DRAWN and (not classes or self.split.method == RANDOM):
            self.labels = "np.zeros(len(labels))"

    def code(self) -> SplitCode:
        loading = self.loading
        given = [*["groups"] * loading.groups, *["times"] * loading.times, *(f"{s}_start" for s in loading.own_splits)]
        taken = {"groups": self.way == GROUPED, "times": self.by_time, "test_start": self.own_test}
        used = [name for name in given if taken.get(name, self.own_validation)]
        return SplitCode(
            functions="\n\n\n".join([*self._helpers(), self._split_rows(used)]),
            constants=tuple(self._constants()),
            loaded=tuple(name if name in used else "_" for name in given),
            arguments=", ".join([self.labels, *used]),
        )

    def _draws(self) -> bool:
        """Whether chance has a part in it."""
        return self.way != ORDERED and not (self.own_test and self.own_validation)

    def _divides(self) -> bool:
        """Whether a share is cut off anywhere."""
        return not self.own_test or not (self.own_validation or self.split.method == K_FOLD)

    def _helpers(self) -> list[str]:
        divide = {DRAWN: _DIVIDE, GROUPED: _DIVIDE_GROUPS}.get(self.way, _CUT_OFF_WITH_GAP if self.gap else _CUT_OFF)
        piece = _PIECE.replace("$gap", "[:-GAP]" if self.gap else "").replace("$after", " + GAP " if self.gap else "")
        fold = {DRAWN: _FOLD, GROUPED: _FOLD_OF_GROUPS}.get(self.way, piece)
        chosen = [*[divide] * self._divides(), *[fold] * (self.split.method == K_FOLD)]
        return [helper.strip("\n") for helper in chosen]

    def _split_rows(self, used: list[str]) -> str:
        types = {"groups": "np.ndarray", "times": "np.ndarray"}
        given = ", ".join(["labels: np.ndarray", *(f"{name}: {types.get(name, 'int')}" for name in used)])
        lines = [
            f"def split_rows({given}) -> tuple[np.ndarray, np.ndarray, np.ndarray]:",
            f'    """The rows of the train, validation and test splits{self._remark()}."""',
        ]
        if self.way == GROUPED and self.split.method == FIND_OUT:
            of, needed = ("[:test_start]", 2) if self.own_test else ("", 3)
            lines += [f"    if len(np.unique(groups{of})) < {needed}:"]
            lines += ['        raise ValueError("There are too few groups to keep each in one split.")']
        lines += ["    rng = np.random.default_rng(SPLIT_SEED)"] if self._draws() else []
        lines += [
            '    rows = np.argsort(times, kind="stable")' if self.by_time else "    rows = np.arange(len(labels))"
        ]
        lines += [f"    rest, test = {self._parted('rows', 'test') if self.own_test else self._cut('rows', 'TEST', 2)}"]
        return "\n".join([*lines, f"    train, validation = {self._validation()}", f"    return {self._result()}"])

    def _remark(self) -> str:
        own = [name for name, has in (("validation", self.own_validation), ("test", self.own_test)) if has]
        if own:
            return f"; the dataset has a {' and a '.join(own)} set of its own"
        return ", each in one piece: neighbours belong together" if self.way == ORDERED and not self.by_time else ""

    def _validation(self) -> str:
        if self.split.method == K_FOLD:
            return f"fold_of({', '.join(['rest', *self._told()])})"
        return self._parted("rest", "validation") if self.own_validation else self._cut("rest", "VALIDATION", 1)

    def _cut(self, rows: str, share: str, keep: int) -> str:
        first, *rest = self._told() or [""]
        return f"divide({', '.join(filter(None, [rows, first, f'{share}_SHARE', str(keep), *rest]))})"

    def _told(self) -> list[str]:
        """What a helper is told beside the rows."""
        return {DRAWN: ["labels", "rng"], GROUPED: ["groups", "rng"]}.get(self.way, [])

    def _parted(self, rows: str, start: str) -> str:
        return f"{rows}[{rows} < {start}_start]{'[:-GAP]' if self.gap else ''}, {rows}[{rows} >= {start}_start]"

    def _result(self) -> str:
        parts = ("train", "validation", "test")
        if self.choice.excluded:
            return ", ".join(f"np.setdiff1d({part}, EXCLUDED)" for part in parts)
        sorted_already = not self.by_time and not (self.split.method == K_FOLD and self.way == DRAWN)
        return ", ".join(part if sorted_already else f"np.sort({part})" for part in parts)

    def _constants(self) -> list[str]:
        split, lines = self.split, []
        if not self.own_test:
            lines += [f"TEST_SHARE = {split.test!r}"]
        if split.method == K_FOLD:
            lines += [f"FOLDS = {split.folds}  # of what is not for the test", f"FOLD = {split.fold}"]
        elif not self.own_validation:
            lines += [f"VALIDATION_SHARE = {split.validation!r}  # of what is not for the test"]
        lines += [f"GAP = {self.gap}  # so many neighbours share values, and are left out between splits"] * (
            self.gap > 0
        )
        lines += [f"SPLIT_SEED = {split.seed}"] * self._draws()
        return [*lines, *_excluded(self.choice.excluded)]


def _excluded(numbers: tuple[int, ...]) -> list[str]:
    if not numbers:
        return []
    filled = textwrap.fill(", ".join(map(str, numbers)) + ",", 96)
    return ["# Rows that were left out.", "EXCLUDED = [", *textwrap.indent(filled, "    ").split("\n"), "]"]
