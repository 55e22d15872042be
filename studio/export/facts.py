"""What is known of a run, for its report and for the card of a bundle. What is not known is missing, never made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from studio.data.base import DataError, Progress
from studio.evaluation import intervals
from studio.evaluation.intervals import Interval
from studio.evaluation.predictions import predict
from studio.evaluation.report import Report, report_on
from studio.evaluation.trained import Trained, made_ready
from studio.export.clean_process import Tick
from studio.project import Project
from studio.runs import GroupFolder, RunFolder
from studio.training.checkpoint import Checkpoint

SPLIT = "validation"  # what a report is made of: each look at the test samples would count

Figures = dict[str, dict[str, float]]  # by split and name


@dataclass(frozen=True)
class Epoch:
    """What was measured after an epoch; figures that are no number are missing."""

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float]
    seconds: float
    best: bool


@dataclass(frozen=True)
class OneRun:
    """A run by its folder.

    Args:
        title: what is its own among several, such as “seed 3”; empty for a single run.
        folder: its name.
        epochs: in order.
        record: what run.json says, of any type.
    """

    title: str
    folder: Path
    epochs: tuple[Epoch, ...]
    record: Mapping[str, Any]

    @property
    def result(self) -> Mapping[str, Any]:
        """How it ended; nothing if it did not."""
        return _mapping(self.record.get("result"))

    @property
    def metrics(self) -> Figures:
        """Of its best weights."""
        return _figures(self.result.get("metrics"))

    @property
    def baseline(self) -> Figures:
        """Of the best answer that does not look at the input."""
        return _figures(self.result.get("baseline"))

    @property
    def versions(self) -> dict[str, str]:
        """Of what it was made with."""
        return {str(name): str(value) for name, value in _mapping(self.record.get("versions")).items()}

    def entries(self, name: str) -> list[Mapping[str, Any]]:
        """A list of objects in the record, such as “changes” and “findings”."""
        found = self.record.get(name)
        return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


@dataclass(frozen=True)
class Facts:
    """All that is told of a run.

    Args:
        checkpoint: the weights that it is about.
        runs: one, or those of a group.
        of: which of the runs has these weights, from 0.
        samples: how many each split has; nothing where the data is not there.
        report: what the weights are worth on the validation split; None where the data is not there.
        no_data: why it is not there, in words.
        changed: whether the data is no longer that of the run.
        deviations: of the figures of a group.
    """

    checkpoint: Checkpoint
    runs: tuple[OneRun, ...]
    of: int = 0
    samples: dict[str, int] = field(default_factory=dict)
    report: Report | None = None
    no_data: str = ""
    changed: bool = False
    means: Figures = field(default_factory=dict)
    deviations: Figures = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """What was trained."""
        return self.checkpoint.project

    @property
    def run(self) -> OneRun:
        """The run of the weights."""
        return self.runs[self.of]

    @property
    def score(self) -> str:
        """The name of the figure beside the loss; empty if there is none."""
        names = self.run.metrics.get(SPLIT) or self.checkpoint.metrics
        return next((name for name in names if name != "loss"), "")

    def tested(self) -> dict[str, Interval]:
        """The figures on the test split as the run measured them, with an interval where it follows from them."""
        figures, count = self.run.metrics.get("test", {}), self.samples.get("test", 0)
        found = {name: Interval(value) for name, value in figures.items()}
        if count and "accuracy" in figures and self.report is not None and self.report.calibration is not None:
            right = round(figures["accuracy"] * count)
            found["accuracy"] = intervals.of_mean(np.repeat([1.0, 0.0], [right, count - right]))
        return found


@dataclass(frozen=True)
class Source:
    """What is to be exported.

    Args:
        path: of the run, the group of runs, or the checkpoint.
        checkpoint_file: of its weights.
        runs: as in Facts.
        of: as in Facts.
    """

    path: Path
    checkpoint_file: Path
    runs: tuple[OneRun, ...]
    of: int
    group: Mapping[str, Any]


def find(path: Path) -> Source:
    """The runs and the weights at a path; of a group those of the run with the lowest validation loss.

    Raises:
        RunFolderError: if there are none.
    """
    members = _members(path)
    if members:
        best = min(range(len(members)), key=lambda number: _loss(members[number]))
        file = RunFolder(members[best].folder).checkpoint()
        return Source(path, file, tuple(members), best, GroupFolder(path).read_record())
    file = RunFolder(path).checkpoint() if path.is_dir() else path
    return Source(path, file, (_run(file.absolute().parent.parent, ""),), 0, {})


def _members(path: Path) -> list[OneRun]:
    if not (path / "group.json").is_file():
        return []
    record = GroupFolder(path).read_record()
    listed = record.get("runs")
    found = []
    for number, entry in enumerate(listed if isinstance(listed, list) else [], 1):
        folder = GroupFolder(path).run(number)  # never a name that the file gives
        if isinstance(entry, Mapping) and folder.is_dir():
            found.append(_run(folder, str(entry.get("title", f"run {number}"))[:100]))
    return found


def _loss(run: OneRun) -> float:
    return run.metrics.get(SPLIT, {}).get("loss", float("inf"))


def _run(folder: Path, title: str) -> OneRun:
    reader = RunFolder(folder)
    epochs = tuple(epoch for row in reader.read_metrics() if (epoch := _epoch(row)) is not None)
    return OneRun(title, folder, epochs, reader.read_record())


def _epoch(row: Mapping[str, Any]) -> Epoch | None:
    """A line of metrics.jsonl; None if somebody changed it so that it is none."""
    step, seconds = row.get("step"), row.get("seconds")
    if type(step) is not int or not isinstance(seconds, int | float):
        return None
    train, validation = (_numbers(row.get(split)) for split in ("train", "validation"))
    return Epoch(row["epoch"], step, train, validation, float(seconds), row.get("best") is True)


def gather(
    source: Source, checkpoint: Checkpoint, data_folder: Path | None = None, tick: Tick | None = None
) -> tuple[Facts, Trained | None]:
    """What is known of a run, and its network with its data, where that is there.

    Args:
        source: where it is.
        checkpoint: what stands in its file.
        data_folder: where the dataset's files are; None for the studio's cache.
        tick: told what is being done; may raise to give up.

    Raises:
        CompileError, CheckpointError: if the network cannot be made.
    """
    facts = Facts(
        checkpoint, source.runs, source.of, means=_figures(source.group.get("mean")),
        deviations=_figures(source.group.get("deviation")),
    )  # fmt: skip
    try:
        trained = made_ready(
            source.checkpoint_file, checkpoint, data_folder, "auto", _progress(tick, "Reading the data")
        )
    except DataError as error:
        return replace(facts, no_data=str(error)), None
    samples = {split: len(rows) for split, rows in trained.dataset.splits.items()}
    judged = report_on(predict(trained, SPLIT, _progress(tick, "Measuring"))) if samples[SPLIT] else None
    return replace(facts, samples=samples, report=judged, changed=trained.changed), trained


def _progress(tick: Tick | None, words: str) -> Progress | None:
    if tick is None:
        return None
    tell: Callable[[str], None] = tick
    return lambda done, total: tell(f"{words}: {done:,} of {total:,}")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: object) -> dict[str, float]:
    """Figures by their names, those that are numbers."""
    pairs = _mapping(value).items()
    return {str(name): float(v) for name, v in pairs if isinstance(v, int | float) and not isinstance(v, bool)}


def _figures(value: object) -> Figures:
    return {str(split): _numbers(figures) for split, figures in _mapping(value).items()}
