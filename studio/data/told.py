"""What people are told of a dataset: its columns, what is wrong with it, and what would mend that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.data.spec import DataSpec

if TYPE_CHECKING:
    from studio.data.base import Source


@dataclass(frozen=True)
class Column:
    """One column of a dataset, as it was understood.

    Args:
        name: as the file has it.
        type: one of COLUMN_TYPES.
        missing: how many samples have no value there.
        distinct: how many different values there are; 0 if they were not counted.
        used: whether the network gets it, or has to predict it.
        why_unused: what to say after “because”, where that is known.
        summary: its range or its most frequent values, in a few words.
        histogram: pairs of a value or the lower edge of a bin, as text, and how many samples have it; none if not made.
    """

    name: str
    type: str
    missing: int = 0
    distinct: int = 0
    used: bool = True
    summary: str = ""
    histogram: tuple[tuple[str, int], ...] = ()
    why_unused: str = ""


NUMERIC, CATEGORICAL, ORDINAL, DATE, TEXT, ID = "numeric", "categorical", "ordinal", "date", "text", "id"
IMAGE, MASK, BOXES, AUDIO, TAGS, ARRAY = "image", "mask", "boxes", "audio", "tags", "array"
COLUMN_TYPES = (NUMERIC, CATEGORICAL, ORDINAL, DATE, TEXT, ID, IMAGE, MASK, BOXES, AUDIO, TAGS, ARRAY)


@dataclass(frozen=True)
class Remedy:
    """One click that mends a problem of the data; the files on disk are never touched.

    Args:
        text: on the button, such as "Leave out 12 duplicates".
        source: the source with other settings; None if they stay.
        exclude: numbers of samples to leave out beside those that are already.
        balanced: whether rare classes shall be drawn as often as frequent ones.
        method: another way of dividing the samples, one of METHODS of a `Split`; empty if it stays.
    """

    text: str
    source: Source | None = None
    exclude: tuple[int, ...] = ()
    balanced: bool = False
    method: str = ""


@dataclass(frozen=True)
class DataProblem:
    """Something about the data that a person should know before training.

    Args:
        message: what it is, how many samples it concerns, and why it matters, in plain words.
        severity: ERROR (it cannot be trained on), WARNING or NOTE.
        samples: numbers of some of the samples that it concerns, to look at.
        remedies: what would mend it, best first.
    """

    message: str
    severity: str = "warning"
    samples: tuple[int, ...] = ()
    remedies: tuple[Remedy, ...] = ()


ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Findings:
    """What a look at the files of a dataset told.

    Args:
        spec: with all that only reading tells.
        summary: what was found and what was guessed, in sentences for people; empty if there is nothing to tell.
        rows: how many samples there are; 0 if they were not counted.
        columns: what each sample has; none if it was not looked at.
        target: the columns that are to be predicted.
        counts: how many samples each class has, in the order of the classes; none if there are no classes.
        problems: what is wrong with the files, or might be.
    """

    spec: DataSpec
    summary: str = ""
    rows: int = 0
    columns: tuple[Column, ...] = ()
    target: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    problems: tuple[DataProblem, ...] = ()
