"""Known photographs in files: which there are, and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.images.decode import PictureError, decode_whole, read_file
from studio.data.listing import Listing, Shown

if TYPE_CHECKING:
    import numpy as np

_LONGEST_SHOWN = 1_024  # pixels of a side


@dataclass(frozen=True, eq=False)
class Photos:
    """Which pictures there are: names below a folder, train before validation before test, and their classes."""

    root: Path
    names: Sequence[str]
    labels: np.ndarray
    validation_start: int | None
    test_start: int


class PhotoListing(Listing):
    """Pictures in files, each decoded when it is shown."""

    def __init__(self, photos: Photos, classes: tuple[str, ...]) -> None:
        self._photos = photos
        self.count, self.labels, self.names = len(photos.names), photos.labels, classes
        self.validation_start, self.test_start = photos.validation_start, photos.test_start

    def show(self, index: int) -> Shown:
        """One picture."""
        assert self.labels is not None
        name, answer = self._photos.names[index], self.names[int(self.labels[index])]
        try:
            picture = decode_whole(read_file(str(self._photos.root / name)), _LONGEST_SHOWN)
        except PictureError as error:
            return Shown(name, answer, problem=f"This file {error}.")
        return Shown(name, answer, picture=picture)
