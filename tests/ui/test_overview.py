"""The map in the corner: there when something is out of view, true to it, and a handle on the canvas."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.graph import Graph, Node
from studio.graph.edits import Move
from studio.project import Project
from studio.ui.canvas.overview import Overview
from studio.ui.preferences import Preferences
from tests.ui.hand import LEFT, NONE, Hand
from tests.ui.window_help import Person, opened_window, redirect_folders


@pytest.fixture
def overview(hand: Hand) -> Overview:
    return Overview(hand.view)


def spread(hand: Hand) -> None:
    """Two blocks far apart, at life size, with the first in view."""
    hand.document.do(Move((("n4", 4000.0, 2000.0),)), "Move")
    hand.view.zoom(1.0 / hand.view.scale_factor)
    hand.view.reveal("n1")


def middle(hand: Hand) -> QPointF:
    return hand.view.to_scene(QRectF(hand.view.viewport().rect()).center())


def test_it_shows_only_while_something_is_out_of_view_and_it_is_wanted(hand: Hand, overview: Overview) -> None:
    assert not overview.isVisible()
    hand.view.zoom(4.0)
    assert overview.isVisible()
    overview.set_wanted(False)
    assert not overview.isVisible()
    overview.set_wanted(True)
    assert overview.isVisible()
    hand.view.fit()
    assert not overview.isVisible()


def test_it_stays_in_the_corner_and_small(hand: Hand, overview: Overview) -> None:
    spread(hand)
    for size in ((900, 700), (400, 300)):
        hand.view.resize(*size)
        gap = QPoint(*size) - overview.geometry().bottomRight()
        assert 0 < gap.x() < 20
        assert 0 < gap.y() < 20
        assert overview.width() <= 0.5 * size[0]


def test_a_click_on_a_block_of_the_map_shows_it_and_a_drag_goes_on(hand: Hand, overview: Overview) -> None:
    spread(hand)
    at = overview._at(QPointF(4120, 2022)).toPoint()
    QTest.mousePress(overview, LEFT, NONE, at)
    assert (middle(hand) - QPointF(4120, 2022)).manhattanLength() < 60  # a pixel of the map is many of the canvas
    before = middle(hand)
    QTest.mouseMove(overview, at - QPoint(20, 10))
    QTest.mouseRelease(overview, LEFT, NONE, at - QPoint(20, 10))
    shift = (middle(hand) - before) * overview._scale
    assert (shift.x(), shift.y()) == pytest.approx((-20, -10), abs=0.5)
    assert hand.document.history.count == 1  # nothing but the move before


def test_taken_by_the_frame_the_canvas_does_not_jump(hand: Hand, overview: Overview) -> None:
    spread(hand)
    hand.view.pan(QPointF(-1500, -700))
    before = middle(hand)
    QTest.mousePress(overview, LEFT, NONE, overview._frame.topLeft().toPoint() + QPoint(4, 3))
    assert (middle(hand) - before).manhattanLength() <= 2
    QTest.mouseRelease(overview, LEFT, NONE, overview._frame.topLeft().toPoint())


def test_blocks_are_where_they_are_and_the_chosen_one_can_be_told(hand: Hand, overview: Overview) -> None:
    spread(hand)

    def color_of(x: float, y: float) -> QColor:
        picture = overview._draw().toImage()
        return picture.pixelColor(overview._at(QPointF(x, y)).toPoint())

    colors = hand.scene.style_in_use.theme
    assert color_of(4120, 2022) == colors.group_color("Input and output")
    assert color_of(2000, 1000) == colors.node
    hand.scene.select(["n4"])
    assert color_of(4120, 2022) == colors.selection
    hand.document.do(Move((("n4", 4000.0, 1000.0),)), "Move")
    assert color_of(4120, 1022) == colors.selection


def test_panning_draws_no_block_anew(hand: Hand, overview: Overview, monkeypatch: pytest.MonkeyPatch) -> None:
    relu = registry.get("relu")()
    nodes = [Node(f"n{i}", f"r_{i}", relu, 288.0 * (i // 40), 64.0 * (i % 40)) for i in range(1000)]
    hand.document.reset(Project(graph=Graph(tuple(nodes))))
    hand.view.zoom(0.5 / hand.view.scale_factor)
    overview.grab()
    drawn: list[object] = []
    draw = Overview._draw
    monkeypatch.setattr(Overview, "_draw", lambda self: (drawn.append(self), draw(self))[1])
    frame = overview._frame
    for _ in range(5):
        hand.view.pan(QPointF(30, 10))
        overview.grab()
    assert overview._frame != frame
    assert drawn == []
    hand.document.do(Move((("n5", 5000.0, 0.0),)), "Move")
    overview.grab()
    assert len(drawn) == 1


def test_an_empty_canvas_has_no_map(hand: Hand, overview: Overview) -> None:
    spread(hand)
    hand.document.reset(Project())
    assert not overview.isVisible()
    hand.view.zoom(2.0)
    assert not overview.isVisible()


def test_the_wheel_zooms(hand: Hand, overview: Overview) -> None:
    spread(hand)
    assert overview.focusPolicy() == Qt.FocusPolicy.NoFocus
    before = hand.view.scale_factor
    at = QPointF(overview.rect().center())
    wheel = QWheelEvent(
        at, overview.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(overview, wheel)
    assert hand.view.scale_factor == pytest.approx(1.2 * before)


def test_the_choice_is_kept(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    redirect_folders(monkeypatch, tmp_path)
    Preferences().overview = False
    for window in opened_window(qtbot, Person()):
        place = window.build_place
        place.view.zoom(4.0)
        assert place.overview is not None
        assert not place.overview.isVisible()
        place.overview_action.trigger()
        assert place.overview.isVisible()
    assert Preferences().overview
