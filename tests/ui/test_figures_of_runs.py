"""Figures beside the loss, the confusion, and several runs as one job, in the Train place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from studio.project import read_template
from studio.training.events import (
    Confusion,
    EpochEnded,
    Event,
    Finished,
    Progress,
    RepeatEnded,
    RepeatStarted,
    Started,
)
from studio.ui import run_state, theme
from studio.ui.document import Document
from studio.ui.panels.confusion_panel import ConfusionPanel
from studio.ui.panels.curve_view import spread
from studio.ui.panels.live_plot import LivePlot
from studio.ui.panels.plots import MOST_RUN_POINTS, TRAIN, VALIDATION
from studio.ui.panels.result_bar import result_text
from studio.ui.panels.run_bar import RunBar
from studio.ui.panels.train_place import TrainPlace

MEASURES = ("accuracy", "balanced_accuracy", "f1")
STARTED = Started(
    "run", 12, 4, 10, {"train": 3}, "cpu", 1, "accuracy", measures=MEASURES, classes=("cat", "dog", "<b>cow")
)
COUNTS = (8, 2, 0, 0, 5, 5, 0, 0, 4)


def ended(epoch: int, f1: float = 0.5, loss: float = 0.5) -> EpochEnded:
    metrics = {"loss": loss, "accuracy": 0.875}
    return EpochEnded(epoch, 10 * epoch, metrics, {**metrics, "balanced_accuracy": 0.75, "f1": f1}, 0.1, False)


def a_run(number: int, f1: float) -> list[Event]:
    metrics = {"validation": {"loss": 0.5, "f1": f1}}
    return [
        RepeatStarted(number, 3, f"seed {number}"),
        STARTED,
        ended(1, f1),
        ended(2, f1 + 0.2),
        RepeatEnded(number, 3, f"seed {number}", "finished", 2, "run", metrics),
    ]


@pytest.fixture
def place(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainPlace]:
    monkeypatch.setattr(LivePlot, "share_of_time", 1.0)  # a busy machine would wait long for the next redraw
    made = TrainPlace(Document(read_template("digits-mlp")))
    made.resize(1100, 750)
    made.load_plots()
    made.show()
    qtbot.waitUntil(lambda: made.metric_plot._view is not None)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture(autouse=True)
def light_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_theme(qapp, theme.LIGHT_MODE)


def choose(place: TrainPlace, figure: str) -> None:
    choice = place.metric_plot.choice
    choice.setCurrentIndex(choice.findData(figure))
    choice.activated.emit(choice.currentIndex())


def test_the_person_chooses_which_figure_is_shown(place: TrainPlace) -> None:
    place.show_events([STARTED, Progress(5, 1, 0.5, 0.25, 0.001, 10.0, 1.0), ended(1, 0.25), ended(2, 0.5)])
    assert place.metric_plot.choice.isVisible()
    assert place.metric_plot.drawn_points == {TRAIN: 2, VALIDATION: 2}
    choose(place, "f1")
    assert place.metric_plot.drawn_points == {TRAIN: 0, VALIDATION: 2}
    place.show_events([ended(3, 0.75)])
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [0.25, 0.5, 0.75]
    place.show_events([STARTED, ended(1, 0.1)])  # the next run shows what was chosen
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [0.1]
    choose(place, "balanced_accuracy")
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [75.0]


def test_figures_of_one_output_have_both_curves(place: TrainPlace) -> None:
    own = {"loss": 0.5, "accuracy": 0.875, "head.loss": 0.25}
    started = replace(STARTED, measures=(*MEASURES, "head.loss"))
    progress = Progress(10, 1, 0.6, 0.8, 0.1, 1.0, 1.0)
    place.show_events([started, progress, EpochEnded(1, 10, own, {**own, "head.loss": 0.375}, 0.1, False)])
    choose(place, "head.loss")
    assert place.metric_plot.choice.currentText() == "Loss of “head”"
    assert place.metric_plot._curves[TRAIN].points(100)[1].tolist() == [0.25]
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [0.375]
    # What was told while it trained is not told twice.
    assert place.loss_plot.drawn_points == {TRAIN: 1, VALIDATION: 1}


def test_a_run_with_one_figure_offers_no_choice(place: TrainPlace) -> None:
    place.show_events([Started("run", 10, 5, 10, {"train": 100}, "cpu", 1, "mae")])
    assert not place.metric_plot.choice.isVisible()
    assert not place.confusion_button.isVisible()


def test_each_figure_has_a_row(place: TrainPlace) -> None:
    place.show_events([STARTED, ended(1, 0.25)])
    assert place.figures.text("f1") == "0.2500"
    assert place.figures.text("balanced_accuracy") == "75.0 %"
    place.show_events([Started("run", 10, 5, 10, {"train": 100}, "cpu", 1, "mae", measures=("mae", "r2"))])
    assert set(place.figures._values) >= {"r2", "score"}
    assert "f1" not in place.figures._values


def panel(place: TrainPlace) -> ConfusionPanel:
    assert place.confusion is not None
    return place.confusion


def test_the_confusion_is_opened_and_closed(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([STARTED, ended(1), Confusion(1, False, COUNTS)])
    assert place.confusion is None
    place.confusion_button.click()
    qtbot.waitUntil(lambda: panel(place).caption.text() == "Epoch 1")
    place.show_events([Confusion(2, True, COUNTS)])
    qtbot.waitUntil(lambda: panel(place).caption.text() == "Best, epoch 2")
    place.confusion_button.click()
    assert not panel(place).isVisible()
    place.confusion_button.click()
    place.show_events([Started("run", 10, 5, 10, {"train": 100}, "cpu", 1, "mae")])
    assert not panel(place).isVisible()


@pytest.mark.parametrize("mode", [theme.LIGHT_MODE, theme.DARK_MODE])
def test_cells_tell_what_they_are(place: TrainPlace, qtbot: QtBot, qapp: QApplication, mode: str) -> None:
    theme.apply_theme(qapp, mode)
    place.show_events([STARTED, Confusion(1, False, COUNTS)])
    place.confusion_button.click()
    shown = panel(place).map
    qtbot.waitUntil(lambda: shown._counts.sum() == 24)
    square = shown._square()
    middles = [square.topLeft() + QPoint((2 * n + 1) * square.width() // 6, square.height() // 6) for n in range(3)]
    assert [shown.cell_at(spot) for spot in middles] == [(0, 0), (0, 1), (0, 2)]
    assert shown.cell_at(QPoint(0, 0)) is None
    assert shown.words(0, 1) == "“cat”, taken for “dog”: 2 of 10 (20.0 %)"
    assert shown.words(2, 2) == "“<b>cow”, right: 4 of 4 (100.0 %)"
    colors, ground = theme.current(), np.array(theme.current().plot.getRgb()[:3])
    corner = square.topLeft() + QPoint(3, 3)
    seen = [shown.grab().toImage().pixelColor(corner + QPoint(n * square.width() // 3, 0)) for n in range(3)]
    away = [np.abs(np.array(color.getRgb()[:3]) - ground).sum() for color in seen]
    assert away[0] > away[1] > 0 == away[2], "the more of its row, the stronger; nothing is the ground"
    assert colors.plot_validation is not None


def test_the_mean_and_the_range_are_over_the_runs_that_have_an_epoch() -> None:
    runs = [[(1.0, 4.0), (2.0, 3.0)], [(1.0, 2.0), (2.0, 1.0), (3.0, 7.0)], [(1.0, 3.0)]]
    x, lowest, mean, highest = spread(runs)
    assert x.tolist() == [1.0, 2.0]
    assert (lowest.tolist(), mean.tolist(), highest.tolist()) == ([2.0, 1.0], [3.0, 2.0], [4.0, 3.0])


def test_runs_of_a_job_stand_behind_the_one_under_way(place: TrainPlace, qtbot: QtBot) -> None:
    place.show_events([*a_run(1, 0.2), *a_run(2, 0.4)])
    choose(place, "f1")
    assert place.metric_plot.drawn_points == {TRAIN: 0, VALIDATION: 0}
    view = place.metric_plot._view
    qtbot.waitUntil(lambda: len(view._single) == 2)
    assert view._mean.getData()[1].tolist() == pytest.approx([0.3, 0.5])
    place.show_events(a_run(3, 0.6)[:3])
    assert place.metric_plot.drawn_points[VALIDATION] == 1
    qtbot.waitUntil(lambda: len(view._single) == 2)
    place.show_events([*a_run(3, 0.6)[3:], Finished("finished", "group", "best.pt", 12, 5.0, 2, runs=3)])
    qtbot.waitUntil(lambda: len(view._single) == 3)
    assert view._highest.getData()[1].tolist() == pytest.approx([0.6, 0.8])
    place.show_events([STARTED, ended(1)])  # a single run has nothing behind it
    qtbot.waitUntil(lambda: not view._single)


def test_of_long_runs_some_epochs_are_drawn(place: TrainPlace) -> None:
    for length in (MOST_RUN_POINTS, 3 * MOST_RUN_POINTS + 1):
        place.loss_plot.set_runs([[(float(epoch), 1.0) for epoch in range(1, length + 1)], [(1.0, 2.0), (2.0, 1.0)]])
        lengths = [len(points) for points in place.loss_plot._runs]
        assert lengths[0] <= MOST_RUN_POINTS
        assert [points[0][0] for points in place.loss_plot._runs] == [1.0, 1.0]


def test_the_run_bar_says_which_run_it_is(qtbot: QtBot) -> None:
    bar = RunBar(Document(read_template("digits-mlp")))
    bar.show_state(run_state.STARTING)
    bar.show_state(run_state.TRAINING)
    bar.show_events([RepeatStarted(2, 4, "seed 1"), STARTED, Progress(20, 3, 0.5, 0.5, 0.1, 10.0, 5.0)])
    assert bar.progress.format() == "Run 2 of 4 · epoch 3 of 4 · 5 s left"
    assert bar.progress.value() == 1000 * 1.5 / 4
    bar.deleteLater()


def test_the_result_of_a_job_has_means_and_spreads() -> None:
    metrics, spreads = {"loss": 0.25, "accuracy": 0.961, "f1": 0.9}, {"loss": 0.012, "accuracy": 0.004, "f1": 0.1}
    finished = Finished(
        "finished", "group", "best.pt", 12, 65.0, 9, {"test": metrics}, test_uses=1, runs=5,
        deviations={"test": spreads}, reason="1 of 5 runs diverged and does not count in the means.",
    )  # fmt: skip
    assert result_text(finished) == (
        "Finished after 5 runs and 1 min 5 s: test loss 0.2500 ± 0.012, test accuracy 96.1 % ± 0.4. These test samples "
        "were used for the first time. 1 of 5 runs diverged and does not count in the means.\nCheckpoint: best.pt"
    )


def test_several_runs_offer_no_continuation(place: TrainPlace) -> None:
    button = place.result_bar.findChild(QPushButton, "continueButton")
    for runs, offered in ((1, True), (3, False)):
        place.show_events([STARTED, Finished("finished", "group", "best.pt", 12, 5.0, 2, runs=runs)])
        assert button.isVisible() == offered


def test_the_log_tells_each_run_and_its_figures(place: TrainPlace) -> None:
    place.show_events([*a_run(1, 0.25), *a_run(2, 0.5)])
    text = place.log.toPlainText()
    assert "Run 2 of 3: seed 2" in text
    assert "Seed 1 finished: best validation loss 0.5000, macro F1 0.25" in text
    assert "Epochs 1 to 2: validation loss 0.5000" in text
