"""Pictures one by one, as they are in their files."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.answers import target_text
from studio.data.base import DataError, Target
from studio.data.images.decode import PictureError, decode_whole, header_of, read_file
from studio.data.images.masks import coding_of, mask_of, seen
from studio.data.images.rules import LEAVE_OUT
from studio.data.images.store import Decoded, peeked
from studio.data.listing import Box, Listing, Shown

if TYPE_CHECKING:
    import numpy as np

    from studio.data.images.boxes import Boxed
    from studio.data.images.marked_sources import ImageBoxes, ImageMasks
    from studio.data.images.masks import Coding, Masked
    from studio.data.images.sources import OwnPictures

LONGEST_SHOWN = 1_024  # pixels of a side


class PictureListing(Listing):
    """Picture files, and what each shows.

    Args:
        source: whose pictures they are.
        root: the folder in which they are.
        names: paths below it.
        labels: class numbers (M,), or None.
        classes: their names.
        answers: what is to be predicted of each, in words; None where the classes say it.
    """

    def __init__(
        self, source: OwnPictures, root: Path, names: Sequence[str], labels: np.ndarray | None,
        classes: tuple[str, ...], answers: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self._source, self._root, self._files, self._answers = source, root, names, answers
        self.count, self.labels, self.names = len(names), labels, classes

    def decoded(self) -> Decoded | None:
        """What was made of the pictures; None if they were not decoded yet."""
        return peeked(self._source.job())

    def contents(self) -> np.ndarray | None:
        """Known once the pictures were decoded."""
        found = self.decoded()
        return None if found is None else found.arrays["contents"]

    @property
    def left_out(self) -> tuple[int, ...]:
        """What could not be read."""
        # Finding out looks at every file, and where damaged ones are refused there is nothing to find.
        found = self.decoded() if self._source.unreadable == LEAVE_OUT else None
        return () if found is None else tuple(found.unreadable)

    def show(self, index: int) -> Shown:
        """A picture of at most LONGEST_SHOWN pixels a side."""
        name = self._files[index]
        answer = self._answer(index)
        try:
            picture = decode_whole(self.file(index), LONGEST_SHOWN)
        except PictureError as error:
            return Shown(name, answer, problem=f"This file {error}.")
        return Shown(name, answer, picture=picture)

    def file(self, index: int) -> bytes:
        """The content of a picture's file. Raises PictureError."""
        return read_file(os.path.join(self._root, self._files[index]))

    def _answer(self, index: int) -> str:
        if self._answers is not None:
            return self._answers[index]
        return self.names[int(self.labels[index])] if self.labels is not None else ""


class MaskListing(PictureListing):
    """Picture files and their masks."""

    def __init__(self, source: ImageMasks, masked: Masked) -> None:
        super().__init__(source, masked.root, masked.pictures, None, ())
        self._masked = masked
        self.validation_start, self.test_start = masked.validation_start, masked.test_start

    @functools.cached_property
    def _coding(self) -> Coding:
        return coding_of(self._masked)

    def decoded(self) -> Decoded | None:
        """What was made of the pictures and masks; None if they were not decoded yet."""
        return seen(self._masked, self._source.form)

    def show(self, index: int) -> Shown:
        """A picture, and its mask at the same size; what its pixels are, in words."""
        import numpy as np

        shown = super().show(index)
        if shown.picture is None:
            return shown
        try:
            mask = mask_of(self._masked, self._coding, index)
        except (PictureError, DataError) as error:
            return dataclasses.replace(shown, problem=f"Its mask cannot be shown: {error}.")
        height, width = shown.picture.shape[:2]
        rows, columns = (np.arange(n) * side // n for n, side in ((height, mask.shape[0]), (width, mask.shape[1])))
        small = mask[rows[:, None], columns].astype(np.int64)
        target = Target("classification", self._coding.names, mask.shape)
        return dataclasses.replace(shown, mask=small, answer=target_text(target, target.names, mask.astype(np.int64)))


class BoxListing(PictureListing):
    """Picture files and the rectangles on them."""

    def __init__(self, source: ImageBoxes, boxed: Boxed) -> None:
        super().__init__(source, boxed.root, boxed.pictures, None, ())
        self._boxed = boxed
        self.validation_start, self.test_start = boxed.validation_start, boxed.test_start

    def show(self, index: int) -> Shown:
        """A picture with its rectangles, and how many of each class there are."""
        shown, boxes = super().show(index), self._boxed.boxes[index]
        counts = Counter(box.name for box in boxes)
        answer = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing"
        if shown.picture is None:
            return dataclasses.replace(shown, answer=answer)
        # What is shown may be smaller than what is in the file.
        header = header_of(self.file(index))
        scale = shown.picture.shape[1] / header.width
        sides = ((box.name, box.left, box.top, box.right, box.bottom) for box in boxes)
        scaled = tuple(Box(name, *(side * scale for side in four)) for name, *four in sides)
        return dataclasses.replace(shown, answer=answer, boxes=scaled)
