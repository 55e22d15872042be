"""What is wrong with a table, or might be, each with what would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from studio.data.base import (
    CATEGORICAL,
    ID,
    NOTE,
    NUMERIC,
    ORDINAL,
    TEXT,
    WARNING,
    DataProblem,
    Remedy,
)
from studio.data.tables.types import Understood
from studio.data.texts.rules import FIND_OUT
from studio.fields import replace

if TYPE_CHECKING:
    import numpy as np

    from studio.data.tables.source import TableFile
    from studio.data.tables.view import TableView

MOST_SAMPLES = 20  # that are named in a problem
MOST_NAMED = 5  # columns that are named in a message
RARE_CLASS = 0.1  # of the rows of the most frequent class: with fewer a class is rare
FEWEST_OF_A_CLASS = 3  # so that each split has one
_MOSTLY_EMPTY = 0.5
_ROWS_PER_VALUE = 5  # from there on a value that always goes with one target tells it
_ZEROS_SHARE = 0.5
_NEAR = 0.1  # of the median: a smaller least value lies near zero
_GAP = 3.0  # of the distance between two values, by which zeros lie apart


def problems(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    """All that is wrong, most important first."""
    yield from _faults(source, view)
    yield from _leaks(source, view)
    yield from _odd_rows(view)
    yield from _zeros(source, view)
    yield from _rare_classes(view)
    yield from _duplicates(view)
    yield from _constants(source, view)
    yield from _names_of_rows(source, view)
    yield from _gaps(source, view)
    yield from _unused(view)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"“{name[:60]}”" for name in names[:MOST_NAMED]) + more


def ignoring(source: TableFile, names: Sequence[str]) -> Remedy:
    """One click that takes columns from the inputs."""
    lines = [line for line in source.ignored.splitlines() if line.strip()]
    text = f"Ignore {_list(names)}" if len(names) == 1 else f"Ignore {len(names):,} columns"
    return Remedy(text, replace(source, ignored="\n".join(dict.fromkeys([*lines, *names]))))


def _typed(source: TableFile, name: str, type: str) -> Remedy:
    lines = [line for line in source.types.splitlines() if line.strip() and line.rpartition(":")[0].strip() != name]
    return Remedy(f"Take “{name[:60]}” for {type}", replace(source, types="\n".join([*lines, f"{name}: {type}"])))


def _rows_with(view: TableView, column: Understood, texts: Sequence[int]) -> np.ndarray:
    """The samples in which a column has one of some texts."""
    import numpy as np

    chosen = np.zeros(len(column.column.texts), bool)
    chosen[list(texts)] = True
    return np.flatnonzero(chosen[column.column.codes[view.rows]])


def _some(samples: np.ndarray) -> tuple[int, ...]:
    return tuple(samples[:MOST_SAMPLES].tolist())


def _faults(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    """Cells that are no numbers in a column of numbers."""
    for column in view.columns:
        if not column.faults or column.name not in {c.name for c in view.used} | set(view.aim.columns):
            continue
        count = int(column.counts[list(column.faults)].sum())
        first = column.faults[0]
        row = int((column.column.codes == first).argmax())
        what = {NUMERIC: "no numbers", ORDINAL: "not in its order"}.get(column.type, "no dates")
        marks = [column.column.texts[fault] for fault in column.faults]
        remedies = [_typed(source, column.name, CATEGORICAL)]
        if len(marks) == 1 and "," not in marks[0] and source.missing == FIND_OUT:
            known = ", ".join(sorted(filter(None, view.rules.marks)))
            remedies.insert(
                0, Remedy(f"“{marks[0][:30]}” means no value", replace(source, missing=f"{known}, {marks[0]}"))
            )
        yield DataProblem(
            f"“{column.name[:60]}”: {count:,} of {view.table.rows:,} values are {what}, the first is "
            f"“{column.column.texts[first][:40]}” in line {int(view.table.lines[row]):,}. They are taken as missing.",
            WARNING,
            _some(_rows_with(view, column, column.faults)),
            tuple(remedies),
        )


def _leaks(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    """Columns that give the target away."""
    for column in view.used:
        if len(view.aim.columns) == 1 and _tells_all(view, column):
            yield DataProblem(
                f"“{column.name[:60]}” alone tells “{view.aim.columns[0][:60]}” in every row. If it is known only "
                "afterwards, the network learns nothing that is of use: leave it out.",
                WARNING,
                remedies=(ignoring(source, [column.name]),),
            )


def _tells_all(view: TableView, column: Understood) -> bool:
    """Whether each value of a column always goes with one target, and that is no chance."""
    import numpy as np

    codes, targets = column.column.codes[view.rows], view.aim.values[view.rows]
    if targets.ndim == 2:
        targets = targets[:, 0] if targets.shape[1] == 1 else np.unique(targets, axis=0, return_inverse=True)[1]
    kinds = np.unique(targets)
    if view.aim.target.task == "regression" and column.numbers is not None and _follows(column.numbers[codes], targets):
        return True
    values, of_row = np.unique(codes, return_inverse=True)
    if len(kinds) < 2 or len(values) < 2 or len(codes) < _ROWS_PER_VALUE * max(len(values), 4):
        return False
    places = np.searchsorted(kinds, targets)
    low, high = np.full(len(values), len(kinds)), np.full(len(values), -1)
    np.minimum.at(low, of_row, places)
    np.maximum.at(high, of_row, places)
    return bool((low == high).all())


def _follows(numbers: np.ndarray, targets: np.ndarray) -> bool:
    """Whether the target is the column times a number, plus another one."""
    import numpy as np

    both = ~np.isnan(numbers)
    x, y = numbers[both], targets[both].astype(np.float64)
    if len(x) < 20 or x.std() == 0 or y.std() == 0:
        return False
    return bool(abs(np.corrcoef(x, y)[0, 1]) > 1 - 1e-9)


def _odd_rows(view: TableView) -> Iterator[DataProblem]:
    if view.table.odd_count:
        lines = ", ".join(f"{line:,}" for line in view.table.odd[:MOST_NAMED])
        yield DataProblem(
            f"{view.table.odd_count:,} rows have more or fewer cells than the {len(view.columns):,} columns, the first "
            f"in line {lines}. Cells that are not there are missing values, those too many are left out. Are a "
            "separator or a quote wrong?",
            WARNING,
        )


def _zeros(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    """Columns in which zeros lie far from all other values."""
    found = [column for column in view.used if _zeros_apart(column)]
    if not found:
        return
    counts = ", ".join(f"“{column.name[:60]}” ({_zero_count(column):,})" for column in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    names = [line for line in source.zeros.splitlines() if line.strip()] + [column.name for column in found]
    fixed = replace(source, zeros="\n".join(dict.fromkeys(names)))
    yield DataProblem(
        f"Zeros lie far from all other values in {counts}{more}. Perhaps nothing was measured there.",
        WARNING,
        remedies=(Remedy("Take these zeros for missing values", fixed),),
    )


def _zero_count(column: Understood) -> int:
    assert column.numbers is not None
    return int(column.counts[column.numbers == 0].sum())


def _zeros_apart(column: Understood) -> bool:
    import numpy as np

    if column.type != NUMERIC or column.numbers is None:
        return False
    values, zeros = np.unique(column.numbers[~column.missing]), _zero_count(column)
    others = values[values != 0]
    if not 0 < zeros <= _ZEROS_SHARE * column.known or len(others) < 20 or others[0] < 0:
        return False
    usual = np.median(np.repeat(column.numbers, column.counts * (column.numbers > 0)))
    return bool(others[0] > _GAP * np.median(np.diff(others)) and others[0] > _NEAR * usual)


def _rare_classes(view: TableView) -> Iterator[DataProblem]:
    import numpy as np

    if view.aim.target.task != "classification":
        return
    names = view.aim.target.names
    counts = np.bincount(view.aim.values[view.rows], minlength=len(names))
    few = [names[number] for number in np.flatnonzero(counts < FEWEST_OF_A_CLASS)]
    if few:
        yield DataProblem(
            f"Fewer than {FEWEST_OF_A_CLASS} rows have the class {_list(few)}: not every split can have one.", WARNING
        )
    rare = counts < RARE_CLASS * counts.max()
    if rare.any():
        most, least = int(counts.argmax()), int(counts.argmin())
        yield DataProblem(
            f"The classes are far from equally frequent: {counts[most]:,} rows have “{names[most][:60]}”, "
            f"{counts[least]:,} have “{names[least][:60]}”. A network may learn to leave rare ones out.",
            WARNING,
            remedies=(Remedy("Draw rare classes as often as frequent ones", balanced=True),),
        )


def _duplicates(view: TableView) -> Iterator[DataProblem]:

    copies = _copies(view)
    if len(copies):
        one = len(copies) == 1
        yield DataProblem(
            f"{len(copies):,} of {len(view.rows):,} rows {'is' if one else 'are'} the same as an earlier one in every "
            "column. Where copies lie in training and test, the test says too much.",
            WARNING,
            _some(copies),
            (Remedy(f"Leave out {len(copies):,} duplicate{'s' * (not one)}", exclude=tuple(copies.tolist())),),
        )


def _copies(view: TableView) -> np.ndarray:
    """The samples that are the same as an earlier one in every column, in order."""
    import numpy as np

    numbers = np.zeros(len(view.rows), np.int64)
    for column in view.columns:
        codes = column.column.codes[view.rows]
        # Rows that were alike so far, and have the same text here, stay alike: exact, and in little memory.
        numbers = np.unique(numbers * len(column.column.texts) + codes, return_inverse=True)[1]
        if numbers.max() == len(numbers) - 1:
            return np.zeros(0, np.int64)
    first = np.unique(numbers, return_index=True)[1]
    return np.setdiff1d(np.arange(len(numbers)), first)


def _constants(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    names = [column.name for column in view.used if len(column.values) == 1 and column.known == view.table.rows]
    if names:
        verb = "has" if len(names) == 1 else "have"
        yield DataProblem(
            f"{_list(names)} {verb} the same value in every row, from which nothing can be learned.",
            NOTE,
            remedies=(ignoring(source, names),),
        )


def _names_of_rows(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    """Columns that differ in every row and are used all the same, for a person said so."""
    names = [
        column.name
        for column in view.used
        if column.type == CATEGORICAL and len(column.values) > 0.9 * column.known and column.known > 20
    ]
    if names:
        yield DataProblem(
            f"{_list(names)}: nearly every row has a value of its own, which a network can only learn by heart.",
            WARNING,
            remedies=(ignoring(source, names),),
        )


def _gaps(source: TableFile, view: TableView) -> Iterator[DataProblem]:
    gaps = [(column, view.table.rows - column.known) for column in view.used if column.known < view.table.rows]
    if not gaps:
        return
    told = ", ".join(f"“{column.name[:60]}” ({count:,})" for column, count in gaps[:MOST_NAMED])
    more = f" and {len(gaps) - MOST_NAMED:,} more" if len(gaps) > MOST_NAMED else ""
    empty = [column.name for column, count in gaps if count > _MOSTLY_EMPTY * view.table.rows]
    yield DataProblem(
        f"Values are missing in {told}{more}. The median of the training split, or the more frequent of two values, "
        "stands there, and a feature of its own says that the value was missing.",
        NOTE,
        remedies=(ignoring(source, empty),) if empty and len(empty) < len(view.used) else (),
    )


def _unused(view: TableView) -> Iterator[DataProblem]:
    texts = [column.name for column in view.columns if column.type == TEXT and column.name not in view.aim.columns]
    names = [column.name for column in view.columns if column.type == ID and column.name not in view.aim.columns]
    empty = [column.name for column in view.columns if not column.known]
    if names:
        yield DataProblem(
            f"{_list(names)}: a value of its own in (nearly) every row, so the network does not get it.", NOTE
        )
    if texts:
        yield DataProblem(
            f"{_list(texts)}: texts, which a table’s network does not get. Open them as “Text files”.", NOTE
        )
    if empty:
        yield DataProblem(f"{_list(empty)}: no values at all, so the network does not get it.", NOTE)
