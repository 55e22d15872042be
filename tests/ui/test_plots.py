from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from studio.ui import theme
from studio.ui.panels.live_plot import pause_after
from studio.ui.panels.plots import TRAIN, VALIDATION, CurvePlot
from studio.ui.panels.pyramid import MinMaxPyramid
from studio.ui.panels.ranges import DecadeRange, DoublingRange


@given(
    chunks=st.lists(st.integers(1, 900), min_size=1, max_size=8),
    width=st.integers(1, 400),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_a_pyramid_is_small_and_keeps_every_peak(chunks: list[int], width: int, seed: int) -> None:
    total = sum(chunks)
    y = np.random.default_rng(seed).normal(size=total)
    x = np.arange(total, dtype=float)
    pyramid = MinMaxPyramid()
    start = 0
    for size in chunks:
        pyramid.append(x[start : start + size], y[start : start + size])
        start += size
    drawn_x, drawn_y = pyramid.points(width)
    assert len(pyramid) == total
    assert len(drawn_x) == len(drawn_y) <= 2 * max(width, 16) + 2
    assert (drawn_y.min(), drawn_y.max()) == (y.min(), y.max())
    assert (np.diff(drawn_x) >= 0).all()
    assert set(drawn_y) <= set(y)


def test_a_short_curve_is_drawn_as_it_is() -> None:
    pyramid = MinMaxPyramid()
    pyramid.append([1.0, 2.0], [5.0, 4.0])
    pyramid.append([3.0], [6.0])
    x, y = pyramid.points(100)
    assert (x.tolist(), y.tolist()) == ([1, 2, 3], [5, 4, 6])


def test_an_empty_curve_has_no_points() -> None:
    x, y = MinMaxPyramid().points(100)
    assert len(x) == len(y) == 0


def test_a_range_doubles_and_stops_at_its_limit() -> None:
    epochs = DoublingRange(top=1, limit=10)
    tops = []
    for epoch in range(1, 11):
        epochs.include(epoch)
        tops.append(epochs.ends[1])
    assert tops == [1, 2, 4, 4, 8, 8, 8, 8, 10, 10]


@pytest.mark.parametrize(("first", "top"), [(2.3, 5), (1.0, 1), (0.03, 0.05), (26000, 50000), (0, 1)])
def test_a_range_starts_with_a_round_number(first: float, top: float) -> None:
    loss = DoublingRange()
    loss.include(first)
    assert loss.ends == (0, pytest.approx(top))


def test_decades_enclose_all_positive_values() -> None:
    decades = DecadeRange()
    for value in (0.0, 0.02, 3.0):
        decades.include(value)
    assert decades.ends == (-2, 1)


@pytest.mark.parametrize(
    ("cost", "pause"), [(0.0, 1 / 30), (0.001, 1 / 30), (0.0029, 0.0029 / 0.03), (0.0031, 0.0031 / 0.03)]
)
def test_drawing_takes_three_percent_of_the_time(cost: float, pause: float) -> None:
    assert pause_after(cost) == pytest.approx(pause)


def test_a_dear_redraw_is_done_ten_times_a_second_at_most() -> None:
    assert pause_after(0.003_001) >= 0.1


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[CurvePlot]:
    made = CurvePlot("lossPlot", "Loss")
    made.resize(600, 300)
    made.load()
    yield made
    made.close()
    made.deleteLater()


def draws(plot: CurvePlot, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of training points at each redraw from now on."""
    drawn: list[int] = []
    view = plot._view
    assert view is not None
    original = view.draw

    def draw(train: MinMaxPyramid, *args: object, **kwargs: object) -> None:
        drawn.append(len(train))
        original(train, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(view, "draw", draw)
    return drawn


def test_points_are_drawn_when_the_plot_is_visible(
    plot: CurvePlot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = draws(plot, monkeypatch)
    plot.add(TRAIN, [(0.1, 2.0), (0.2, 1.9)])
    qtbot.waitUntil(lambda: not plot._timer.isActive())
    assert drawn == []  # hidden plots do not draw
    plot.show()
    qtbot.waitUntil(lambda: drawn == [2])
    plot.add(TRAIN, [(0.3, 1.8)])
    plot.add(TRAIN, [(0.4, 1.7)])
    qtbot.waitUntil(lambda: drawn == [2, 4])  # what came close together is drawn once
    plot.hide()
    assert not plot._timer.isActive()


def test_nothing_new_means_no_redraw(plot: CurvePlot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    plot.show()
    qtbot.waitUntil(lambda: not plot._timer.isActive())
    drawn = draws(plot, monkeypatch)
    plot.add(TRAIN, [(0.1, 2.0)])
    qtbot.waitUntil(lambda: drawn == [1] and not plot._timer.isActive())
    assert drawn == [1]


def test_the_curve_has_the_points(plot: CurvePlot, qtbot: QtBot) -> None:
    plot.begin("Accuracy", epochs=4, percent=True)
    plot.show()
    plot.add(TRAIN, [(0.5, 0.25), (1.0, 0.5)])
    plot.add(VALIDATION, [(1.0, 0.75)])
    view = plot._view
    assert view is not None
    qtbot.waitUntil(lambda: len(view._train.getData()[0] if view._train.getData()[0] is not None else ()) == 2)
    x, y = view._train.getData()
    assert (x.tolist(), y.tolist()) == ([0.5, 1.0], [25.0, 50.0])
    (low, high), (bottom, top) = view._box.viewRange()
    assert (low <= 0 <= 1 <= high, bottom <= 0, top >= 100) == (True, True, True)


def test_what_is_no_number_is_left_out(plot: CurvePlot) -> None:
    plot.add(TRAIN, [(1.0, math.nan), (2.0, 1.0), (3.0, math.inf)])
    assert plot.drawn_points[TRAIN] == 1


def test_a_new_run_starts_empty(plot: CurvePlot) -> None:
    plot.add(TRAIN, [(1.0, 100.0)])
    plot.begin("Loss", epochs=3)
    assert plot.drawn_points == {TRAIN: 0, VALIDATION: 0}
    assert plot._y_range.ends == (0, 1)


def test_log_scale_draws_powers_of_ten(plot: CurvePlot, qtbot: QtBot) -> None:
    plot.show()
    plot.add(TRAIN, [(1.0, 1.0), (2.0, 0.01)])
    button = plot.findChild(QCheckBox, "lossPlotLogScale")
    assert button is not None
    button.click()
    view = plot._view
    assert view is not None
    qtbot.waitUntil(lambda: view._train.getData()[1] is not None and view._train.getData()[1].tolist() == [0.0, -2.0])


def test_colours_follow_the_palette(plot: CurvePlot, qtbot: QtBot, qapp: QApplication) -> None:
    plot.show()
    view = plot._view
    assert view is not None
    try:
        theme.apply_theme(qapp, theme.DARK_MODE)
        qtbot.waitUntil(lambda: view.backgroundBrush().color() == theme.DARK.plot)
        assert view._train.opts["pen"].color() == theme.DARK.plot_train
    finally:
        theme.apply_theme(qapp, theme.LIGHT_MODE)
    qtbot.waitUntil(lambda: view.backgroundBrush().color() == theme.LIGHT.plot)


def test_before_pyqtgraph_is_loaded_a_text_stands_in_its_place(qtbot: QtBot) -> None:
    plot = CurvePlot("lossPlot", "Loss")
    assert "once PyTorch has started" in plot._placeholder.text()
    plot.deleteLater()


def test_a_narrow_plot_gives_its_legend_a_row_of_its_own(plot: CurvePlot, qtbot: QtBot) -> None:
    plot.add(TRAIN, [(1.0, 0.00123456)])
    plot.add(VALIDATION, [(1.0, 0.00123456)])
    plot.show()
    for width in (900, 320, 900):
        plot.resize(width, 300)
        is_narrow = width == 320
        qtbot.waitUntil(lambda below=is_narrow: (plot._legend.y() > plot._title.geometry().bottom()) == below)
        qtbot.waitUntil(lambda: all(key.width() >= key.sizeHint().width() for key in plot._keys.values()))


def test_what_was_changed_is_marked_until_the_next_run(plot: CurvePlot, qtbot: QtBot) -> None:
    plot.show()
    plot.add(TRAIN, [(1.0, 5.0), (2.0, 4.0)])
    plot.mark(1.5, "rate from 1 to <2>")
    plot.mark(1.5, "clip norm from 0 to 1")
    plot.mark(1.75, "floor from 0 to 1")
    qtbot.waitUntil(lambda: not plot._changed and len(plot._view._marks) == 2)
    first, second = plot._view._marks
    assert (first.value(), second.value()) == (1.5, 1.75)
    assert first.toolTip() == "<qt>rate from 1 to &lt;2&gt;<br>clip norm from 0 to 1</qt>"
    width = first.mapRectToScene(first.boundingRect()).width()
    assert 5 <= width <= 20, "wide enough to be pointed at"
    plot.begin("Loss", epochs=3)
    qtbot.waitUntil(lambda: not plot._changed and not plot._view._marks)
