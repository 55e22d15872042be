"""What a look at pictures tells: classes, counts, sizes, and what is wrong with the files."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING

from studio.data.base import (
    CATEGORICAL,
    ERROR,
    IMAGE,
    NOTE,
    NUMERIC,
    TAGS,
    WARNING,
    Column,
    DataProblem,
    Findings,
    Remedy,
)
from studio.data.images.propose import headers
from studio.data.images.rules import CROP, LEAVE_OUT, PAD, STRETCH
from studio.data.images.store import Decoded, Job, decoded, peeked
from studio.data.own_files import printable
from studio.fields import replace

if TYPE_CHECKING:
    import numpy as np

    from studio.data.images.files import Pictures
    from studio.data.images.sources import ImageFolders, ImageTable, OwnPictures
    from studio.data.images.table import PictureTable

READ_AT_ONCE_BYTES = 2**27  # of files that a look decodes; of more it reads some beginnings
READ_AT_ONCE_FILES = 20_000
_BEGINNINGS = 256
_FEW = 10  # pictures of a class
_SHOWN = 10  # samples of a problem
_NAMED = 3  # files in a sentence
_MOST_BARS = 100
# What sites answer for a picture that is gone; it is saved by those who collect pictures.
_PLACEHOLDERS = {"imagenotfound", "notfound", "noimage", "noimageavailable", "imageunavailable", "photounavailable",
                 "placeholder"}  # fmt: skip


def look_at_folders(source: ImageFolders) -> Findings:
    """Findings on pictures in class folders. Raises DataError."""
    from studio.data.images.files import find_pictures

    pictures = find_pictures(source.root)
    seen = _Seen(source, Job(pictures.root, pictures.names, source.form))
    counts = _counts(pictures)
    problems = [
        *seen.problems(),
        *_class_problems(pictures.classes, counts),
        *_same_in_two_classes(seen.decoded, pictures.labels, pictures.names),
        *_placeholders(pictures.names),
        *(DataProblem(note, NOTE) for note in pictures.notes),
    ]
    spec = replace_fields(source.spec, target=replace_fields(source.spec.target, names=pictures.classes))
    label = Column("label", CATEGORICAL, distinct=len(counts), summary=frequent(pictures.classes, counts),
                   histogram=class_bars(pictures.classes, counts))  # fmt: skip
    return Findings(
        spec, _summary(pictures, counts, seen), len(pictures.names), (seen.column(), label), ("label",), counts,
        tuple(problems),
    )  # fmt: skip


def look_at_table(source: ImageTable, table: PictureTable) -> Findings:
    """Findings on pictures with a table. Raises DataError."""
    from studio.data.images.table import counts as counted

    seen, counts = _Seen(source, Job(table.root, table.files, source.form)), counted(table)
    kind = {"classification": CATEGORICAL, "multi-label": TAGS, "regression": NUMERIC}[table.task]
    one = len(table.label_columns) == 1
    labels = [
        Column(name, kind, distinct=len(counts) if one else 0, summary=frequent(table.names, counts) if one else "")
        for name in table.label_columns
    ]
    problems = [*seen.problems(), *(_class_problems(table.names, counts) if table.task == "classification" else [])]
    if table.task == "classification":
        problems += _same_in_two_classes(seen.decoded, table.targets, table.files)
    if table.unlabelled:
        problems.append(DataProblem(f"{table.unlabelled:,} rows have no label, and are not used.", NOTE))
    spec = replace_fields(source.spec, target=replace_fields(source.spec.target, names=table.names, task=table.task))
    what = ", ".join(printable(name, 40) for name in table.label_columns[:6])
    summary = (
        f"{len(table.files):,} pictures, {seen.sizes()}. Found: the files are named in the column "
        f"“{printable(table.file_column, 40)}”; to be predicted: {what} ({table.task})."
    )
    return Findings(spec, summary, len(table.files), (seen.column(table.file_column), *labels), table.label_columns,
                    counts, tuple(problems))  # fmt: skip


def unreadable_text(found: Decoded, names: Sequence[str]) -> str:
    """How many files cannot be read, with the first of them and why."""
    numbers = found.unreadable
    first = [
        f"“{printable(names[number])}” {found.about['reasons'].get(str(number), 'is damaged')}"
        for number in numbers[:_NAMED]
    ]
    more = f", and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return f"{len(numbers):,} of {len(names):,} files cannot be read: {', '.join(first)}{more}."


class _Seen:
    """What is known of the files: all of it if they were decoded, else what some beginnings tell."""

    def __init__(self, source: OwnPictures, job: Job, found: Decoded | None = None, reads: bool = True) -> None:
        self._source, self._job = source, job
        self.decoded = (decoded(job) if is_small(job) else peeked(job)) if reads else found
        self._kinds, self._sizes = self._from_cache() if self.decoded is not None else self._from_beginnings()

    def _from_cache(self) -> tuple[dict[str, int], list[tuple[int, int]]]:
        import numpy as np

        assert self.decoded is not None
        sizes = self.decoded.arrays["sizes"]
        kinds = {kind: count for kind, count in self.decoded.about["kinds"].items() if kind}
        return kinds, [tuple(size) for size in np.unique(sizes[sizes[:, 0] > 0], axis=0).tolist()]

    def _from_beginnings(self) -> tuple[dict[str, int], list[tuple[int, int]]]:
        found = headers([os.path.join(self._job.root, name) for name in self._job.names], _BEGINNINGS)
        kinds = Counter(f"{header.format} {header.mode}" for header in found)
        return dict(kinds), sorted({(header.height, header.width) for header in found})

    def sizes(self) -> str:
        """The sizes in words."""
        if not self._sizes:
            return "of unknown size"
        low, high = ([pick(side) for side in zip(*self._sizes, strict=True)] for pick in (min, max))
        if len(self._sizes) == 1:
            return f"{low[0]}×{low[1]} pixels"
        return f"{low[0]} to {high[0]} pixels high and {low[1]} to {high[1]} wide"

    def column(self, name: str = "image") -> Column:
        """The pictures as a column."""
        kinds = sorted(self._kinds.items(), key=lambda item: -item[1])
        summary = ", ".join(kind for kind, _ in kinds[:4]) + f"; {self.sizes()}"
        missing = len(self.decoded.unreadable) if self.decoded is not None else 0
        return Column(name, IMAGE, missing, summary=summary, histogram=tuple(kinds))

    def problems(self) -> list[DataProblem]:
        """What is wrong with the files."""
        found = [*self._unreadable(), *self._shapes()]
        if self.decoded is None:
            count = len(self._job.names)
            found.append(DataProblem(
                f"Only the beginnings of {min(_BEGINNINGS, count):,} of {count:,} files were read so far. Damaged "
                "files are found when all are decoded, as the training begins.", NOTE,
            ))  # fmt: skip
        return found

    def _unreadable(self) -> list[DataProblem]:
        numbers = self.decoded.unreadable if self.decoded is not None else []
        if not numbers or self.decoded is None:
            return []
        text = unreadable_text(self.decoded, self._job.names)
        if self._source.unreadable == LEAVE_OUT:
            return [DataProblem(f"{text} They are left out.", NOTE, tuple(numbers[:_SHOWN]))]
        many = "1 unreadable file" if len(numbers) == 1 else f"{len(numbers):,} unreadable files"
        remedy = Remedy(f"Leave out {many}", replace(self._source, unreadable=LEAVE_OUT))
        return [DataProblem(text, ERROR, tuple(numbers[:_SHOWN]), (remedy,))]

    def _shapes(self) -> list[DataProblem]:
        """A note where stretching changes proportions."""
        height, width = self._source.size
        bent = [(h, w) for h, w in self._sizes if abs(h * width - w * height) > 0.1 * h * width]
        if self._source.fit != STRETCH or not bent:
            return []
        text = f"The pictures have other proportions than {height}×{width}, {self.sizes()}, and are stretched."
        remedies = (
            Remedy("Crop their centre instead", replace(self._source, fit=CROP)),
            Remedy("Pad them instead", replace(self._source, fit=PAD)),
        )
        return [DataProblem(text, NOTE, (), remedies)]


def is_small(job: Job) -> bool:
    """Whether all files may be read in a look."""
    if len(job.names) > READ_AT_ONCE_FILES:
        return False
    total = 0
    for name in job.names:
        try:
            total += os.stat(os.path.join(job.root, name)).st_size
        except (OSError, ValueError):
            continue
        if total > READ_AT_ONCE_BYTES:
            return False
    return True


def _counts(pictures: Pictures) -> tuple[int, ...]:
    import numpy as np

    return tuple(np.bincount(pictures.labels, minlength=len(pictures.classes)).tolist())


def _summary(pictures: Pictures, counts: Sequence[int], seen: _Seen) -> str:
    count = len(pictures.names)
    own = 0 if pictures.test_start is None else count - pictures.test_start
    test = f", {own:,} of them in a test set of its own" if own else ""
    return f"{count:,} pictures, {seen.sizes()}{test}. Classes: {frequent(pictures.classes, counts)}."


def frequent(names: Sequence[str], counts: Sequence[int]) -> str:
    """The first classes with their counts, in words."""
    pairs = list(zip(names, counts, strict=False))
    text = ", ".join(f"{printable(name, 40)} ({count:,})" for name, count in pairs[:10])
    return text + (f" and {len(pairs) - 10:,} more" if len(pairs) > 10 else "")


def class_bars(names: Sequence[str], counts: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """The histogram of a column of classes."""
    return tuple(zip(names[:_MOST_BARS], counts[:_MOST_BARS], strict=True))


def _class_problems(names: Sequence[str], counts: Sequence[int]) -> list[DataProblem]:
    if len(names) == 1:
        return [DataProblem(
            f"There is one class only, “{printable(names[0], 40)}”, so there is nothing to tell apart. Put the "
            "pictures of each class in a folder of their own; or let the network predict the picture itself.", ERROR,
        )]  # fmt: skip
    few = [f"{printable(name, 40)} ({count})" for name, count in zip(names, counts, strict=True) if count < _FEW]
    if not few:
        return []
    more = f" and {len(few) - _FEW:,} more" if len(few) > _FEW else ""
    return [DataProblem(
        f"{len(few):,} of {len(names):,} classes have fewer than {_FEW} pictures: {', '.join(few[:_FEW])}{more}. A "
        "network hardly learns those, and how well it does cannot be measured.",
    )]  # fmt: skip


def _same_in_two_classes(found: Decoded | None, labels: np.ndarray, names: Sequence[str]) -> list[DataProblem]:
    """Files of equal contents under different classes: one of them is wrong."""
    import numpy as np

    if found is None:
        return []
    readable = np.flatnonzero(found.arrays["sizes"][:, 0] > 0)
    contents = np.ascontiguousarray(found.arrays["contents"][readable]).view("V16").reshape(-1)
    order = np.argsort(contents, kind="stable")
    same = contents[order][1:] == contents[order][:-1]
    first, second = readable[order][:-1][same], readable[order][1:][same]
    differ = labels[first] != labels[second]
    pairs = list(zip(first[differ].tolist(), second[differ].tolist(), strict=True))
    if not pairs:
        return []
    numbers = tuple(sorted({number for pair in pairs for number in pair}))
    examples = ", ".join(f"“{printable(names[a])}” is “{printable(names[b])}”" for a, b in pairs[:_NAMED])
    return [DataProblem(
        f"{len(pairs):,} pictures are there again in another class: {examples}. One of the two must be wrong.",
        WARNING, numbers[:_SHOWN], (Remedy(f"Leave out these {len(numbers):,} files", exclude=numbers),),
    )]  # fmt: skip


def _placeholders(names: Sequence[str]) -> list[DataProblem]:
    """Pictures that only say that there is no picture."""
    found = [i for i, name in enumerate(names) if _plain(name) in _PLACEHOLDERS]
    if not found:
        return []
    files = ", ".join(f"“{printable(names[number])}”" for number in found[:_NAMED])
    verb = "seems" if len(found) == 1 else "seem"
    remedy = Remedy(f"Leave out {len(found):,} {'file' if len(found) == 1 else 'files'}", exclude=tuple(found))
    return [DataProblem(f"By its name, {files} {verb} to show that a picture is missing.", WARNING,
                        tuple(found[:_SHOWN]), (remedy,))]  # fmt: skip


def _plain(name: str) -> str:
    return re.sub("[^a-z]", "", os.path.splitext(os.path.basename(name))[0].lower())


def seen_parts(
    source: OwnPictures, job: Job, found: Decoded | None, told: bool = True
) -> tuple[Column, list[DataProblem], str]:
    """The column, the problems and the sizes of pictures, for sources of other kinds.

    Args:
        found: the pictures, if they were decoded.
        told: whether to say what was not read; else they are only to be looked at.
    """
    seen = _Seen(source, job, found, reads=False)
    return seen.column(), seen.problems() if told else [], seen.sizes()
