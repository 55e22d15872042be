"""The process of a team that runs the loop and tells the others what to do with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from studio.project import Project, project_to_json
from studio.settings import TrainingSettings
from studio.training.errors import TrainingError
from studio.training.events import Joined
from studio.training.loop import Trainer
from studio.training.spread.member import Member, check, has_norms
from studio.training.spread.parting import are_wanted
from studio.training.spread.team import CHANGE, EPOCH, KEEP, OVER, REPORT, START, STEP, Team, about_me
from studio.training.state import gradients_of, parts_of_steps, random_state
from studio.training.tasks import Sums, Tally, Task

if TYPE_CHECKING:
    from studio.training.spread.shards import LeadingShards


class Leader:
    """Hangs on the trainer of the leading process; the loop tells it of epochs and asks it for sums."""

    def __init__(self, team: Team, restarts: int = 0) -> None:
        self._team, self._restarts = team, restarts
        self._member: _LeadingMember | None = None
        self._is_over = False
        self._random: dict[str, Any] = {}  # of the others, where a run goes on

    def keeps_parts(self, settings: TrainingSettings) -> bool:
        """Whether every process is to keep only a part of the network."""
        return are_wanted(settings, self._team)

    @property
    def is_needed(self) -> bool:
        """Whether the others must help when the network answers, though no step is done."""
        return self._shards is not None

    @property
    def _shards(self) -> LeadingShards | None:
        return None if self._member is None else self._member.shards

    def whole_gradients(self, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """Gradients of the weights that learn, whole."""
        return gradients if self._shards is None else self._shards.whole_gradients(gradients)

    def lead(self, trainer: Trainer, project: Project) -> Joined:
        """Let the others make ready what this trainer has, and begin; tells who they are.

        Raises:
            TrainingError: if it cannot be done together, or one of the others cannot; the message says why.
            TeamError: if one is gone.
        """
        check(trainer, self._team)
        stepper = trainer.stepper
        self._team.say(
            START,
            {
                "project": json.dumps(project_to_json(replace(project, training=stepper.settings))),
                "choices": json.dumps(stepper.choices.to_json()),
                "model": stepper.model.state_dict(),
                "optimizer": stepper.optimizer.state_dict(),
                "random": self._random,
                "gradients": gradients_of(trainer),
                "averager": None if trainer.averager is None else trainer.averager.state_dict(),
            },
        )
        mine = {
            **about_me(self._team, torch.device(stepper.device)),
            "problem": "",
            "data": trainer.keeper.about["data_fingerprint"],
        }
        members = self._team.collect(mine)
        problem = _problem(members, self._team.leader)
        self._team.say(OVER if problem else STEP)
        if problem:
            self._is_over = True
            raise TrainingError(problem)
        self._member = _LeadingMember(self._team, trainer)
        norms = stepper.device != "cuda" and has_norms(stepper.model)
        parts = self._shards is not None
        return Joined(tuple(map(_in_words, members)), self._restarts, apart=norms, parts=parts)

    def begin_epoch(self, trainer: Trainer, epoch: int) -> None:
        """Tell of an epoch, or of the rest of one; the loop does it before its first step."""
        if self._member is None:
            return
        self._member.done = trainer.done
        self._team.say(
            EPOCH,
            {
                "number": epoch,
                "done": trainer.done,
                "step": trainer.step,
                "order": trainer.shuffle.get_state(),
                "parts": {name: part.state_dict() for name, part in parts_of_steps(trainer)},
            },
        )

    def tally(self, task: Task) -> Tally:
        """What sums up the steps of all."""
        return _TeamTally(task, self)

    def sums_of_others(self) -> Sums:
        """What the others summed up in the epoch under way."""
        if self._member is None:
            return Sums()
        self._team.say(REPORT)
        found = Sums()
        for rank, numbers in enumerate(self._team.collect(None)):
            if rank != self._team.rank:
                found.add(Sums.of(numbers))
        return found

    def disband(self) -> None:
        """Send the others home, if that did not happen yet; the trainer is one of a single process then."""
        if self._member is not None:
            self._member.leave()
            self._member = None
        if not self._is_over:
            self._is_over = True
            self._team.say(OVER)

    def state_dict(self) -> dict[str, Any]:
        """What the others draw at random next."""
        if self._member is None:
            return {"random": self._random}
        self._team.say(KEEP)
        states = self._team.collect(random_state(self._member.trainer.stepper.device))
        return {"random": {str(rank): state for rank, state in enumerate(states)}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the others go on drawing where they were, if they are as many."""
        random = dict(state["random"])
        self._random = random if len(random) == self._team.size else {}


class _LeadingMember(Member):
    """Says a word before each step."""

    shards: LeadingShards | None

    def __init__(self, team: Team, trainer: Trainer) -> None:
        super().__init__(team, trainer)
        self._settings = trainer.stepper.settings

    def cut(self) -> LeadingShards:
        """Keep only a part of the network, and seem to have all of it."""
        from studio.training.spread.shards import LeadingShards

        return LeadingShards(self.team, self.trainer)

    def forward(self, *inputs: Tensor) -> Tensor:
        """As for every member."""
        settings = self.trainer.stepper.settings
        if settings is not self._settings:
            self._settings = settings
            self.team.say(CHANGE, json.dumps(settings.to_json()))
        self.team.say(STEP)
        if self.shards is not None:
            self.shards.in_step = True
        return super().forward(*inputs)


class _TeamTally(Tally):
    """Sums over the batches of all processes. Its own are summed up as always; the others are asked when it is read."""

    def __init__(self, task: Task, leader: Leader) -> None:
        super().__init__(task)
        self._leader = leader

    def sums(self) -> Sums:
        """The sums so far, of all."""
        sums = self.own_sums()
        sums.add(self._leader.sums_of_others())
        return sums

    def state_dict(self) -> dict[str, Any]:
        """As of one process, with what the others summed up."""
        return _with_others(super().state_dict(), self._leader.sums_of_others())


def _with_others(state: dict[str, Any], others: Sums) -> dict[str, Any]:
    """The state of a tally of one process, with what the others summed up; so, too, of each Output."""
    sums = Sums(*state["sums"])
    sums.add(replace(others, parts=()))
    parts = [_with_others(own, more) for own, more in zip(state.get("parts", []), others.parts, strict=False)]
    return {**state, "sums": sums.numbers, **({"parts": parts} if parts else {})}


def _problem(members: list[dict[str, Any]], leader: int) -> str:
    """Why these cannot train together, in words; empty if they can."""
    mine = members[leader]
    for member in members:
        where = f"Process {member['rank']} on {member['host']}"
        if member["problem"]:
            return f"{where} cannot begin: {member['problem']}"
        if member["data"] != mine["data"]:
            return f"{where} has other data than the first one. All need the same files."
        if member["device"] != mine["device"]:
            return f"{where} computes on {member['device']}, others on {mine['device']}. Choose one kind of device."
        if member["torch"] != mine["torch"]:
            return f"{where} has PyTorch {member['torch']}, others {mine['torch']}. Install the same everywhere."
    return ""


def _in_words(member: Mapping[str, Any]) -> str:
    threads = f"{member['threads']} thread{'s' if member['threads'] > 1 else ''}"
    return f"{member['rank']}: {member['host']}, process {member['pid']}, {member['device']}, {threads}"
