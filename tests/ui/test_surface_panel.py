"""The decision surface in the Train place: right side up, in the colours of the classes, only where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.project import read_template
from studio.training.events import EpochEnded, Event, Plane, Points, Started, Surface
from studio.ui import theme
from studio.ui.document import Document
from studio.ui.main_window import MainWindow
from studio.ui.panels.surface_panel import SurfacePanel
from studio.ui.panels.surface_view import class_colors, pixels
from studio.ui.panels.train_place import TrainPlace
from studio.ui.run_state import IDLE
from studio.ui.widgets.legend import Legend
from tests.ui.window_help import LOADING_MS, Person, opened_window, redirect_folders, wait_until_loaded

STARTED = Started("run", 12, 3, 5, {"train": 3, "validation": 1}, "cpu", 1, "accuracy")
PLANE = Plane(
    features=("x", "<b>y"),
    classes=("left", "right"),
    x_range=(0.0, 4.0),
    y_range=(10.0, 30.0),
    points={
        "train": Points((1.0, 3.0, 3.5), (12.0, 20.0, 28.0), (0, 1, 1), 30),
        "validation": Points((1.5,), (15.0,), (0,), 1),
    },
)
# Sure of “left” at the lower left, sure of “right” at the lower right, undecided above.
SURFACE = Surface(2, False, 2, classes=bytes([0, 1, 0, 1]), shares=bytes([255, 255, 128, 128]))


@pytest.fixture
def place(qtbot: QtBot) -> Iterator[TrainPlace]:
    made = TrainPlace(Document(read_template("xor-mlp")))
    made.resize(1000, 700)
    made.load_plots()
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture(autouse=True)
def light_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_theme(qapp, theme.LIGHT_MODE)


def panel(place: TrainPlace) -> SurfacePanel:
    found = place.findChild(SurfacePanel)
    assert found is not None
    return found


def epoch_ended(epoch: int) -> EpochEnded:
    metrics = {"loss": 0.5, "accuracy": 0.875}
    return EpochEnded(epoch, 5 * epoch, metrics, metrics, 0.1, False)


def color_at(shown: SurfacePanel, x: float, y: float) -> tuple[int, int, int]:
    """What the person sees at a place of the plane."""
    view = shown._view
    spot = view.mapFromScene(view._box.mapViewToScene(QPointF(x, y)))
    color = view.grab().toImage().pixelColor(spot)
    return color.red(), color.green(), color.blue()


@pytest.mark.parametrize("mode", [theme.LIGHT_MODE, theme.DARK_MODE])
def test_colours_tell_the_class_and_how_sure_the_network_is(
    place: TrainPlace, qtbot: QtBot, qapp: QApplication, mode: str
) -> None:
    place.show_events([STARTED, PLANE, SURFACE])
    shown = panel(place)
    theme.apply_theme(qapp, mode)
    colors = theme.current()
    qtbot.waitUntil(lambda: shown.caption.text() == "Epoch 2" and not shown._changed)
    ground = np.array([colors.plot.red(), colors.plot.green(), colors.plot.blue()])
    for number, x in ((0, 0.3), (1, 3.6)):
        full = colors.class_color(number)
        wanted = ground + 0.65 * (np.array([full.red(), full.green(), full.blue()]) - ground)
        assert np.abs(np.array(color_at(shown, x, 10.5)) - wanted).max() <= 6
        assert np.abs(np.array(color_at(shown, x, 29.5)) - ground).max() <= 6


def test_every_sample_is_drawn_in_the_colour_of_its_class(place: TrainPlace) -> None:
    place.show_events([STARTED, PLANE])
    view = panel(place)._view
    drawn = {split: list(zip(*item.getData(), strict=True)) for split, item in view._samples.items()}
    assert drawn == {"train": [(1.0, 12.0), (3.0, 20.0), (3.5, 28.0)], "validation": [(1.5, 15.0)]}
    brushes = [spot.brush().color() for spot in view._samples["train"].points()]
    assert brushes == [theme.current().class_color(number) for number in (0, 1, 1)]
    assert {item.points()[0].symbol() for item in view._samples.values()} == {"o", "d"}


def test_axes_and_legend_name_features_classes_and_splits(place: TrainPlace) -> None:
    place.show_events([STARTED, PLANE])
    shown = panel(place)
    assert shown._view._bottom.labelText == "x"
    assert shown._view._left.label.toPlainText().strip() == "<b>y"  # text from a file is no HTML
    assert shown.legend.accessibleName() == "Legend: left, right, Training (3 of 30), Validation"
    assert shown._view.accessibleName() == "Decision surface over x and <b>y"


def test_the_caption_follows_the_run(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([STARTED, PLANE])
    shown = panel(place)
    for epoch, best, text in (
        (0, False, "Before training"),
        (1234, False, "Epoch 1,234"),
        (9, True, "Best weights, epoch 9"),
    ):
        place.show_events([replace(SURFACE, epoch=epoch, best=best)])
        qtbot.waitUntil(lambda text=text: shown.caption.text() == text)


def test_data_without_a_plane_shows_no_panel(place: TrainPlace) -> None:
    place.show_events([STARTED, epoch_ended(1)])
    assert place.findChild(SurfacePanel) is None
    place.show_events([STARTED, PLANE, SURFACE])
    assert panel(place).isVisible()
    place.show_events([STARTED])  # the plane may come with the next events: no flicker
    assert panel(place).isVisible()
    place.show_events([epoch_ended(1)])
    assert not panel(place).isVisible()
    place.show_events([STARTED])
    place.show_events([PLANE, SURFACE])
    assert panel(place).isVisible()


def test_a_new_run_begins_with_an_empty_plane(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([STARTED, PLANE, SURFACE])
    shown = panel(place)
    qtbot.waitUntil(lambda: shown._view._image.image is not None)
    place.show_events([STARTED, replace(PLANE, classes=("a", "b", "c"), x_range=(-1.0, 1.0))])
    assert shown._view._image.image is None
    assert shown.caption.text() == ""
    assert shown._view._box.viewRange()[0] == [-1.0, 1.0]


def test_a_hidden_panel_does_not_draw(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([STARTED, PLANE])
    place.hide()
    place.show_events([SURFACE])
    assert not panel(place)._timer.isActive()
    assert panel(place)._view._image.image is None
    place.show()
    qtbot.waitUntil(lambda: panel(place)._view._image.image is not None)


@pytest.mark.parametrize("count", [2, 5, 10])
def test_a_guess_has_the_colour_of_the_ground_whatever_the_number_of_classes(qapp: QApplication, count: int) -> None:
    colors = class_colors(count)
    ground = theme.current().plot
    guess = Surface(0, False, 1, bytes([count - 1]), bytes([255 // count]))
    assert pixels(guess, colors).tolist() == [[[ground.red(), ground.green(), ground.blue()]]]
    sure = pixels(replace(guess, shares=bytes([255])), colors)
    assert np.abs(sure.astype(int) - 255).max() > 30
    assert len({tuple(row[255]) for row in colors}) == count


def test_the_plane_is_square_however_the_panel_is_sized(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([STARTED, PLANE, SURFACE])
    view = panel(place)._view
    for width, height in ((1000, 700), (1900, 1000), (900, 420)):
        place.resize(width, height)
        QApplication.sendPostedEvents()
        box = view._box
        qtbot.waitUntil(lambda box=box: abs(box.width() - box.height()) <= 8 and box.width() > 100)


def test_a_legend_goes_on_in_another_row(qtbot: QtBot) -> None:
    legend = Legend()
    place = TrainPlace(Document(read_template("xor-mlp")))
    place.show_events([STARTED, replace(PLANE, classes=tuple(f"class number {i}" for i in range(10)))])
    entries = panel(place).legend._entries
    legend.set_entries(entries)
    assert legend.heightForWidth(200) > 3 * legend.heightForWidth(5_000) > 0
    for width in (200, 600):
        places = legend._places(width)
        assert all(one.right() <= width for one in places)
        assert not any(one.intersects(other) for i, one in enumerate(places) for other in places[:i])
    legend.deleteLater()
    place.deleteLater()


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, Person(), "xor-mlp")


def test_training_xor_in_the_window_shows_its_surface(window: MainWindow, qtbot: QtBot) -> None:
    wait_until_loaded(qtbot, window)
    heard: list[Event] = []
    window.session.events_arrived.connect(heard.extend)
    window.run_bar.train_action.trigger()
    qtbot.waitUntil(
        lambda: window.train_place.surface is not None and window.train_place.surface.isVisible(), timeout=LOADING_MS
    )
    qtbot.waitUntil(lambda: window.session.state == IDLE, timeout=LOADING_MS)
    shown = panel(window.train_place)
    qtbot.waitUntil(lambda: shown.caption.text().startswith("Best weights"), timeout=LOADING_MS)
    last = [event for event in heard if isinstance(event, Surface)][-1]
    grid = np.frombuffer(last.classes, np.uint8).reshape(last.side, last.side)
    assert grid[[12, 12, -12, -12], [12, -12, 12, -12]].tolist() == [0, 1, 1, 0]  # the corners
    assert "Finished" in window.run_bar.progress.format()
