"""Watches over a run: lets the watcher look at its steps, and the doctor at what was seen."""

from __future__ import annotations

from studio.compile.plan import Plan
from studio.project import Project
from studio.training.cures import remedies_in
from studio.training.doctor import Doctor
from studio.training.events import Diagnosis, Event
from studio.training.health_blocks import watched_blocks
from studio.training.loop import Trainer
from studio.training.speed import WHOLE_STEP_LATER
from studio.training.watcher import Watcher


class Checkup:
    """What a run tells about its health, beside its figures.

    Args:
        project: what is trained.
        plan: of its network.
        trainer: gets a watcher.
    """

    def __init__(self, project: Project, plan: Plan, trainer: Trainer) -> None:
        self._trainer = trainer
        self._doctor = Doctor(remedies_in(project))
        # What is compiled in the background gives other bits from some step on in any case.
        plainly = trainer.stepper.choices.compile in ("off", WHOLE_STEP_LATER)
        waits = project.training.gradients.accumulate > 1
        trainer.watcher = Watcher(watched_blocks(plan, trainer.model), waits, plainly)

    def follow(self, event: Event) -> Diagnosis | None:
        """Take in an event of the run; gives what is wrong, if that changed."""
        return self._doctor.take(event)

    def conclude(self) -> Diagnosis | None:
        """What is wrong at the end, if that changed."""
        return self._doctor.conclude(self._trainer.status)
