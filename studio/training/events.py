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
class Invited(Event):
    """A run of several machines waits for the others; comes before Started.

    Args:
        command: what the person starts on each of them.
        folder: where it is written down, with a script for Slurm.
    """

    command: str
    folder: str

    def lines(self) -> list[str]:
        """What to do, in words."""
        return ["Start this on each of the other machines:", self.command, f"It is written down in {self.folder}."]


@dataclass(frozen=True)
class Joined(Event):
    """Several processes train together from now on.

    Args:
        members: what each is, in words: its number, machine, process, device and threads.
        restarts: how often the run was begun again from its checkpoint, because one of them was gone.
        apart: whether batch norms take the means of each process's own rows; so results differ from one process.
        parts: whether each keeps only a part of the network.
    """

    members: tuple[str, ...]
    restarts: int
    apart: bool
    parts: bool = False

    def lines(self) -> list[str]:
        """What happened, in words."""
        lines = [f"{len(self.members)} processes train together:", *(f"  {member}" for member in self.members)]
        if self.restarts:
            lines.insert(0, f"One of the processes was gone; all began again from the checkpoint ({self.restarts}).")
        if self.parts:
            lines.append("Each keeps only its part of the weights, gradients and the optimizer’s memory.")
        if self.apart:
            lines.append(
                "Batch norms take the means of each process’s own samples: results differ a little from one process."
            )
        return lines


@dataclass(frozen=True)
class RankState:
    """What one of several processes does.

    Args:
        rank: its number.
        host: name of its machine; empty as long as nothing was heard of it.
        pid: of the process.
        state: "starting", "training", "waiting" (for the one that leads), "lost" (nothing is heard of it), "starting
            again" (one of them was gone) or "ended".
        step: steps that it did since the start of the run.
        samples_per_second: of its own share.
        silent: seconds since anything was heard of one that is lost.
    """

    rank: int
    host: str
    pid: int
    state: str
    step: int
    samples_per_second: float
    silent: float


@dataclass(frozen=True)
class Ranks(Event):
    """About once a second: what each of several processes does.

    Args:
        restarts: how often all began again, because one of them was gone.
    """

    ranks: tuple[RankState, ...]
    restarts: int


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
class BlockHealth:
    """How one block fared in one step. A figure that there is none of is NaN.

    Args:
        node: path of the block in the graph; a repeated one has an entry for each time.
        name: of the block, with a number where it is repeated.
        kind: of the block, such as "dense".
        axes: letters of what it gives, without the batch: "D", "CHW".
        answers: whether what it gives is an answer of the network.
        parameters: numbers in it that learn.
        weight: norm of its weights before the step; of those with two axes or more, if it has such.
        gradient: norm of their gradient, as the optimizer got it.
        update: norm of what the step changed of them, as a share of `weight`.
        mean, std: of the numbers that it gives.
        dead: share of its units (features, or channels) that were zero in the whole batch, and were in every batch that
            was looked at lately; only for activations that are zero over a whole range, as ReLU is.
        saturated: share of its numbers that lie so near to the bounds of its activation that hardly any gradient
            passes.
        broken: what of it was infinite or no number: "output", "gradient" or "weights"; empty if nothing was.
    """

    node: str
    name: str
    kind: str
    axes: str
    answers: bool
    parameters: int
    weight: float
    gradient: float
    update: float
    mean: float
    std: float
    dead: float
    saturated: float
    broken: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others: blocks in different groups may have the same name."""
        return f"{self.node} {self.name}"


@dataclass(frozen=True)
class Health(Event):
    """One step, looked at closely: every so often, so that it costs less than about a hundredth of the time.

    Args:
        step: steps done, with this one.
        epoch: the epoch under way, from 1.
        loss: of this step's batch.
        learning_rate: of this step.
        blocks: those that learn or that can die or saturate, in the order in which data passes through them.
        seconds: what the look cost.
    """

    step: int
    epoch: int
    loss: float
    learning_rate: float
    blocks: tuple[BlockHealth, ...]
    seconds: float


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run, in plain words.

    Args:
        kind: one of those in `studio.training.doctor`, such as "vanishing".
        severity: "error", "warning" or "hint".
        title: what it is, in a few words.
        evidence: the figures that say so.
        advice: what can be done, where no click does it.
        node: path of the block it is about; empty for the whole run.
        name: of that block.
        others: paths of further blocks that it is about.
        remedies: what can be done with one click, in words, the best first.
    """

    kind: str
    severity: str
    title: str
    evidence: str
    advice: str = ""
    node: str = ""
    name: str = ""
    remedies: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis(Event):
    """All that is wrong with the run as it is now; comes when that changes.

    Args:
        findings: the worst first; empty if nothing is wrong any more.
    """

    step: int
    epoch: int
    findings: tuple[Finding, ...]


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
