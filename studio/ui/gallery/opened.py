"""A dataset that was opened to be looked at: its samples, how they are divided, and how one of them is drawn."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.base import SPLITS, DataError, Findings, MissingDataError, Source
from studio.data.choice import DataChoice

if TYPE_CHECKING:
    import numpy as np

    from studio.data.listing import Listing, Shown

PICTURES, PLOTS, TEXTS, CELLS = LAYOUTS = ("pictures", "plots", "texts", "cells")
# Beside SPLITS, what of the samples is shown.
ALL, LEFT_OUT, RELABELLED, LATER = "all", "left out", "class by hand", "look later"
_EXAMPLES = 20  # the first of them that can be shown tells how all are

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Opened:
    """What is known of a dataset and its division.

    Args:
        choice: what was opened.
        folder: where the person keeps the files; None for the studio's own cache folder, or where the source says.
        listing: the samples; None if they cannot be shown.
        layout: one of LAYOUTS.
        columns: names of the cells of a sample, where they are cells.
        splits: sorted numbers of the samples (n,) int64 for each of SPLITS, without those left out; none if the samples
            cannot be divided.
        counts: how many samples each class has, without those left out; none if there are no classes.
        reason: why there is nothing to show, or no splits; empty if there is all.
        missing: whether the files are not there.
    """

    choice: DataChoice
    folder: Path | None
    listing: Listing | None = None
    layout: str = TEXTS
    columns: tuple[str, ...] = ()
    splits: dict[str, np.ndarray] = field(default_factory=dict)
    counts: tuple[int, ...] = ()
    reason: str = ""
    missing: bool = False

    @property
    def count(self) -> int:
        """How many samples there are, also those that are left out."""
        return self.listing.count if self.listing is not None else 0

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, as far as they are known without a look."""
        own = self.listing.names if self.listing is not None else ()
        return own or self.choice.source.spec.target.names

    @cached_property
    def labels(self) -> np.ndarray | None:
        """The class number of each sample (M,), also one that was given by hand; None if they have no classes."""
        labels = self.listing.labels if self.listing is not None else None
        if labels is None or not self.choice.relabelled:
            return labels
        numbers = {name: number for number, name in enumerate(self.names)}
        labels = labels.copy()
        for mark in self.choice.relabelled:
            if mark.sample < len(labels) and mark.label in numbers:
                labels[mark.sample] = numbers[mark.label]
        return labels

    def of(self, part: str) -> np.ndarray:
        """Numbers of the samples of one of SPLITS, of ALL, or of those that a person said something of."""
        import numpy as np

        if part in SPLITS:
            return self.splits.get(part, np.zeros(0, np.int64))
        if part != ALL:
            marks = {LEFT_OUT: self.choice.excluded, RELABELLED: [mark.sample for mark in self.choice.relabelled]}
            numbers = marks.get(part, [mark.sample for mark in self.choice.later])
            return np.array([number for number in numbers if number < self.count], np.int64)
        return np.arange(self.count)

    def rows(self, part: str = ALL, label: int | None = None) -> np.ndarray:
        """Numbers of the samples of a part, in order; only those of a class if one is given."""
        numbers = self.of(part)
        labels = self.labels
        return numbers if label is None or labels is None else numbers[labels[numbers] == label]

    def part_of(self, sample: int) -> str:
        """The split of a sample, or LEFT_OUT; empty if the samples cannot be divided."""
        import numpy as np

        if sample in self.choice.excluded:
            return LEFT_OUT
        for name, numbers in self.splits.items():
            place = int(np.searchsorted(numbers, sample))
            if place < len(numbers) and numbers[place] == sample:
                return name
        return ""


class Opener:
    """Opens datasets in worker threads; keeps what was opened last, for other ways to divide it."""

    def __init__(self) -> None:
        self._last: Opened | None = None
        self._begun: Listing | None = None  # to be described
        self._described: tuple[Listing, Findings] | None = None

    def open(self, choice: DataChoice, folder: Path | None) -> Opened:
        """Open and divide. What is wrong with the files is told in `reason`, never raised."""
        last = self._last
        same = last is not None and (last.choice.source, last.folder) == (choice.source, folder)
        try:
            opened = last if same and last is not None else _open(choice, folder)
            self._last = opened
            return _divided(replace(opened, choice=choice))
        except DataError as error:
            return Opened(choice, folder, reason=str(error), missing=isinstance(error, MissingDataError))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the samples could not be opened")
            return Opened(choice, folder, reason=f"The samples cannot be shown: a fault in the program ({error!r}).")

    def describe(self, opened: Opened) -> Findings | None:
        """Look at the samples of a known dataset, once; a person's own files are looked into by `DataReader`.

        None if nothing can be told, or another thread is at it.
        """
        listing, source = opened.listing, opened.choice.source
        if self._described is not None and self._described[0] is listing:
            return self._described[1]
        if listing is None or source.needs_place or self._begun is listing:
            return None
        self._begun = listing
        try:
            findings = _describe(source, listing, opened.folder)
        except DataError as error:
            findings = Findings(source.spec, str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("the samples could not be described")
            findings = Findings(source.spec, f"The samples cannot be described: a fault in the program ({error!r}).")
        self._described = (listing, findings)
        return findings


def _describe(source: Source, listing: Listing, folder: Path | None) -> Findings:
    from studio.data.findings import describe
    from studio.data.listing import LoadedListing
    from studio.data.looking import look

    # What is in memory already is not read again.
    return describe(source.spec, listing.samples) if isinstance(listing, LoadedListing) else look(source, folder)


def _open(choice: DataChoice, folder: Path | None) -> Opened:
    listing = choice.source.listing(folder)
    example = _example(listing)
    columns = tuple(name for name, _ in example.cells) if example is not None else ()
    return Opened(choice, folder, listing, layout_of(example), columns)


def _example(listing: Listing) -> Shown | None:
    shown = (listing.show(number) for number in range(min(listing.count, _EXAMPLES)))
    return next((one for one in shown if not one.problem), None)


def layout_of(shown: Shown | None) -> str:
    """How samples like this one are laid out: one of LAYOUTS."""
    if shown is None:
        return TEXTS
    if shown.picture is not None:
        return PICTURES
    if shown.wave is not None or shown.series is not None:
        return PLOTS
    return TEXTS if shown.text or shown.tags or not shown.cells else CELLS


def _divided(opened: Opened) -> Opened:
    assert opened.listing is not None
    try:
        splits, reason = opened.listing.splits(opened.choice), ""
    except DataError as error:
        splits, reason = {}, str(error)
    return replace(opened, splits=splits, reason=reason, counts=_counts(opened))


def _counts(opened: Opened) -> tuple[int, ...]:
    import numpy as np

    listing = opened.listing
    if listing is None or opened.labels is None:
        return ()
    kept = np.delete(opened.labels, opened.of(LEFT_OUT))
    return tuple(np.bincount(kept[kept >= 0], minlength=len(listing.names)).tolist())
