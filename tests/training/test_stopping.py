"""Which epoch is kept, and when a run ends before its last one."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.settings.measures import MEASURES
from studio.settings.parts import FIGURES, Stopping
from studio.training.checkpoint import read_checkpoint
from studio.training.errors import TrainingError
from studio.training.events import EpochEnded
from studio.training.stopping import Watch
from tests.training.conftest import with_settings


def story(settings: Stopping, values: list[float], metric: str = "loss") -> tuple[list[int], int]:
    """Which epochs were the best so far, and after which the patience was at its end (0: never)."""
    watch, best = Watch(settings), []
    for epoch, value in enumerate(values, 1):
        if watch.is_better({metric: value}):
            best.append(epoch)
        if watch.exhausted:
            return best, epoch
    return best, 0


@pytest.mark.parametrize(
    ("settings", "values", "expected"),
    [
        (Stopping(), [3.0, 2.0, 2.5, 2.5, 2.5], ([1, 2], 0)),
        (Stopping(patience=2), [3.0, 2.0, 2.5, 1.9, 2.0, 2.0], ([1, 2, 4], 6)),
        (Stopping(patience=2, min_delta=0.5), [3.0, 2.9, 2.8, 2.0], ([1, 2, 3], 3)),
        (Stopping(patience=2, min_delta=0.5), [3.0, 2.8, 2.4, 2.3, 2.2], ([1, 2, 3, 4, 5], 5)),
        (Stopping(patience=1), [2.0, float("nan")], ([1], 2)),
    ],
)
def test_patience_waits_for_a_better_loss(
    settings: Stopping, values: list[float], expected: tuple[list[int], int]
) -> None:
    assert story(settings, values) == expected


def test_of_a_score_more_is_better() -> None:
    settings = Stopping(metric="f1", patience=2)
    assert story(settings, [0.5, 0.4, 0.6, 0.6, 0.6], "f1") == ([1, 3], 5)


def test_a_watch_goes_on_where_it_was() -> None:
    settings = Stopping(patience=2)
    first, second = Watch(settings), Watch(settings)
    for value in (1.0, 2.0):
        first.is_better({"loss": value})
    second.load_state_dict(first.state_dict())
    assert not second.is_better({"loss": 1.5})
    assert second.exhausted


def test_a_run_stops_early_and_says_so(train) -> None:
    project = with_settings("iris-mlp", epochs=50, stopping=Stopping(patience=3, min_delta=10.0))
    finished, events = train(project)
    assert (finished.status, finished.epochs) == ("finished", 4)
    assert (
        finished.reason == "Stopped early at epoch 4: the validation loss did not improve by more than 10 for 3 epochs."
    )
    assert set(finished.metrics) == {"validation", "test"}
    assert sum(isinstance(event, EpochEnded) for event in events) == 4


def test_the_best_epoch_is_that_of_the_chosen_figure(train) -> None:
    project = with_settings("iris-mlp", epochs=12, stopping=Stopping(metric="accuracy"))
    finished, events = train(project)
    told = {event.epoch: event.validation["accuracy"] for event in events if isinstance(event, EpochEnded)}
    best = read_checkpoint(Path(finished.checkpoint))
    assert best.epoch == max(told, key=lambda epoch: told[epoch])  # the first of equals
    assert best.metrics["accuracy"] == max(told.values())
    lowest = min((event.validation["loss"], event.epoch) for event in events if isinstance(event, EpochEnded))
    assert best.epoch != lowest[1], "a run in which both figures choose the same epoch shows nothing"


def test_a_figure_that_is_not_measured_is_refused(train, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"root mean squared error: it is not measured.*macro F1, AUROC\."):
        train(with_settings("iris-mlp", stopping=Stopping(metric="rmse")))
    assert not list(tmp_path.glob("run*"))


def test_every_figure_that_can_be_chosen_is_known() -> None:
    assert tuple(MEASURES) == FIGURES


def test_the_reason_names_the_figure() -> None:
    watch = Watch(Stopping(metric="auroc", patience=1))
    for value in (0.9, 0.8):
        watch.is_better({"auroc": value})
    assert watch.reason(2) == "Stopped early at epoch 2: the validation AUROC did not improve for 1 epoch."
