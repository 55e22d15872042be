"""A network that somebody tries: answers with the newest weights, of a run under way or of a file.

Of a run in this process a copy of its weights is asked for and answered with by a network of its own, on the CPU: the
run's own network, its generators and its threads are left alone, so its weights are the same to the last bit.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from studio.blocks.custom import CustomCode
from studio.compile.plan import make_plan
from studio.data.base import Progress
from studio.data.dataset import Dataset, prepare
from studio.data.forms import InputError, PictureForm, Raw, RawForm
from studio.evaluation.answering import Answer, Answerer, Reading
from studio.evaluation.explain.randomness import own_randomness
from studio.evaluation.taken import Taken, chosen_rows, take_samples
from studio.evaluation.trained import find_checkpoint, without_weights
from studio.graph.groups import all_blocks
from studio.project import Project
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.desk import Behind, Desk
from studio.training.errors import CheckpointError
from studio.training.setup import has_images

FIXED = 50  # samples whose answers are watched
MOST_TAKEN = 200  # samples to choose from at random
_BYTES_TAKEN = 16_000_000  # of them, about


@dataclass(frozen=True, eq=False)
class Ink:
    """Something drawn or written by hand, to be made to look like the pictures that the network learned from.

    Args:
        source: how strong the ink is (H, W) uint8, 0 for paper; or a photograph of it, a file or its bytes.
    """

    source: np.ndarray | Path | bytes


class Trial(ABC):
    """Answers to what somebody gives. Used by one thread.

    Args:
        project: whose network it is.
        answerer: with weights that nobody else changes.
    """

    def __init__(self, project: Project, answerer: Answerer) -> None:
        self.project = project
        self.answerer = answerer
        self._draws = any(isinstance(block, CustomCode) for block in all_blocks(project.graph))

    @property
    @abstractmethod
    def about(self) -> str:
        """Whose weights they are, in words; empty while there are none."""

    @abstractmethod
    def renew(self) -> bool:
        """Take newer weights if there are some; returns whether there were. Raises CheckpointError."""

    @abstractmethod
    def samples(self, folder: Path | None = None, progress: Progress | None = None) -> list[Taken]:
        """Samples of the validation split, always the same, the first `FIXED` to be watched.

        Args:
            folder: where the person keeps the files of the data.

        Raises:
            DataError: if the data is not there or broken.
        """

    def answer(self, reading: Reading) -> Answer:
        """The answer to one sample."""
        return self.answers([reading])[0]

    def answers(self, readings: Sequence[Reading]) -> list[Answer]:
        """The answers to several samples."""
        # Code of the person's own may draw numbers, and a run in another thread must not notice.
        with own_randomness(0) if self._draws else contextlib.nullcontext():
            return self.answerer.answer_all(readings)

    def read(self, given: Sequence[object]) -> tuple[list[Raw], Reading]:
        """What was given for each part, as numbers, and as the network takes it. Raises InputError."""
        raws = [_read(part.form, one) for part, one in zip(self.answerer.parts, given, strict=True)]
        return raws, self.answerer.prepared(raws)


def _read(form: RawForm, given: object) -> Raw:
    if not isinstance(given, Ink):
        return form.read(given)
    if not isinstance(form, PictureForm):
        raise InputError("The network takes no drawing.")
    source = given.source
    return form.drawn(source if isinstance(source, np.ndarray) else form.ink_of(source))


class RunTrial(Trial):
    """Tries a run under way in this process.

    Args:
        desk: of the run, at which `behind` is there.

    Raises:
        CheckpointError: if what is known of the data is not enough to answer new inputs.
    """

    def __init__(self, desk: Desk, behind: Behind) -> None:
        super().__init__(behind.project, _answerer_of(behind))
        self._desk = desk
        self._behind: Behind | None = behind
        self._taken: list[Taken] | None = None
        self._about = ""
        desk.ask()

    @property
    def about(self) -> str:
        """The step and the epoch."""
        return self._about

    def renew(self) -> bool:
        """Take the newest copy, and ask for a next one."""
        handed = self._desk.take()
        self._desk.ask()
        if handed is None:
            return False
        self.answerer.take(handed.weights)
        kind = ", averaged weights" if handed.averaged else ""
        self._about = f"Step {handed.step:,}, after {handed.epoch:,} epochs{kind}"
        return True

    def samples(self, folder: Path | None = None, progress: Progress | None = None) -> list[Taken]:
        """As in `Trial`; those of a run under way are in memory already."""
        if self._taken is None:
            assert self._behind is not None
            self._taken = _some(self._behind.dataset, self.answerer)
            self._behind = None  # the dataset need not live as long as what is tried
        return self._taken


class FileTrial(Trial):
    """Tries a checkpoint, or the newest one of a run that goes on elsewhere.

    Args:
        path: the file of a checkpoint, or the folder of a run.
        newest: whether the last weights are wanted, not the best, and newer ones when they are written.

    Raises:
        RunFolderError, CheckpointError, CompileError, TrainingError: as `Answerer.from_checkpoint`.
    """

    def __init__(self, path: Path, *, newest: bool = False) -> None:
        self._folder, self._newest = path, newest
        self._file = _newest_of(path) if newest else find_checkpoint(path)
        self._written = _when(self._file)
        checkpoint = read_checkpoint(self._file)
        super().__init__(checkpoint.project, Answerer.from_checkpoint(checkpoint, "cpu"))
        self._taken: list[Taken] | None = None
        self._about = _words(checkpoint, self._file, newest=newest)

    @property
    def about(self) -> str:
        """The step and the epoch."""
        return self._about

    def renew(self) -> bool:
        """Read a newer checkpoint of the run, if one is wanted."""
        if not self._newest:
            return False
        file = _newest_of(self._folder)
        if not (written := _when(file)) or (file, written) == (self._file, self._written):
            return False
        checkpoint = read_checkpoint(file)
        self.answerer.take(checkpoint.model)
        self._file, self._written = file, written
        self._about = _words(checkpoint, file, newest=True)
        return True

    def samples(self, folder: Path | None = None, progress: Progress | None = None) -> list[Taken]:
        """As in `Trial`; the first time the data is read."""
        if self._taken is None:
            self._taken = _some(prepare(self.project.data, folder, progress), self.answerer)
        return self._taken


def _answerer_of(behind: Behind) -> Answerer:
    plan = make_plan(behind.project.graph).main_only()
    model = without_weights(plan, behind.preparation)
    if has_images(plan):
        model = model.to(memory_format=torch.channels_last)
    return Answerer.of(plan, behind.project, behind.preparation, model, torch.device("cpu"))


def _some(dataset: Dataset, answerer: Answerer) -> list[Taken]:
    split = "validation" if len(dataset.splits["validation"]) else "train"
    size = 4 * sum(values[:1].numel() for values in dataset.inputs)
    count = max(FIXED, min(MOST_TAKEN, _BYTES_TAKEN // max(1, size)))
    return take_samples(dataset, answerer, chosen_rows(dataset, split, count))


def _newest_of(folder: Path) -> Path:
    """The last checkpoint of a run that may be writing one now. Raises CheckpointError."""
    run = RunFolder(folder)
    found = [path for path in (run.last, run.earlier, run.best) if path.is_file()]
    if not found:
        raise CheckpointError("The run has written no weights yet. They come a few seconds after its start.")
    return found[0]


def _when(file: Path) -> int:
    """When it was written, in nanoseconds; 0 if it is being replaced just now."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _words(checkpoint: Checkpoint, file: Path, *, newest: bool) -> str:
    kind = "Newest checkpoint" if newest else {"best.pt": "Best weights", "last.pt": "Last weights"}.get(file.name)
    return f"{kind or 'Weights'} of step {checkpoint.step:,}, after {checkpoint.epoch:,} epochs"
