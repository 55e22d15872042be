"""Events go through JSON and come back as they were."""

from __future__ import annotations

import json
import math

import pytest

from studio.storage import BadFileError, parse_json
from studio.training.event_json import event_from_json, event_to_json
from studio.training.events import (
    BlockHealth,
    Changed,
    Confusion,
    Diagnosis,
    EpochEnded,
    Event,
    Finding,
    Finished,
    Health,
    Invited,
    Joined,
    NotFinite,
    NotSaved,
    Plane,
    Points,
    Preparing,
    Progress,
    Ranks,
    RankState,
    RepeatEnded,
    RepeatStarted,
    Resumed,
    Started,
    Surface,
)

POINTS = Points((0.1, 0.2), (1e-9, -3.0), (0, 1), 500)
BLOCK = BlockHealth("n3/n1", "dense_1", "dense", "D", False, 10, 1.5, 1e-9, 1e-3, 0.0, 1.0, 0.25, 0.5, "gradient")
EVENTS = (
    Health(7, 2, 1.25, 1e-3, (BLOCK, BLOCK), 1e-4),
    Diagnosis(7, 2, (Finding("dead", "warning", "Dead", "99 %", "Wait.", "n3", "relu_1", ("Use Leaky ReLU",)),)),
    Preparing(3, 10),
    Started(
        "run",
        10,
        3,
        5,
        {"train": 20},
        "cpu",
        1,
        "accuracy",
        baseline={"loss": 1.0},
        speed="1 thread",
        measured=(("threads", "1", 0.5), ("compile", "off", 0.0)),
    ),
    Plane(("a", "b"), ("no", "yes"), (0.0, 1.0), (-1.0, 2.5), {"train": POINTS, "validation": POINTS}),
    Surface(3, True, 2, bytes([0, 1, 1, 0]), bytes([255, 128, 0, 7])),
    Progress(7, 2, 1 / 3, 0.5, 1e-3, 1e6, 12.0),
    Changed(7, 2, "optimizer.learning_rate", 0.1, 0.01),
    Changed(7, 2, "schedule", "none", "cosine"),
    Ranks((RankState(0, "here", 7, "lost", 3, 0.0, 8.0), RankState(1, "", 0, "starting", 0, 1e6, 0.0)), 1),
    Changed(7, 2, "optimizer.nesterov", False, True),
    EpochEnded(2, 10, {"loss": 0.1 + 0.2}, {"loss": 2.0}, 0.5, False),
    Confusion(3, True, (5, 0, 1, 4)),
    RepeatStarted(2, 5, "fold 2 of 5"),
    RepeatEnded(2, 5, "fold 2 of 5", "finished", 7, "run-2", {"test": {"f1": 0.5}}),
    Resumed(7, 2, ("The run goes on with 2 threads.",)),
    NotSaved("The disk is full."),
    Invited("studio join node1:29400 --hosts 2", "run/hosts"),
    Joined(("0: node1, process 7, cpu, 1 thread", "1: node2, process 9, cpu, 1 thread"), 2, True),
    NotFinite(7, 2, "output", "n3/n1", "The output of “dense_1” was no longer a number."),
    Finished("finished", "run", "best.pt", 10, 1.0, 3, {"test": {"loss": 1.0}}, {"test": {"loss": 2.0}}, 4),
)


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    text = json.dumps(event_to_json(event), allow_nan=False)
    assert event_from_json(parse_json(text.encode(), "test")) == event


def test_a_loss_that_is_no_number_stays_none() -> None:
    told = event_to_json(EpochEnded(1, 5, {"loss": math.inf}, {"loss": math.nan}, 0.5, False))
    assert told["train"] == {"loss": None}
    event = event_from_json(told)
    assert isinstance(event, EpochEnded)
    assert math.isnan(event.train["loss"])


@pytest.mark.parametrize(
    "change",
    [
        {"event": "exec"},
        {"event": None},
        {"epoch": "1"},
        {"epoch": True},
        {"best": 1},
        {"train": [1.0]},
        {"train": {"loss": "low"}},
        {"extra": 1},
    ],
)
def test_what_is_no_event_is_refused(change: dict[str, object]) -> None:
    good = event_to_json(next(event for event in EVENTS if isinstance(event, EpochEnded)))
    with pytest.raises(BadFileError):
        event_from_json({**good, **change})
    with pytest.raises(BadFileError):
        event_from_json({name: value for name, value in good.items() if name != "train"})


def test_values_of_wrong_length_are_refused() -> None:
    plane = event_to_json(EVENTS[2])
    with pytest.raises(BadFileError):
        event_from_json({**plane, "x_range": [0.0, 1.0, 2.0]})
    with pytest.raises(BadFileError):
        event_from_json({**event_to_json(EVENTS[3]), "shares": "no base64!"})
