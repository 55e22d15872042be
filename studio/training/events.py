"""What a run tells while it goes: plain numbers and texts, no tensor, no module."""

from __future__ import annotations

from dataclasses import dataclass, field

Metrics = dict[str, float]  # such as {"loss": 0.1, "accuracy": 0.97}

FINISHED, STOPPED, DIVERGED = "finished", "stopped", "diverged"


@dataclass(frozen=True)
class Event:
    """Base of every event."""


@dataclass(frozen=True)
class Preparing(Event):
    """The data is made ready, such as pictures that are decoded for the first time; comes before Started, if at all.

    Args:
        done, total: samples.
    """

    done: int
    total: int


@dataclass(frozen=True)
class Started(Event):
    """The network and the data are ready; the first step comes next.

    Args:
        run: path of the run's folder.
        metric: name of the score beside the loss: "accuracy" or "mae".
        weights: where the first weights come from, in words; empty for fresh ones.
        baseline: figures on the validation split of the best answer that does not look at the input.
        speed: how steps are computed, in words, where that was measured and chosen; empty where it was set by hand.
        measured: what was tried for it: name, value and what became of it, milliseconds per step (0 for not measured).
        first_step: steps done before, in a run that goes on: the figures of its epochs follow, then Resumed.
        measures: names of the figures of an epoch beside the loss that can be told, the score first.
        classes: names of the classes whose confusion is told; none if it is not.
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
    baseline: Metrics = field(default_factory=dict)
    speed: str = ""
    measured: tuple[tuple[str, str, float], ...] = ()
    first_step: int = 0
    measures: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def measured_lines(self) -> list[str]:
        """What was tried and chosen, in words; nothing where nothing was."""
        if not self.measured:
            return []
        tried = (f"{name} {value}{f' ({ms:.3g} ms a step)' if ms else ''}" for name, value, ms in self.measured)
        return [f"Measured: {'; '.join(tried)}.", f"Chosen for speed: {self.speed}."]


@dataclass(frozen=True)
class Resumed(Event):
    """A run goes on from its last checkpoint; the next step comes next.

    Args:
        step: steps done before.
        epoch: the epoch under way, from 1.
        notes: what the person should know, in words, such as another version of torch, which may round in another way.
    """

    step: int
    epoch: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Points:
    """Some samples of a split that has two features.

    Args:
        x, y: their features, in the units of the data.
        classes: their numbers.
        total: how many samples the split has.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    classes: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class Plane(Event):
    """The data has two features: told right after Started, if surfaces were asked for.

    Args:
        features: names of the horizontal and the vertical one.
        classes: names of the classes, in order of their number.
        x_range, y_range: the part of the plane that surfaces cover, in the units of the data.
        points: split name -> some of its samples, for "train" and "validation".
    """

    features: tuple[str, ...]
    classes: tuple[str, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    points: dict[str, Points]


@dataclass(frozen=True)
class Surface(Event):
    """What the network answers all over the plane.

    Args:
        epoch: how many epochs it was trained for; 0 before the first.
        best: whether the weights are those of the best checkpoint.
        side: how many cells there are along each side.
        classes: number of the most probable class of each cell; row by row from the lowest y, each from the lowest x.
        shares: its probability in 255ths, in the same order.
    """

    epoch: int
    best: bool
    side: int
    classes: bytes
    shares: bytes


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
class Changed(Event):
    """The person changed a setting of the run under way; the next step has it.

    Args:
        step: steps done before.
        epoch: the epoch under way, from 1.
        name: of the setting, such as "optimizer.learning_rate".
        before, after: its values.
    """

    step: int
    epoch: int
    name: str
    before: float | str | bool
    after: float | str | bool


@dataclass(frozen=True)
class NotSaved(Event):
    """A checkpoint or the figures of an epoch could not be written. The run goes on and tries again.

    Args:
        reason: in words; told once, until something could be written again.
    """

    reason: str


@dataclass(frozen=True)
class NotFinite(Event):
    """Why a run diverged: what was no longer a number first. Comes before Finished.

    Args:
        step: number of the step in which it happened, from 1.
        epoch: of that step, from 1.
        kind: what it was: "input", "output", "loss", "gradient" or "weights".
        node: id of the block, with those of the groups that it is in before it, as "n3/n1"; empty for none.
        message: all of it in words.
    """

    step: int
    epoch: int
    kind: str
    node: str
    message: str


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch and its validation are done.

    Args:
        validation: beside loss and score all figures of `Started.measures` that are defined.
        best: whether the validation is the best so far; then the best checkpoint was written.
    """

    epoch: int
    step: int
    train: Metrics
    validation: Metrics
    seconds: float
    best: bool


@dataclass(frozen=True)
class Confusion(Event):
    """Which class was taken for which on the validation split: a few times a second at most, and after the last epoch.

    Args:
        epoch: after which it was counted.
        best: whether the weights are those of the best checkpoint.
        counts: of the samples or places of each class (row) how many were taken for each class (column), row by row.
    """

    epoch: int
    best: bool
    counts: tuple[int, ...]


@dataclass(frozen=True)
class RepeatStarted(Event):
    """One of several runs that are one job begins; what it tells follows, but for its Finished.

    Args:
        number: from 1.
        total: how many there will be.
        title: what is its own, such as "seed 3".
    """

    number: int
    total: int
    title: str


@dataclass(frozen=True)
class RepeatEnded(Event):
    """One of several runs that are one job is over: what its Finished would have said.

    Args:
        status, epochs, run, metrics: as in Finished.
    """

    number: int
    total: int
    title: str
    status: str
    epochs: int
    run: str
    metrics: dict[str, Metrics] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished(Event):
    """The run is over and everything is written.

    Args:
        status: FINISHED, STOPPED (by the person) or DIVERGED (the loss was no longer a number).
        metrics: split name -> figures of the best checkpoint.
        checkpoint: path of the best checkpoint; of the last one if no epoch was completed.
        baseline: for each of the splits in `metrics`, figures of the best answer that does not look at the input.
        test_uses: how often the test samples were looked at on this machine, with this run; 0 if they stayed locked.
        reason: why it ended before its last epoch although nobody stopped it, as a sentence; empty if it did not.
        runs: how many runs there were in one job; of several, the folder is that of all of them, the checkpoint that of
            the best one, and the metrics are means over those that came to their end.
        deviations: as `metrics`: the standard deviations between these runs.
    """

    status: str
    run: str
    checkpoint: str
    parameters: int
    seconds: float
    epochs: int
    metrics: dict[str, Metrics] = field(default_factory=dict)
    baseline: dict[str, Metrics] = field(default_factory=dict)
    test_uses: int = 0
    reason: str = ""
    runs: int = 1
    deviations: dict[str, Metrics] = field(default_factory=dict)
