"""Keeps the best and the last state of a run: at once in memory, soon on disk, written by a thread of its own."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from studio.project import Project
from studio.runs import RunFolder
from studio.settings import TrainingSettings
from studio.storage import StorageError
from studio.training.checkpoint import Checkpoint, write_checkpoint
from studio.training.state import State, copied

# At most so much training is lost when the power fails; less often where a write takes long.
SECONDS_BETWEEN_WRITES, LONGEST_BETWEEN_WRITES = 10.0, 45.0
SHARE_OF_TIME = 0.05  # that the writing thread may take of one processor

logger = logging.getLogger(__name__)


class Keeper:
    """Copies the state of a run in the thread that trains, and writes the copy in another one.

    Epochs of tiny networks take milliseconds, less than one flushed write: so the disk sees only some of them, and
    always the final ones. A write that fails does not end the run: it is told once, and tried again.
    """

    def __init__(self, folder: RunFolder, project: Project, preparation: dict[str, Any]) -> None:
        self.folder = folder
        self.project = project
        self.preparation = preparation
        self.about: dict[str, Any] = {}  # what a run that goes on compares: data, device, threads, versions
        self.best_epoch = self.best_step = 0
        self.best_metrics: dict[str, float] = {}
        self.best_weights: dict[str, Tensor] = {}
        self._best_is_written = True
        self._written_weights: dict[str, Tensor] | None = None  # those that the writer reads now
        self._snapshot: State = {}
        self._executor: ThreadPoolExecutor | None = None
        self._writing: Future[float] | None = None
        self._problem = ""
        self._is_told = False
        self._next_write = time.monotonic() + SECONDS_BETWEEN_WRITES

    @property
    def has_best(self) -> bool:
        """Whether an epoch was completed with a loss that is a number."""
        return bool(self.best_weights)

    def note(self, weights: dict[str, Tensor], epoch: int, step: int, metrics: dict[str, float]) -> None:
        """Take in the best weights so far, after an epoch.

        Args:
            weights: copied before this returns.
            metrics: the validation figures.
        """
        if not self._is_busy:
            self._collect()  # what was written are the weights before these
        self.best_epoch, self.best_step, self.best_metrics = epoch, step, dict(metrics)
        self._copy_best(weights)
        self._best_is_written = False

    def _copy_best(self, weights: dict[str, Tensor]) -> None:
        """Into the tensors of the last copy, unless there is none or the writer reads them."""
        if not self.best_weights or (self.best_weights is self._written_weights and self._is_busy):
            self.best_weights = {name: torch.empty_like(tensor) for name, tensor in weights.items()}
        with torch.no_grad():
            for name, tensor in weights.items():
                self.best_weights[name].copy_(tensor)

    def best_state(self) -> State:
        """The best so far, for `load_best`."""
        return {
            "epoch": self.best_epoch, "step": self.best_step, "metrics": self.best_metrics, "model": self.best_weights,
        }  # fmt: skip

    def load_best(self, state: State, device: torch.device) -> None:
        """Go on with what another keeper knew as the best."""
        self.best_epoch, self.best_step = state["epoch"], state["step"]
        self.best_metrics = dict(state["metrics"])
        self.best_weights = {name: tensor.to(device) for name, tensor in state["model"].items()}
        self._best_is_written = not self.best_weights

    @property
    def _is_busy(self) -> bool:
        return self._writing is not None and not self._writing.done()

    def is_due(self) -> bool:
        """Whether it is time for another checkpoint, and the last one is written."""
        return time.monotonic() >= self._next_write and not self._is_busy

    def take_problem(self) -> str:
        """Why the last checkpoint could not be written, in plain words; once, until one could be."""
        if not self._is_busy:
            self._collect()
        problem, self._problem = self._problem, ""
        return problem

    def save(self, state: State, *, wait: bool = False) -> None:
        """Copy a state, and write it as the last checkpoint in the other thread; the best one too, if it is new.

        Args:
            wait: for an earlier write that is under way; otherwise nothing is done then, and soon is soon enough.
        """
        if self._is_busy and not wait:
            return
        self._collect()
        content = self._copied(state)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._written_weights = self.best_weights
        self._writing = self._executor.submit(self._write, content, self._best_to_write())

    def _copied(self, state: State) -> State:
        # The best weights are not copied once more: `_copy_best` leaves alone what the writer reads.
        with torch.no_grad():
            self._snapshot = copied({name: value for name, value in state.items() if name != "best"}, self._snapshot)
        return {**self._snapshot, "best": dict(state["best"])}

    def _best_to_write(self) -> Checkpoint | None:
        if self._best_is_written:
            return None
        return Checkpoint(
            self.best_weights, {}, self.best_epoch, self.best_step, dict(self.best_metrics), self.project,
            self.preparation,
        )  # fmt: skip

    def _write(self, state: State, best: Checkpoint | None) -> float:
        """In the other thread. Returns how long it took. Raises StorageError."""
        started = time.perf_counter()
        if all(bool(tensor.isfinite().all()) for tensor in state["model"].values()):
            settings = TrainingSettings.from_json(state["settings"])
            project = replace(self.project, training=settings)
            rest = {name: value for name, value in state.items() if name not in ("model", "optimizer")}
            rest["best"] = {**state["best"], "model": _on_cpu(state["best"]["model"])}
            last = Checkpoint(
                state["model"], state["optimizer"], state["epoch"], state["step"], {}, project, self.preparation,
                {**rest, **self.about},
            )  # fmt: skip
            write_checkpoint(self.folder.last, last, self.folder.earlier)
            self.folder.write_position(_position(state))
        if best is not None:
            write_checkpoint(self.folder.best, best)
        return time.perf_counter() - started

    def _collect(self) -> None:
        """Wait for the write under way, and take in how it went."""
        if self._writing is None:
            return
        pause = SECONDS_BETWEEN_WRITES
        try:
            seconds = self._writing.result()
        except StorageError as error:
            if not self._is_told:
                self._problem, self._is_told = str(error), True
                logger.warning("a checkpoint was not written: %s", error)
        else:
            self._is_told = False
            self._best_is_written = self._best_is_written or self._written_weights is self.best_weights
            pause = min(LONGEST_BETWEEN_WRITES, max(pause, seconds / SHARE_OF_TIME))
        self._writing = self._written_weights = None
        self._next_write = time.monotonic() + pause

    def finish(self, state: State | None) -> None:
        """Write all that is not on disk yet.

        Args:
            state: the last one; None to keep the last checkpoint that there is, for this one is worth nothing.

        Raises:
            StorageError: if it cannot be written.
        """
        self._collect()
        if state is not None:
            self._write(self._copied(state), self._best_to_write())
        elif (best := self._best_to_write()) is not None:
            write_checkpoint(self.folder.best, best)
        self._best_is_written = True

    def close(self) -> None:
        """End the writing thread, after what it has begun."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None
        self._snapshot = {}


def _on_cpu(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in weights.items()}


def _position(state: State) -> dict[str, Any]:
    """Where a run is, for those who do not load torch."""
    return {
        "epoch": state["epoch"] + 1 if state["done"] else state["epoch"],
        "completed": state["epoch"],
        "step": state["step"],
        "steps": state["steps"],
        "settings": state["settings"],
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
