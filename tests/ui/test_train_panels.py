"""What the panels of the Train place make of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from studio.project import read_template
from studio.training.events import (
    DIVERGED,
    FINISHED,
    STOPPED,
    EpochEnded,
    Finished,
    Progress,
    Ranks,
    RankState,
    Started,
)
from studio.ui import run_state
from studio.ui.document import Document
from studio.ui.panels.figures import Figures
from studio.ui.panels.log import Log
from studio.ui.panels.plots import TRAIN, VALIDATION
from studio.ui.panels.result_bar import result_text
from studio.ui.panels.train_place import TrainPlace
from studio.ui.wording import duration, metric_value, rate, size

STARTED = Started("run", 1234, 20, 10, {"train": 5000}, "cpu", 1, "accuracy")


def progress(step: int, epoch: int = 1, loss: float = 0.5) -> Progress:
    return Progress(step, epoch, loss, 0.25, 0.001, 1234.5, 65.0)


def epoch_ended(epoch: int, *, best: bool = False, loss: float = 0.5) -> EpochEnded:
    metrics = {"loss": loss, "accuracy": 0.875}
    return EpochEnded(epoch, 10 * epoch, metrics, metrics, 0.1, best)


@pytest.fixture
def document() -> Document:
    return Document(read_template("iris-mlp"))


@pytest.fixture
def place(qtbot: QtBot, document: Document) -> Iterator[TrainPlace]:
    made = TrainPlace(document)
    made.load_plots()
    yield made
    made.deleteLater()


def test_both_plots_get_every_point(place: TrainPlace) -> None:
    place.show_events([STARTED, progress(5), progress(10), epoch_ended(1), progress(15, 2)])
    for plot in (place.loss_plot, place.metric_plot):
        assert plot.drawn_points == {TRAIN: 3, VALIDATION: 1}
    x, y = place.loss_plot._curves[TRAIN].points(100)
    assert (x.tolist(), y.tolist()) == ([0.5, 1.0, 1.5], [0.5, 0.5, 0.5])
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [87.5]


def test_epochs_too_short_for_progress_still_have_a_training_curve(place: TrainPlace) -> None:
    place.show_events([STARTED, epoch_ended(1), epoch_ended(2), progress(25, 3), epoch_ended(3)])
    assert place.loss_plot._curves[TRAIN].points(100)[0].tolist() == [1.0, 2.0, 2.5]


def test_a_new_run_clears_the_plots_and_the_result(place: TrainPlace) -> None:
    place.show_events([STARTED, progress(5), Finished(STOPPED, "run", "best.pt", 10, 1.0, 0)])
    assert not place.result_bar.isHidden()
    place.show_events([STARTED])
    assert place.loss_plot.drawn_points == {TRAIN: 0, VALIDATION: 0}
    assert place.result_bar.isHidden()


def test_what_was_measured_and_chosen_for_speed_is_shown(place: TrainPlace) -> None:
    place.show_events([STARTED])
    assert place.figures.text("speed") == "exact"
    measured = (("as always", "1 thread", 2.0), ("precision", "bfloat16 is chosen", 0.75))
    place.show_events([replace(STARTED, speed="1 thread, bfloat16", measured=measured)])
    assert place.figures.text("speed") == "1 thread, bfloat16"
    log = place.log.toPlainText()
    assert "precision bfloat16 is chosen (0.75 ms a step)" in log
    assert "Chosen for speed: 1 thread, bfloat16." in log


def test_a_regression_shows_its_own_metric(place: TrainPlace) -> None:
    metrics = {"loss": 2900.0, "mae": 44.0}
    started = Started("run", 10, 5, 10, {"train": 100}, "cpu", 1, "mae")
    place.show_events([started, EpochEnded(1, 10, metrics, metrics, 0.1, True)])
    assert "Mean absolute error" in place.metric_plot.accessibleName()
    assert place.metric_plot._curves[VALIDATION].points(100)[1].tolist() == [44.0]
    assert place.figures.text("score") == "44.00"


def test_a_failure_is_kept_in_the_log(place: TrainPlace) -> None:
    place.show_failure("The network has nothing to learn.")
    assert place.result_bar.text == "The network has nothing to learn."
    assert "nothing to learn" in place.log.toPlainText()


def test_figures_follow_the_run(qtbot: QtBot) -> None:
    figures = Figures()
    figures.show_events([STARTED, progress(3), epoch_ended(1, best=True, loss=0.25), epoch_ended(2)])
    texts = {key: figures.text(key) for key in ("epoch", "steps", "rate", "left", "best", "best_epoch", "parameters")}
    assert texts == {"epoch": "2 of 20", "steps": "20 of 200", "rate": "1,230", "left": "1 min 5 s", "best": "0.25",
                     "best_epoch": "1", "parameters": "1,234"}  # fmt: skip
    figures.deleteLater()


def test_the_log_stays_at_its_end_when_it_gets_smaller(qtbot: QtBot) -> None:
    log = Log()
    log.resize(500, 300)
    log.show()
    for number in range(100):
        log.write(f"Line {number}")
    bar = log.verticalScrollBar()
    assert bar.value() == bar.maximum()
    log.resize(500, 100)
    assert bar.value() == bar.maximum()
    bar.setValue(3)  # somebody reads further up
    log.resize(500, 200)
    assert bar.value() == 3
    log.close()
    log.deleteLater()


def test_the_log_gives_a_line_to_each_arrival_of_epochs(qtbot: QtBot) -> None:
    log = Log()
    log.show_events([STARTED, epoch_ended(1, best=True)])
    log.show_events([epoch_ended(epoch) for epoch in range(2, 300)])
    lines = log.toPlainText().splitlines()
    assert len(lines) == 3
    assert "Epoch 1 (best): validation loss 0.5000, accuracy 87.5 %; training 0.5000, 87.5 %" in lines[1]
    assert "Epochs 2 to 299" in lines[2]
    log.deleteLater()


def test_the_log_does_not_grow_for_ever(qtbot: QtBot) -> None:
    log = Log()
    for number in range(2_100):
        log.write(str(number))
    assert log.blockCount() == 2_000
    log.deleteLater()


@pytest.mark.parametrize(
    ("status", "metrics", "expected"),
    [
        (FINISHED, {"test": {"loss": 0.1, "accuracy": 0.972}}, "test loss 0.1000, test accuracy 97.2 %"),
        (STOPPED, {}, "What was learned so far is kept"),
        (DIVERGED, {}, "Lower the learning rate"),
    ],
)
def test_the_result_tells_how_it_ended(status: str, metrics: dict[str, dict[str, float]], expected: str) -> None:
    text = result_text(Finished(status, "run", "/runs/1/best.pt", 10, 75.0, 3, metrics))
    assert expected in text
    assert "/runs/1/best.pt" in text
    assert "after 3 epochs and 1 min 15 s" in text


@pytest.mark.parametrize(
    ("metrics", "uses", "expected"),
    [
        ({"test": {"accuracy": 0.5}}, 1, "test accuracy 50.0 %. These test samples were used for the first time."),
        ({"test": {"accuracy": 0.5}}, 1234, "test accuracy 50.0 %. These test samples were used 1,234 times so far."),
        ({"validation": {"accuracy": 0.5}}, 0, "validation accuracy 50.0 %. The test samples stayed locked."),
    ],
)
def test_the_result_tells_how_often_the_test_samples_were_used(
    metrics: dict[str, dict[str, float]], uses: int, expected: str
) -> None:
    assert expected in result_text(Finished(FINISHED, "run", "best.pt", 10, 75.0, 3, metrics, test_uses=uses))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3725, "1 h 2 min"), (200_000, "2 d 7 h"), (-1, "0 s")],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_in_words() -> None:
    assert metric_value("accuracy", 0.12345) == "12.3 %"
    assert metric_value("mae", 44.123456) == "44.12"
    assert metric_value("mae", 40_612.7) == "40,613"
    assert metric_value("auroc", 1.0) == "1.000"
    assert (size(11_594_722), size(2_000), size(10)) == ("11.6 MB", "2 kB", "10 bytes")
    assert (rate(123_456), rate(0.0123)) == ("123,000", "0.0123")


def test_a_run_that_diverged_says_what_was_the_first() -> None:
    finished = Finished("diverged", "run", "best.pt", 10, 75.0, 3)
    assert "Lower the learning rate and train again." in result_text(finished)
    assert "the output of “dense_2”" in result_text(finished, "First, at step 7: the output of “dense_2”.")


def test_processes_have_a_row_each_as_long_as_a_run_has_several(place: TrainPlace) -> None:
    place.show_events([STARTED, progress(5)])
    assert place.ranks is None
    lost = RankState(1, "other", 8, "lost", 3, 0.0, 65.0)
    place.show_events([STARTED, Ranks((RankState(0, "here", 7, "training", 1234, 5678.9, 0.0), lost), 0)])
    table = place.ranks
    assert table is not None
    assert not table.isHidden()
    rows = [[table.item(row, column).text() for column in range(table.columnCount())] for row in range(2)]
    assert rows == [
        ["0", "here (7)", "Training", "1,234", "5,679", "now"],
        ["1", "other (8)", "Lost", "3", "0", "1 min 5 s ago"],
    ]
    assert table.item(1, 2).foreground().color() != table.item(0, 2).foreground().color()
    place.show_events([STARTED, progress(6)])  # told after what the processes showed while they began
    assert not table.isHidden()
    place.show_state(run_state.STARTING)
    place.show_events([STARTED])  # of one process
    assert table.isHidden()
