"""From an empty canvas to a training network of eight blocks, with as few actions of a person as promised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from studio.blocks import registry
from studio.ui import run_state
from studio.ui.main_window import MainWindow
from studio.ui.panels.plots import VALIDATION
from tests.ui.window_help import Person, opened_window, redirect_folders, wait_until_loaded

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
MOST_ACTIONS = 12


class CountingHand:
    """Uses the window as a person would, by what can be seen of it. Each call is one action."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.actions = 0

    def double_click_block(self, kind: str) -> None:
        """Double-click a row of the palette; it must be in view."""
        self.actions += 1
        tree = self.window.build_place.blocks.tree
        title, flags = registry.get(kind).title, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
        item = next(found for found in tree.findItems(title, flags) if found.parent() is not None)  # no heading
        place = tree.visualItemRect(item)
        assert tree.viewport().rect().contains(place), f"{kind} is not in view"
        for send in (QTest.mousePress, QTest.mouseRelease, QTest.mouseDClick, QTest.mouseRelease):
            send(tree.viewport(), LEFT, NONE, place.center())

    def click(self, button: QAbstractButton) -> None:
        """Click on a button; it must be in view and enabled."""
        self.actions += 1
        assert button.isVisible()
        assert button.isEnabled()
        QTest.mouseClick(button, LEFT)


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, Person())


def test_eight_blocks_train_after_at_most_twelve_actions(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    window.resize(1280, 800)
    window.files.new()
    assert window.document.graph.nodes == ()
    hand = CountingHand(window)
    for kind in ("input", "conv2d", "relu", "max_pool", "conv2d", "global_average_pool", "dense", "output"):
        hand.double_click_block(kind)
    repairs = window.build_place.problems.repairs
    qtbot.waitUntil(lambda: any("10 units" in button.text() for button in repairs.buttons), timeout=30_000)
    hand.click(repairs.buttons[0])
    qtbot.waitUntil(lambda: window.analyzer.analysis.problems == ())
    hand.click(window.findChild(QAbstractButton, "trainButton"))
    qtbot.waitUntil(lambda: window.session.state == run_state.TRAINING, timeout=30_000)
    plot = window.train_place.loss_plot
    qtbot.waitUntil(lambda: plot.drawn_points.get(VALIDATION, 0) > 0, timeout=60_000)
    assert [node.block.kind for node in window.document.graph.order][:3] == ["input", "conv2d", "relu"]
    assert (len(window.document.graph.nodes), len(window.document.graph.links)) == (8, 7)
    assert hand.actions <= MOST_ACTIONS
    stop = window.findChild(QWidget, "stopButton")
    assert isinstance(stop, QAbstractButton)
    stop.click()
    qtbot.waitUntil(lambda: window.session.state == run_state.IDLE, timeout=30_000)
