"""Keeps the best and the last weights of a run: at once in memory, soon on disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from studio.project import Project
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, write_checkpoint

SECONDS_BETWEEN_WRITES = 10.0  # at most this much training is lost when the power fails


class Keeper:
    """Takes a snapshot after each epoch and writes it when enough time has passed.

    Epochs of tiny networks take milliseconds, less than one flushed write: so the disk sees only some of them, and
    always the final ones.
    """

    def __init__(self, folder: RunFolder, project: Project, preparation: dict[str, Any]) -> None:
        self.folder = folder
        self.project = project
        self.preparation = preparation
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self._best: Callable[[], Checkpoint] | None = None  # not yet on disk
        self._last: Callable[[], Checkpoint] | None = None
        self._next_write = time.monotonic() + SECONDS_BETWEEN_WRITES

    @property
    def has_best(self) -> bool:
        """Whether an epoch was completed with a loss that is a number."""
        return bool(self.best_weights)

    def keep(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, step: int, metrics: dict[str, float],
        *, best: bool, averaged: dict[str, Tensor] | None = None,
    ) -> None:  # fmt: skip
        """Take in the state after an epoch.

        Args:
            metrics: the validation figures.
            best: whether they are the best so far.
            averaged: the weights that were validated, where these are not the network's own.
        """
        self._last = self._checkpoint_of(model.state_dict(), optimizer, epoch, step, metrics)
        if best:
            self.best_epoch = epoch
            self._snapshot(averaged or model.state_dict())
            self._best = self._checkpoint_of(self.best_weights, optimizer, epoch, step, metrics)
        if time.monotonic() >= self._next_write:
            self.write()

    def _snapshot(self, state: dict[str, Tensor]) -> None:
        """Copy the weights, into the tensors of the last copy if there is one."""
        if not self.best_weights:
            self.best_weights = {name: torch.empty_like(tensor) for name, tensor in state.items()}
        with torch.no_grad():
            for name, tensor in state.items():
                self.best_weights[name].copy_(tensor)

    def _checkpoint_of(
        self, weights: dict[str, Tensor], optimizer: torch.optim.Optimizer, epoch: int, step: int,
        metrics: dict[str, float],
    ) -> Callable[[], Checkpoint]:  # fmt: skip
        def make() -> Checkpoint:
            state = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
            return Checkpoint(state, optimizer.state_dict(), epoch, step, dict(metrics), self.project, self.preparation)

        return make

    def write(self) -> None:
        """Write what is not on disk yet. Raises StorageError."""
        if self._last is not None:
            write_checkpoint(self.folder.last, self._last())
        if self._best is not None:
            write_checkpoint(self.folder.best, self._best())
        self._best = self._last = None
        self._next_write = time.monotonic() + SECONDS_BETWEEN_WRITES

    def write_last(self, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, step: int) -> None:
        """Write the state as it is now as the last checkpoint, and what else is pending. Raises StorageError."""
        self._last = self._checkpoint_of(model.state_dict(), optimizer, epoch, step, {})
        self.write()
