from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.data import MissingDataError
from studio.fields import replace
from studio.settings import TrainingSettings
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import FINISHED, STOPPED, Event, Finished, Progress, Started
from studio.ui.run_state import IDLE, PAUSED, STARTING, STOPPING, TRAINING
from studio.ui.session import Session

STARTED = Started("run", 10, 3, 5, {"train": 20}, "cpu", 1, "accuracy")


def finished(status: str = FINISHED) -> Finished:
    return Finished(status, "run", "run/checkpoints/best.pt", 10, 1.0, 3)


class Steps:
    """A run whose steps the test counts: it goes until it is stopped."""

    def __init__(self) -> None:
        self.count = 0
        self.thread: threading.Thread | None = None

    def __call__(self, job: Any, control: Control, on_event: Callable[[Event], None]) -> Finished:
        self.thread = threading.current_thread()
        on_event(STARTED)
        while not control.stopping:
            self.count += 1
            on_event(Progress(self.count, 1, 0.5, 0.5, 0.1, 100.0, 1.0))
            control.wait_while_paused()
            threading.Event().wait(0.001)  # the length of a step
        on_event(finished(STOPPED))
        return finished(STOPPED)


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def session(steps: Steps) -> Iterator[Session]:
    made = Session(run_job=steps)
    yield made
    made.close()
    made.deleteLater()


def failing(error: Exception) -> Session:
    def run(job: Any, control: Control, on_event: Callable[[Event], None]) -> Finished:
        raise error

    return Session(run_job=run)


def test_states_from_start_to_end(session: Session, qtbot: QtBot) -> None:
    states: list[str] = []
    session.state_changed.connect(states.append)
    session.start(object())
    qtbot.waitUntil(lambda: session.state == TRAINING)
    session.pause()
    session.resume()
    session.stop()
    qtbot.waitUntil(lambda: session.state == IDLE)
    assert states == [STARTING, TRAINING, PAUSED, TRAINING, STOPPING, IDLE]


def test_the_run_has_a_thread_of_its_own(session: Session, steps: Steps, qtbot: QtBot) -> None:
    session.start(object())
    qtbot.waitUntil(lambda: session.state == TRAINING)
    assert steps.thread is not threading.current_thread()


def test_events_arrive_in_order_and_none_is_lost(session: Session, steps: Steps, qtbot: QtBot) -> None:
    arrived: list[Event] = []
    batches: list[int] = []
    session.events_arrived.connect(lambda events: (arrived.extend(events), batches.append(len(events))))
    session.start(object())
    qtbot.waitUntil(lambda: steps.count >= 200)
    session.stop()
    qtbot.waitUntil(lambda: session.state == IDLE)
    assert arrived[0] == STARTED
    assert [e.step for e in arrived if isinstance(e, Progress)] == list(range(1, steps.count + 1))
    assert arrived[-1] == finished(STOPPED)
    assert 0 not in batches
    assert len(batches) < steps.count / 2  # in batches, not one signal per step


def test_nothing_moves_while_paused(session: Session, steps: Steps, qtbot: QtBot) -> None:
    session.start(object())
    qtbot.waitUntil(lambda: session.state == TRAINING)
    session.pause()
    ticks: list[int] = []
    session._timer.timeout.connect(lambda: ticks.append(steps.count))
    qtbot.waitUntil(lambda: len(ticks) > 5)
    assert len(set(ticks[1:])) == 1
    session.resume()
    qtbot.waitUntil(lambda: steps.count > ticks[-1])


def test_the_timer_only_runs_during_a_run(session: Session, qtbot: QtBot) -> None:
    assert not session._timer.isActive()
    session.start(object())
    assert session._timer.isActive()
    session.stop()
    qtbot.waitUntil(lambda: session.state == IDLE)
    assert not session._timer.isActive()


def test_only_one_run_at_a_time(session: Session, qtbot: QtBot) -> None:
    session.start(object())
    first = session._thread
    session.start(object())
    assert session._thread is first


def test_where_the_data_was_is_known_with_the_checkpoint(session: Session, qtbot: QtBot) -> None:
    assert session.data_folder is None
    for folder in (Path("mine"), None):
        session.start(SimpleNamespace(data_folder=folder))
        qtbot.waitUntil(lambda: session.state == TRAINING)
        session.stop()
        qtbot.waitUntil(lambda: session.state == IDLE)
        assert session.data_folder == folder


def test_the_checkpoint_is_known_after_a_stop(session: Session, qtbot: QtBot) -> None:
    assert session.checkpoint is None
    session.start(object())
    qtbot.waitUntil(lambda: session.state == TRAINING)
    session.stop()
    qtbot.waitUntil(lambda: session.state == IDLE)
    assert session.checkpoint == Path("run/checkpoints/best.pt")


def test_closing_waits_for_the_run(session: Session, steps: Steps, qtbot: QtBot) -> None:
    session.start(object())
    qtbot.waitUntil(lambda: session.state == TRAINING)
    session.pause()
    session.close()
    assert session.state == IDLE
    assert session.checkpoint is not None
    assert steps.thread is not None


def test_a_refused_run_gives_its_message(qtbot: QtBot) -> None:
    session = failing(TrainingError("The network has nothing to learn."))
    with qtbot.waitSignal(session.failed) as failure:
        session.start(object())
    assert failure.args == ["The network has nothing to learn."]
    assert session.state == IDLE


def test_an_unexpected_error_is_told_with_its_kind(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    session = failing(ZeroDivisionError("division by zero"))
    with qtbot.waitSignal(session.failed) as failure:
        session.start(object())
    assert failure.args is not None
    assert "ZeroDivisionError: division by zero" in failure.args[0]
    assert "Traceback" in caplog.text


def test_missing_data_is_a_case_of_its_own(qtbot: QtBot) -> None:
    session = failing(MissingDataError("MNIST was not found."))
    job = object()
    with qtbot.assertNotEmitted(session.failed), qtbot.waitSignal(session.data_missing) as missing:
        session.start(job)
    assert missing.args == [job, "MNIST was not found."]
    assert session.state == IDLE


def test_a_run_takes_changed_settings_as_far_as_they_can_reach_it(session: Session, qtbot: QtBot) -> None:
    first = TrainingSettings()
    wanted = replace(first, batch_size=7, optimizer=replace(first.optimizer, learning_rate=0.5))
    session.start(SimpleNamespace(project=SimpleNamespace(training=first)))
    assert session.settings is None, "not before the first step"
    session.change(wanted)
    qtbot.waitUntil(lambda: session.state == TRAINING)
    assert session.settings == first
    session.change(wanted)
    taken = replace(first, optimizer=wanted.optimizer)
    assert session.settings == taken
    assert session._thread is not None
    assert session._thread.control.take_change() == taken
    session.stop()
    assert session.settings is None
