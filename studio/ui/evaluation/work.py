"""What is done in the worker thread: open a checkpoint, ask it, judge and compare. No widget is touched here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import trust
from studio.blocks.custom import CustomCode
from studio.data import Source
from studio.data.base import DataError, MissingDataError
from studio.evaluation.classes import Calibration, best_temperature, calibration
from studio.evaluation.compare_runs import check_comparable, compare
from studio.evaluation.explain.importance import (
    Dependence,
    Feature,
    Importances,
    partial_dependence,
    permutation_importance,
)
from studio.evaluation.inspection import Inspection
from studio.evaluation.predictions import Predictions, predict
from studio.evaluation.report import Report, report_on
from studio.evaluation.trained import Trained, find_checkpoint, made_ready
from studio.graph.groups import all_blocks
from studio.project import Project
from studio.runs import record_use
from studio.training.checkpoint import read_checkpoint
from studio.ui.gallery.opened import Opened, Opener

if TYPE_CHECKING:
    from studio.evaluation.comparison import Comparison

TEST = "test"

Progress = Callable[[int, int], None]
Say = Callable[[str], None]  # what is being done, in words
Work = Callable[[Say, Progress], object]


class UntrustedError(Exception):
    """Custom code would have to run that nobody has trusted yet.

    Args:
        codes: of the blocks that wait.
        source: the data, if its code waits.
    """

    def __init__(self, codes: tuple[str, ...], source: Source | None) -> None:
        super().__init__("It came with code of its own, which has not run here. Read the code, then say you trust it.")
        self.codes = codes
        self.source = source


class RunDataMissingError(Exception):
    """The files of the run's data are not there.

    Args:
        reason: in words.
        source: the data.
    """

    def __init__(self, reason: str, source: Source) -> None:
        super().__init__(reason)
        self.source = source


@dataclass(frozen=True)
class Wanted:
    """What is to be evaluated.

    Args:
        path: a checkpoint, or the folder of a run.
        split: one of "train", "validation" and "test".
        folders: where the person keeps the files of datasets, by their kinds.
    """

    path: Path
    split: str
    folders: Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class Evaluated:
    """All that is known of the answers to a split.

    Args:
        wanted: what was asked for.
        opened: the samples, as they are shown.
        test_uses: how often the test samples were looked at, this time included; 0 for other splits.
    """

    wanted: Wanted
    trained: Trained
    predictions: Predictions
    report: Report
    inspection: Inspection
    opened: Opened
    test_uses: int


@dataclass(frozen=True, eq=False)
class Compared:
    """A second network beside the first."""

    path: Path
    report: Report
    comparison: Comparison
    changed: bool
    test_uses: int


@dataclass(frozen=True)
class Tempered:
    """Calibration after the scores were divided by a temperature that was found on the validation split."""

    temperature: float
    after: Calibration


class Bench:
    """Keeps the network that was opened last. Used by one thread at a time.

    Whoever else asks the network, or puts hooks into it, holds `alone` as long as that takes.
    """

    def __init__(self) -> None:
        self.alone = threading.Lock()
        self._key: object = None
        self._trained: Trained | None = None
        self._opener = Opener()

    def alone_at(self, work: Work) -> Work:
        """Work that asks the network while nobody else does."""

        def waiting(say: Say, progress: Progress) -> object:
            with self.alone:
                return work(say, progress)

        return waiting

    def evaluate(self, wanted: Wanted, say: Say, progress: Progress) -> Evaluated:
        """Open, predict and judge.

        Raises:
            CheckpointError, RunFolderError, CompileError, DataError, TrainingError: as `open_trained`.
            RunDataMissingError: if the files of its data are not there.
            UntrustedError: if code has to be trusted first.
        """
        say("Opening the network and its data…")
        trained = self._open(wanted, progress)
        _check_split(trained, wanted.split)
        say("Answering…")
        with self.alone:
            predictions = predict(trained, wanted.split, progress)
        say("Judging the answers…")
        report = report_on(predictions)
        progress(len(predictions), len(predictions))  # the last moment to give up before the look is counted
        inspection = Inspection(predictions)
        folder = wanted.folders.get(trained.project.data.source.kind)
        opened = self._opener.open(trained.project.data, folder)
        count = _counted(trained, wanted)
        return Evaluated(wanted, trained, predictions, report, inspection, opened, count)

    def compare(self, first: Evaluated, path: Path, say: Say, progress: Progress) -> Compared:
        """Another network on the same split. Raises as `evaluate`, and TrainingError if they cannot be compared."""
        say("Opening the other network…")
        wanted = replace(first.wanted, path=path)
        other = _opened(wanted, progress)
        check_comparable((first.trained, other), wanted.split)
        say("Answering…")
        predictions = predict(other, wanted.split, progress)
        say("Comparing the answers…")
        report, comparison = report_on(predictions), compare(first.predictions, predictions)
        progress(len(predictions), len(predictions))
        return Compared(path, report, comparison, other.changed, _counted(other, wanted))

    def temper(self, first: Evaluated, say: Say, progress: Progress) -> Tempered:
        """Find the temperature on the validation split, and apply it to the answers to the split that is shown."""
        say("Answering the validation split…")
        known = first.predictions
        _check_split(first.trained, "validation")
        validation = known if known.split == "validation" else predict(first.trained, "validation", progress)
        assert validation.answers is not None
        assert validation.targets is not None
        assert known.answers is not None
        assert known.targets is not None
        temperature = best_temperature(validation.answers.numpy(), validation.targets.numpy())
        probabilities = (known.answers / temperature).softmax(1).numpy()
        return Tempered(temperature, calibration(probabilities, known.targets.numpy()))

    def measure(self, first: Evaluated, score: str, repeats: int, say: Say, progress: Progress) -> Importances:
        """What features are worth on the split. Raises TrainingError if there are none, or too many."""
        say("Shuffling features…")
        split = first.predictions.split
        return permutation_importance(first.trained, split, score, repeats, progress=progress)

    def follow(self, first: Evaluated, feature: Feature, say: Say, progress: Progress) -> Dependence:
        """How the answers depend on a feature. Raises TrainingError if there is no curve of it."""
        say("Asking for the curve…")
        return partial_dependence(first.trained, first.predictions.split, feature, progress=progress)

    def _open(self, wanted: Wanted, progress: Progress) -> Trained:
        file = find_checkpoint(wanted.path)
        key = (file, file.stat().st_mtime_ns if file.exists() else 0, tuple(wanted.folders.items()))
        if self._trained is None or key != self._key:
            self._trained = None  # so that two are never in memory
            self._trained = _opened(wanted, progress)
            self._key = key
        return self._trained


def _opened(wanted: Wanted, progress: Progress) -> Trained:
    file = find_checkpoint(wanted.path)
    checkpoint = read_checkpoint(file)
    _check_trust(checkpoint.project)
    source = checkpoint.project.data.source
    try:
        return made_ready(file, checkpoint, wanted.folders.get(source.kind), progress=progress)
    except MissingDataError as error:
        raise RunDataMissingError(str(error), source) from error


def _check_trust(project: Project) -> None:
    waiting = [
        block.code
        for block in all_blocks(project.graph)
        if isinstance(block, CustomCode) and not trust.is_trusted(block.code) and block.barrier
    ]
    source = project.data.source
    try:
        waits = source.code is not None
    except DataError:  # the file cannot be read, which whoever reads the data tells
        waits = False
    if waiting or waits:
        raise UntrustedError(tuple(dict.fromkeys(waiting)), source if waits else None)


def _check_split(trained: Trained, split: str) -> None:
    if not len(trained.dataset.splits[split]):
        raise DataError(f"There are no samples in the {split} split of this data. Choose another split.")


def _counted(trained: Trained, wanted: Wanted) -> int:
    """Write down a look at the test samples; returns how many there were, 0 for other splits."""
    if wanted.split != TEST:
        return 0
    return record_use(trained.dataset.test_fingerprint(), trained.path.absolute().parent.parent)
