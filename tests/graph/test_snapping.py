"""Blocks snap to lines and equal distances, and the guides say so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.graph.snapping import Box, Guide, guides, near, snapped

X, Y = 0, 1
SIZE = (240.0, 44.0)


def at(x: float, y: float, width: float = SIZE[0], height: float = SIZE[1]) -> Box:
    return Box(x, y, x + width, y + height)


@pytest.mark.parametrize(
    ("box", "axis", "expected"),
    [
        (at(5, 300), X, -5.0),  # the same column
        (at(9, 300), X, None),  # out of reach
        (at(46, 300, width=140), X, 4.0),  # narrower: only the centres are near
        (at(500, 41), Y, 3.0),  # the same row
        (at(500, 41, height=100), Y, 3.0),  # higher: the top edge
    ],
)
def test_edges_and_centres_attract(box: Box, axis: int, expected: float | None) -> None:
    assert snapped(box, [at(0, 44)], axis, reach=8) == expected


def test_a_left_edge_does_not_snap_to_a_right_edge() -> None:
    assert snapped(at(243, 100), [at(0, 0)], X, reach=8) is None


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (123, 5.0),  # below two: as far as they are from each other
        (-70, 6.0),  # above two
        (29, None),
    ],
)
def test_distances_become_equal(y: float, expected: float | None) -> None:
    column = [at(0, 0), at(0, 64)]
    assert snapped(at(0, y), column, Y, reach=8) == expected


def test_a_block_between_two_goes_to_the_middle() -> None:
    between = at(303, 0)
    sides = [at(0, 0), at(612, 0)]
    assert snapped(between, sides, X, reach=8) == pytest.approx(3.0)
    marks = [guide for guide in guides(at(306, 0), sides, X) if guide.is_gap]
    assert [(mark.start[0], mark.end[0]) for mark in marks] == [(240, 306), (546, 612)]


def test_only_equal_distances_are_marked() -> None:
    column = [at(0, 0), at(0, 64)]
    assert [(g.start[1], g.end[1]) for g in guides(at(0, 128), column, Y) if g.is_gap] == [(44, 64), (108, 128)]
    assert [g for g in guides(at(0, 130), column, Y) if g.is_gap] == []


def test_blocks_in_other_columns_have_no_say_in_distances() -> None:
    assert snapped(at(1000, 123), [at(0, 0), at(0, 64)], Y, reach=8) is None


def test_guides_reach_from_the_first_to_the_last_block_on_the_line() -> None:
    found = guides(at(0, 300), [at(0, 0), at(0, 100), at(30, 200)], X)
    assert found == [Guide((0, 0), (0, 344)), Guide((240, 0), (240, 344))]  # no third line down the middle
    assert guides(at(0, 300), [at(50, 100, width=140)], X) == [Guide((120, 100), (120, 344))]
    assert guides(at(1, 300), [at(0, 0)], X) == []


def test_what_is_far_away_does_not_count() -> None:
    assert near(at(0, 0), [at(0, 600), at(0, 900), at(1000, 0)]) == [at(0, 600)]


boxes = st.builds(at, st.integers(-300, 300), st.integers(-300, 300), st.sampled_from([140, 240]), st.just(44.0))


@settings(max_examples=150, deadline=None)
@given(boxes, st.lists(boxes, max_size=6), st.sampled_from([X, Y]))
def test_what_snapped_stays_and_shows_why(box: Box, others: list[Box], axis: int) -> None:
    shift = snapped(box, others, axis, reach=8)
    if shift is None:
        assert all(abs(box[side] - other[side]) > 8 for other in others for side in (axis, axis + 2))
        return
    assert abs(shift) <= 8
    moved = Box(*(value + shift * (side % 2 == axis) for side, value in enumerate(box)))
    assert snapped(moved, others, axis, reach=8) == pytest.approx(0.0, abs=1e-9)
    assert guides(moved, others, axis)
