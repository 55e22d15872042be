"""Where a block that is dragged snaps to others: on a line with them, or at equal distances. All in scene units.

Edges snap to edges of the same side and centres to centres: a left edge on the line of a right edge puts nothing in
order, and with blocks of one width every other line would only be in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEAR = 640.0  # what is further from the block than this, in x or in y, does not count
_SAME = 0.01


class Box(NamedTuple):
    """A rectangle around a block."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Guide:
    """A line that shows why a block stands where it does.

    Args:
        start, end: its ends, each x and y.
        is_gap: whether it is one of several equal distances; otherwise edges or centres lie on it.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    is_gap: bool = False


@dataclass(frozen=True)
class _Gap:
    """The room between two boxes, along an axis."""

    before: Box
    after: Box

    def size(self, axis: int) -> float:
        return self.after[axis] - self.before[axis + 2]


def near(box: Box, others: Sequence[Box]) -> list[Box]:
    """The boxes that count for this one."""
    left, top, right, bottom = box.left - NEAR, box.top - NEAR, box.right + NEAR, box.bottom + NEAR
    return [o for o in others if o.left < right and o.right > left and o.top < bottom and o.bottom > top]


def snapped(box: Box, others: Sequence[Box], axis: int, reach: float) -> float | None:
    """How far to move a box along an axis so that it snaps; None if nothing is within reach.

    Args:
        box: where the block would stand.
        others: boxes of the blocks near it.
        axis: 0 for x, 1 for y.
        reach: the most it may be moved.
    """
    cross = 1 - axis
    shifts = [
        (abs(theirs - ours), _apart(box, other, cross), theirs - ours)
        for other in others
        for ours, theirs in zip(_lines(box, axis), _lines(other, axis), strict=True)
        if abs(theirs - ours) <= reach
    ]
    shifts += [(abs(shift), NEAR, shift) for shift in _even_shifts(box, others, axis) if abs(shift) <= reach]
    return min(shifts)[2] if shifts else None


def guides(box: Box, others: Sequence[Box], axis: int) -> list[Guide]:
    """Lines that show on what lines and at what equal distances a box stands, where it is now."""
    return [*_line_guides(box, others, axis), *_gap_guides(box, others, axis)]


def _lines(box: Box, axis: int) -> tuple[float, float, float]:
    """Near edge, far edge and centre along an axis."""
    start, end = box[axis], box[axis + 2]
    return start, end, (start + end) / 2


def _apart(a: Box, b: Box, axis: int) -> float:
    return max(0.0, b[axis] - a[axis + 2], a[axis] - b[axis + 2])


def _even_shifts(box: Box, others: Sequence[Box], axis: int) -> list[float]:
    """How far to move a box so that its distance to a neighbour equals the one beyond, or that on its other side."""
    before, after = _neighbours(box, others, axis)
    shifts = []
    if before is not None and after is not None and after[axis] - before[axis + 2] > box[axis + 2] - box[axis]:
        shifts.append((before[axis + 2] + after[axis]) / 2 - (box[axis] + box[axis + 2]) / 2)
    if before is not None and (gap := _gap_before(before, others, axis)) is not None:
        shifts.append(before[axis + 2] + gap.size(axis) - box[axis])
    if after is not None and (gap := _gap_after(after, others, axis)) is not None:
        shifts.append(after[axis] - gap.size(axis) - box[axis + 2])
    return shifts


def _neighbours(box: Box, others: Sequence[Box], axis: int) -> tuple[Box | None, Box | None]:
    """The nearest boxes on both sides along an axis, among those in the same row or column."""
    centre = (box[axis] + box[axis + 2]) / 2
    row = [other for other in others if _apart(box, other, 1 - axis) == 0.0]
    before = [other for other in row if other[axis] + other[axis + 2] < 2 * centre]
    after = [other for other in row if other[axis] + other[axis + 2] > 2 * centre]
    return (
        max(before, key=lambda other: other[axis + 2], default=None),
        min(after, key=lambda other: other[axis], default=None),
    )


def _gap_before(box: Box, others: Sequence[Box], axis: int) -> _Gap | None:
    """The room before a box, if another stands there in the same row or column."""
    row = [other for other in others if other[axis + 2] < box[axis] and _apart(box, other, 1 - axis) == 0.0]
    nearest = max(row, key=lambda other: other[axis + 2], default=None)
    return _Gap(nearest, box) if nearest is not None else None


def _gap_after(box: Box, others: Sequence[Box], axis: int) -> _Gap | None:
    row = [other for other in others if other[axis] > box[axis + 2] and _apart(box, other, 1 - axis) == 0.0]
    nearest = min(row, key=lambda other: other[axis], default=None)
    return _Gap(box, nearest) if nearest is not None else None


def _line_guides(box: Box, others: Sequence[Box], axis: int) -> list[Guide]:
    found: list[Guide] = []
    seen: set[Box] = set()
    cross = 1 - axis
    for number, at in enumerate(_lines(box, axis)):  # the centre last: where both edges say it already, it is left out
        on = [other for other in others if abs(_lines(other, axis)[number] - at) < _SAME]
        if set(on) - seen:
            start, end = min(o[cross] for o in (box, *on)), max(o[cross + 2] for o in (box, *on))
            found.append(_guide(axis, at, start, end))
        if number == 1:
            seen |= set(on)
    return found


def _gap_guides(box: Box, others: Sequence[Box], axis: int) -> list[Guide]:
    before, after = _neighbours(box, others, axis)
    sides = [_Gap(before, box) if before else None, _Gap(box, after) if after else None]
    beyond = [
        _gap_before(before, others, axis) if before else None,
        _gap_after(after, others, axis) if after else None,
    ]
    pairs = [(sides[0], sides[1]), (beyond[0], sides[0]), (sides[1], beyond[1])]
    equal: list[_Gap] = []
    for one, other in pairs:
        if one is not None and other is not None and abs(one.size(axis) - other.size(axis)) < _SAME < one.size(axis):
            equal += [gap for gap in (one, other) if gap not in equal]
    return [_gap_guide(gap, axis) for gap in equal]


def _gap_guide(gap: _Gap, axis: int) -> Guide:
    cross = 1 - axis
    start, end = max(gap.before[cross], gap.after[cross]), min(gap.before[cross + 2], gap.after[cross + 2])
    at = start + 0.2 * (end - start)  # beside the wire, which runs down the middle
    return _guide(cross, at, gap.before[axis + 2], gap.after[axis], is_gap=True)


def _guide(axis: int, at: float, start: float, end: float, *, is_gap: bool = False) -> Guide:
    """A line on which the coordinate of an axis is constant."""
    ends = [(at, start), (at, end)] if axis == 0 else [(start, at), (end, at)]
    return Guide(ends[0], ends[1], is_gap)
