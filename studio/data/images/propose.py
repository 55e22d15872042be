"""Proposes a size and a colour for pictures from the beginnings of some files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from studio.data.images.decode import Header, PictureError, read_header
from studio.data.images.rules import GREY, RGB

MOST_FILES = 64
_SIDES = (32, 48, 64, 96, 128)  # of pictures that have many sizes: large enough to tell things apart, quick to train on
_LARGEST_COMMON = 256  # a size that most pictures have is kept up to here
_MOST = 0.75  # share of the pictures


def headers(paths: Sequence[str], most: int = MOST_FILES) -> list[Header]:
    """Of some of the files, evenly spread; those that cannot be read are not among them."""
    step = max(1, len(paths) / most)
    found = []
    for number in range(min(most, len(paths))):
        try:
            found.append(read_header(paths[int(number * step)]))
        except PictureError:
            continue
    return found


def proposal(paths: Sequence[str], multiple: int = 1) -> dict[str, Any]:
    """Values for the fields `size` and `colour`; none if no file can be read.

    Args:
        multiple: height and width will be multiples of this.
    """
    return proposal_of(headers(paths), multiple)


def proposal_of(found: list[Header], multiple: int = 1) -> dict[str, Any]:
    """The same for pictures whose beginnings were read."""
    if not found:
        return {}
    grey = all(header.mode in ("1", "L", "LA") or header.mode.startswith("I") for header in found)
    return {"size": _size(found, multiple), "colour": GREY if grey else RGB}


def _size(found: list[Header], multiple: int) -> tuple[int, int]:
    (common, count), *_ = Counter((header.height, header.width) for header in found).most_common(1)
    if count >= _MOST * len(found):
        share = min(1.0, _LARGEST_COMMON / max(common))
        height, width = (max(multiple, round(side * share / multiple) * multiple) for side in common)
        return height, width
    areas = sorted(header.height * header.width for header in found)
    middle = areas[len(areas) // 2] ** 0.5
    side = max((side for side in _SIDES if side <= middle), default=_SIDES[0])
    return side, side
