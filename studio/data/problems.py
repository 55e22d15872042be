"""Looks for what is wrong with samples: copies, labels that contradict each other, rare classes, missing numbers.

It reads everything, so it is done on demand, in a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data import near
from studio.data.base import (
    ERROR,
    NOTE,
    SEVERITIES,
    SPLITS,
    WARNING,
    DataError,
    DataProblem,
    MissingDataError,
    Progress,
    Remedy,
    Texts,
)
from studio.data.choice import FIND_OUT, GROUPED, STRATIFIED, DataChoice
from studio.data.dataset import Dataset, prepare
from studio.data.problem_words import are, classes, count, have, listed, samples, short

if TYPE_CHECKING:
    import numpy as np

    from studio.data.rows import Rows

SHOWN = 100  # numbers of samples that a problem names
FEW_SAMPLES = 50  # in all
FEW_OF_CLASS = 10  # for training
UNEVEN = 3.0  # the most frequent class against the rarest
_MOST_BYTES = 2**24  # of samples that are in memory at once
_ROWS_AT_ONCE = 1_000

TRAIN, VALIDATION, TEST = range(3)


class _CancelledError(Exception):
    """The person does not want to wait any longer."""


def find_problems(
    choice: DataChoice,
    folder: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Progress = lambda done, total: None,
) -> tuple[DataProblem, ...]:
    """What is wrong with the samples of a choice, and with how they are divided; the worst first.

    Args:
        folder: where the person keeps the files; None for the studio's own cache folder.
        cancelled: asked now and then; then what was found so far is given.
        progress: called with how many of how many checks are done.

    Raises:
        MissingDataError: if the files are not there.
    """
    try:
        # What is measured for the scaling is not needed, and stumbles over numbers that are none.
        view = _View(choice, prepare(replace(choice, scaling="none"), folder), cancelled)
    except MissingDataError:
        raise
    except DataError as error:
        return (DataProblem(str(error), ERROR),)
    found: list[DataProblem] = []
    try:
        for number, check in enumerate(_CHECKS):
            progress(number, len(_CHECKS))
            view.check()
            found += check(view)
        progress(len(_CHECKS), len(_CHECKS))
    except _CancelledError:
        pass
    return tuple(sorted(found, key=lambda problem: SEVERITIES.index(problem.severity)))


@dataclass
class _View:
    """Prepared samples, and what several checks need of them.

    Args:
        cancelled: as `find_problems` takes it.
    """

    choice: DataChoice
    data: Dataset
    cancelled: Callable[[], bool]
    copies: set[int] = field(default_factory=set)  # exact ones of an earlier sample

    def check(self) -> None:
        """Raise _CancelledError if the person does not want to wait."""
        if self.cancelled():
            raise _CancelledError

    @cached_property
    def rows(self) -> np.ndarray:
        """The numbers of all samples that are in a split, in order (N,)."""
        import numpy as np

        return np.sort(np.concatenate([self.data.splits[name].numpy() for name in SPLITS]))

    @cached_property
    def parts(self) -> np.ndarray:
        """The split of each sample of the dataset (M,); -1 if it is in none."""
        import numpy as np

        parts = np.full(len(self.data.targets), -1, np.int8)
        for number, name in enumerate(SPLITS):
            parts[self.data.splits[name].numpy()] = number
        return parts

    @cached_property
    def labels(self) -> np.ndarray | None:
        """The class of each sample (M,); None if it has not one."""
        target = self.data.spec.target
        one = target.task == "classification" and not target.dims
        return self.data.targets.numpy() if one else None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes."""
        return self.data.spec.target.names

    @property
    def is_table(self) -> bool:
        """Whether the samples are rows of a table, which may well be equal by chance."""
        return any(tensor.axes == "D" for tensor in self.data.spec.inputs)

    def split(self, number: int) -> np.ndarray:
        """The rows of a split."""
        return self.data.splits[SPLITS[number]].numpy()

    def chunks(self, values: Rows, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows, a few at a time, with their values as (n, numbers): there may be more than memory holds."""
        count = min(_ROWS_AT_ONCE, max(1, _MOST_BYTES // values.bytes))
        for start in range(0, len(rows), count):
            self.check()
            some = rows[start : start + count]
            yield some, taken(values, some).reshape(len(some), -1)


def taken(values: Rows, rows: np.ndarray) -> np.ndarray:
    """Some samples (n, numbers), or (n,) where each is one number."""
    import torch

    return values.take(torch.from_numpy(rows)).numpy()


def _copies(view: _View) -> list[DataProblem]:
    """Samples with the same input, byte for byte."""
    groups = [rows for rows in _same_inputs(view) if len(rows) > 1]
    view.copies.update(row for rows in groups for row in rows[1:])
    contradicting = [
        rows for rows in groups if view.labels is not None and len({int(view.labels[r]) for r in rows}) > 1
    ]
    agreeing = [rows for rows in groups if view.labels is None or len({int(view.labels[r]) for r in rows}) == 1]
    found = _contradictions(contradicting)
    leaked = [row for rows in agreeing for row in _lower(view, rows)]
    if leaked:
        found.append(
            _problem(
                f"{samples(leaked)} {are(leaked)} also in the validation or the test split: the network is measured by "
                "what it has learned by heart.",
                NOTE if view.is_table else WARNING,
                leaked,
                f"{count(leaked, 'copy', 'copies')}; the test stays",
            )
        )
    apart = set(leaked)
    within = [row for rows in agreeing for row in [row for row in rows if row not in apart][1:]]
    if within:
        found.append(
            _problem(
                f"{samples(within)} {are(within)} an exact copy of another one in the same split, and "
                f"count{'s' * (len(within) == 1)} twice or more.",
                NOTE,
                within,
                count(within, "copy", "copies"),
            )
        )
    return found


def _same_inputs(view: _View) -> Iterable[list[int]]:
    """The numbers of samples that have the same input, for each different one."""
    digests = {int(row): hashlib.blake2b(digest_size=16) for row in view.rows}
    for given, raw in zip(view.data.input_rows(), view.data.raw, strict=True):
        if isinstance(raw, Texts):
            for place, row in enumerate(view.rows.tolist()):
                if place % _ROWS_AT_ONCE == 0:
                    view.check()
                digests[row].update(raw.texts[row].encode("utf-8", "surrogatepass") + b"\0")
            continue
        for rows, values in view.chunks(given, view.rows):
            for row, value in zip(rows.tolist(), values, strict=True):
                digests[row].update(value)
    groups: dict[bytes, list[int]] = {}
    for row, digest in digests.items():
        groups.setdefault(digest.digest(), []).append(row)
    return groups.values()


def _contradictions(groups: list[list[int]]) -> list[DataProblem]:
    rows = [row for group in groups for row in group]
    if not rows:
        return []
    message = (
        f"{samples(rows)} have the same input as another one, but another class: at most one of the classes is right."
    )
    return [_problem(message, WARNING, rows)]


def _lower(view: _View, rows: list[int]) -> list[int]:
    """Of the same samples in several splits those that may go: the test stays as it is, then the validation."""
    highest = max(view.parts[row] for row in rows)
    return [row for row in rows if view.parts[row] < highest]


def _near_copies(view: _View) -> list[DataProblem]:
    """Pictures and texts that are almost the same as one in another split."""
    import numpy as np

    rows = np.array([row for row in view.rows.tolist() if row not in view.copies], np.int64)
    if len(view.data.inputs) != 1 or not len(rows):
        return []
    parts, (raw,), (tensor,) = view.parts[rows], view.data.raw, view.data.inputs
    if isinstance(raw, Texts):
        what, pairs = "text", near.alike_texts([raw.texts[row] for row in rows], parts, view.check)
    elif view.data.spec.inputs[0].axes == "CHW" and min(tensor.shape[2:]) >= near.SMALLEST_SIDE:
        what, pairs = "picture", near.alike_pictures(_pictures_of(view), rows, parts, view.check)
    else:
        return []
    lower = sorted({row for pair in rows[pairs].tolist() for row in _lower(view, pair)})
    if not lower:
        return []
    message = (
        f"{count(lower, what)} {are(lower)} almost the same as one in the validation or the test split. If they are of "
        "the same thing, the network is measured by what it knows already."
    )
    remedy = Remedy(f"Leave out {count(lower, what)}; the test stays", exclude=tuple(lower))
    both = [row for pair in rows[pairs[: SHOWN // 2]].tolist() for row in pair]
    return [DataProblem(message, NOTE, tuple(both), (remedy,))]


def _pictures_of(view: _View) -> near.Pictures:
    """How to read some of the pictures (n, C, H, W)."""
    given, dims = view.data.input_rows()[0], view.data.spec.inputs[0].dims
    return near.Pictures(dims, lambda rows: taken(given, rows).reshape(-1, *dims))


def _groups_apart(view: _View) -> list[DataProblem]:
    """Groups of which a part is learned from and a part is measured by."""
    import numpy as np

    groups = view.data.groups
    if groups is None:
        return []
    places = [np.unique(groups[view.split(part)]) for part in (TRAIN, VALIDATION, TEST)]
    shared = np.intersect1d(places[TRAIN], np.union1d(places[VALIDATION], places[TEST]))
    if not len(shared):
        return []
    rows = [row for row in view.split(TRAIN).tolist() if groups[row] in set(shared.tolist())]
    message = (
        f"{len(shared):,} of {len(places[TRAIN]):,} groups of samples that belong together are in the training split "
        "and in another one, too: the network is measured by what it knows already."
    )
    return [DataProblem(message, WARNING, tuple(rows[:SHOWN]), (Remedy("Keep groups together", method=GROUPED),))]


def _class_balance(view: _View) -> list[DataProblem]:
    """Classes that are missing, rare, or far more frequent than others."""
    import numpy as np

    if view.labels is None:
        return []
    counts = [np.bincount(view.labels[view.split(part)], minlength=len(view.names)) for part in range(len(SPLITS))]
    found = []
    for part, severity, why in (
        (TRAIN, ERROR, "it cannot be learned"),
        (VALIDATION, WARNING, "nobody sees how well it is learned"),
        (TEST, WARNING, "nothing is known of how well it does there"),
    ):
        lacking = [name for name, there in zip(view.names, counts[part], strict=True) if not there]
        if lacking:
            message = f"The {SPLITS[part]} split has no sample of {classes(lacking)}: {why}."
            method = view.choice.split.method not in (FIND_OUT, STRATIFIED)
            remedies = (Remedy("Same share of each class in each split", method=STRATIFIED),) * method
            found.append(DataProblem(message, severity, (), remedies))
    return [*found, *_rare(view, counts[TRAIN]), *_uneven(view, counts[TRAIN])]


def _rare(view: _View, counts: np.ndarray) -> list[DataProblem]:
    import numpy as np

    assert view.labels is not None
    few = [number for number, count in enumerate(counts) if 0 < count < FEW_OF_CLASS]
    if not few:
        return []
    learned = view.split(TRAIN)
    rows = learned[np.isin(view.labels[learned], few)]
    message = (
        f"There are fewer than {FEW_OF_CLASS} samples to learn {classes([view.names[n] for n in few])} from. More are "
        "needed to tell them from others reliably."
    )
    return [DataProblem(message, WARNING, tuple(rows[:SHOWN].tolist()))]


def _uneven(view: _View, counts: np.ndarray) -> list[DataProblem]:
    there = counts[counts > 0]
    if view.choice.balanced or len(there) < 2 or there.max() < UNEVEN * there.min():
        return []
    most, least = int(counts.argmax()), int((counts + (counts == 0) * counts.sum()).argmin())
    share = 100 * int(counts[most]) / int(counts.sum())
    message = (
        f"Classes are uneven: “{short(view.names[most])}” has {int(counts[most]):,} training samples, "
        f"“{short(view.names[least])}” {int(counts[least]):,}. Whoever always answers “{short(view.names[most])}” is "
        f"right in {share:.0f} % of them."
    )
    return [DataProblem(message, WARNING, (), (Remedy("Draw rare classes as often as frequent ones", balanced=True),))]


def _numbers(view: _View) -> list[DataProblem]:
    """Numbers that are none, inputs that never change, blank pictures."""
    found, broken, data = [], set(), view.data
    pairs = zip([*data.inputs, data.targets], [*data.input_rows(), data.target_rows()], strict=True)
    for tensor, values in pairs:
        if tensor.is_floating_point():
            broken |= _not_finite(view, values)
    if broken:
        rows = sorted(broken)
        found.append(
            _problem(
                f"{samples(rows)} {have(rows)} a number that is missing or infinite: one such number makes all "
                "weights useless.",
                ERROR,
                rows,
            )
        )
    for number, spec in enumerate(data.spec.inputs):
        if spec.axes == "CHW":
            found += _blank(view, number)
        elif spec.axes == "D" and spec.dtype == "float":
            found += _constant(view, number)
    return found


def _not_finite(view: _View, values: Rows) -> set[int]:
    import numpy as np

    return {
        int(row) for rows, some in view.chunks(values, view.rows) for row in rows[~np.isfinite(some).all(1)].tolist()
    }


def _blank(view: _View, number: int) -> list[DataProblem]:
    """Pictures of a single colour."""
    blank: list[int] = []
    for rows, some in view.chunks(view.data.input_rows()[number], view.rows):
        channels = some.reshape(len(some), view.data.spec.inputs[number].dims[0], -1)
        blank += rows[(channels.max(2) == channels.min(2)).all(1)].tolist()
    if not blank:
        return []
    message = (
        f"{count(blank, 'picture')} {are(blank)} of one colour all over, and show{'s' * (len(blank) == 1)} nothing."
    )
    return [_problem(message, WARNING, blank)]


def _constant(view: _View, number: int) -> list[DataProblem]:
    """Features that are the same in all training samples."""
    import numpy as np

    values, rows, known = view.data.input_rows()[number], view.split(TRAIN), view.data.learned[number]
    first, differ = taken(values, rows[:1]), np.zeros(values.numbers, bool)
    for _, some in view.chunks(values, rows):
        differ |= (some != first).any(0)
    own = known.features if known is not None else view.data.spec.features
    names = own or tuple(f"x{place + 1}" for place in range(values.numbers))
    same = [name for name, differs in zip(names, differ, strict=True) if not differs]
    if not same or len(rows) < 2:
        return []
    said = listed(same, "input")
    message = (
        f"{said[:1].upper()}{said[1:]} {are(same)} the same in every training sample, so nothing can be learned from "
    )
    return [DataProblem(message + ("it." if len(same) == 1 else "them."), NOTE)]


def _size(view: _View) -> list[DataProblem]:
    if len(view.rows) >= FEW_SAMPLES:
        return []
    message = (
        f"There are only {len(view.rows):,} samples. A network learns so few by heart, and its figures change much "
        "from split to split."
    )
    return [DataProblem(message, WARNING)]


_CHECKS = (_size, _class_balance, _numbers, _groups_apart, _copies, _near_copies)


def _problem(message: str, severity: str, rows: Sequence[int], what: str = "") -> DataProblem:
    """A problem that is gone when some samples are left out: all of its own, or what there is of them."""
    remedy = Remedy(f"Leave out {what or f'all {len(rows):,}'}", exclude=tuple(sorted(rows)))
    return DataProblem(message, severity, tuple(rows[:SHOWN]), (remedy,))
