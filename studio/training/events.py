"""What a run tells while it goes: plain numbers and texts, no tensor, no module."""

from __future__ import annotations

from dataclasses import dataclass, field

Metrics = dict[str, float]  # such as {"loss": 0.1, "accuracy": 0.97}

FINISHED, STOPPED, DIVERGED = "finished", "stopped", "diverged"


@dataclass(frozen=True)
class Event:
    """Base of every event."""


@dataclass(frozen=True)
class Started(Event):
    """The network and the data are ready; the first step comes next.

    Args:
        run: path of the run's folder.
        metric: name of the score beside the loss: "accuracy" or "mae".
        weights: where the first weights come from, in words; empty for fresh ones.
    """

    run: str
    parameters: int
    epochs: int
    steps_per_epoch: int
    samples: dict[str, int]  # split name -> how many
    device: str
    threads: int
    metric: str
    weights: str = ""


@dataclass(frozen=True)
class Progress(Event):
    """A few times a second: means over the steps since the last Progress.

    Args:
        step: steps done since the start of the run.
        epoch: the epoch under way, from 1.
        score: the metric that Started named.
    """

    step: int
    epoch: int
    loss: float
    score: float
    learning_rate: float
    samples_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch and its validation are done.

    Args:
        best: whether the validation loss is the lowest so far; then the best checkpoint was written.
    """

    epoch: int
    step: int
    train: Metrics
    validation: Metrics
    seconds: float
    best: bool


@dataclass(frozen=True)
class Finished(Event):
    """The run is over and everything is written.

    Args:
        status: FINISHED, STOPPED (by the person) or DIVERGED (the loss was no longer a number).
        metrics: split name -> figures of the best checkpoint.
        checkpoint: path of the best checkpoint; of the last one if no epoch was completed.
    """

    status: str
    run: str
    checkpoint: str
    parameters: int
    seconds: float
    epochs: int
    metrics: dict[str, Metrics] = field(default_factory=dict)
