"""What a look at pictures with masks or rectangles tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING

from studio.data.base import BOXES, ERROR, IGNORED, MASK, NOTE, WARNING, Column, DataProblem, Findings
from studio.data.images.look import class_bars, frequent, seen_parts
from studio.data.images.store import Job
from studio.data.own_files import printable

if TYPE_CHECKING:
    from studio.data.images.marked_sources import ImageBoxes, ImageMasks
    from studio.data.images.masks import Coding
    from studio.data.images.store import Decoded

_SHOWN = 10  # samples of a problem


def look_at_masks(source: ImageMasks) -> Findings:
    """Findings on pictures with masks. Raises DataError."""
    from studio.data.images.look import is_small
    from studio.data.images.masks import coding_of, job, read, seen

    masked = source.masked
    work, coding = job(masked, source.form), coding_of(masked)
    found = read(masked, source.form)[0] if is_small(work) else seen(masked, source.form)
    column, problems, sizes = seen_parts(source, work, found)
    shares = _shares(found, coding) if found is not None else ""
    if masked.alone:
        problems.append(DataProblem(f"{masked.alone:,} pictures have no mask, and are not used.", NOTE))
    kind = "a mask for each object" if masked.of_objects else "a mask for each picture"
    spec = replace_fields(source.spec, target=replace_fields(source.spec.target, names=coding.names))
    mask = Column("mask", MASK, distinct=len(coding.names), summary=shares or ", ".join(coding.names[:10]))
    summary = (
        f"{len(masked.pictures):,} pictures, {sizes}, with {kind}. Classes of the pixels: "
        f"{shares or ', '.join(map(printable, coding.names[:10]))}."
    )
    return Findings(spec, summary, len(masked.pictures), (column, mask), ("mask",), (), tuple(problems))


def _shares(found: Decoded, coding: Coding) -> str:
    """How large a part of the pixels each class has, of at most 200 pictures."""
    import numpy as np

    masks = found.arrays["masks"]
    some = np.asarray(masks[:: max(1, len(masks) // 200)])
    counts = np.bincount(some[some != IGNORED].reshape(-1), minlength=len(coding.names)).tolist()
    total = max(1, sum(counts))
    pairs = zip(coding.names, counts, strict=True)
    return ", ".join(f"{printable(name, 40)} {100 * count / total:.0f} %" for name, count in list(pairs)[:10])


def look_at_boxes(source: ImageBoxes) -> Findings:
    """Findings on pictures with rectangles. Raises DataError."""
    from studio.data.images.marked_sources import NOT_TRAINED

    boxed = source.boxed
    counts = Counter(box.name for boxes in boxed.boxes for box in boxes)
    numbers = tuple(counts[name] for name in boxed.classes)
    column, problems, sizes = seen_parts(source, Job(boxed.root, boxed.pictures, source.form), None, told=False)
    problems = [
        DataProblem(NOT_TRAINED, ERROR),
        *problems,
        *(DataProblem(text, WARNING) for text in boxed.problems),
    ]
    empty = [number for number, boxes in enumerate(boxed.boxes) if not boxes]
    if empty:
        problems.append(DataProblem(f"{len(empty):,} pictures have no rectangle.", NOTE, tuple(empty[:_SHOWN])))
    spec = replace_fields(source.spec, target=replace_fields(source.spec.target, names=boxed.classes))
    total = sum(numbers)
    boxes = Column("boxes", BOXES, len(empty), len(numbers), summary=frequent(boxed.classes, numbers),
                   histogram=class_bars(boxed.classes, numbers))  # fmt: skip
    summary = (
        f"{len(boxed.pictures):,} pictures, {sizes}, with {total:,} rectangles. Classes: "
        f"{frequent(boxed.classes, numbers)}."
    )
    return Findings(spec, summary, len(boxed.pictures), (column, boxes), ("boxes",), numbers, tuple(problems))
