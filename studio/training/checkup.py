"""Watches over a run: lets the watcher look at its steps, and the doctor at what was seen."""

from __future__ import annotations

from collections.abc import Iterator

from studio.compile.plan import Plan
from studio.graph.paths import flatten
from studio.project import Project
from studio.training.cures import remedies_in
from studio.training.doctor import Doctor
from studio.training.events import DIVERGED, Event
from studio.training.health_blocks import watched_blocks
from studio.training.loop import Trainer
from studio.training.post_mortem import look_for_break
from studio.training.watcher import Watcher


class Checkup:
    """What a run tells about its health, beside its figures.

    Args:
        project: what is trained.
        plan: of its network.
        trainer: gets a watcher.
    """

    def __init__(self, project: Project, plan: Plan, trainer: Trainer) -> None:
        self._project = project
        self._trainer = trainer
        self._blocks = watched_blocks(plan, trainer.model)
        self._doctor = Doctor(remedies_in(project))
        trainer.watcher = Watcher(self._blocks, waits=project.training.gradients.accumulate > 1)

    def follow(self, event: Event) -> Iterator[Event]:
        """Take in an event of the run; gives what is wrong, if that changed."""
        diagnosis = self._doctor.take(event)
        if diagnosis is not None:
            yield diagnosis

    def conclude(self) -> Iterator[Event]:
        """The run is over, its weights are as they were then: where it broke, if it did, and what is wrong."""
        trainer = self._trainer
        if trainer.status == DIVERGED:
            names = {node.id: node.name for node in flatten(self._project.graph, everything=True).nodes}
            inputs, _ = next(iter(trainer.batches["train"].epoch(None)))
            broken = look_for_break(trainer.model, self._blocks, inputs, trainer.step, trainer.epoch, names)
            yield broken
            self._doctor.take(broken)
        diagnosis = self._doctor.conclude(trainer.status)
        if diagnosis is not None:
            yield diagnosis
