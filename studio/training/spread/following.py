"""A process of a team that does the steps that the leader tells it to do. It writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio.project import Project, project_from_json
from studio.runs import RunFolder, runs_folder
from studio.settings import TrainingSettings
from studio.storage import parse_json
from studio.training.control import Control
from studio.training.devices import thread_count
from studio.training.loading import load
from studio.training.loop import Trainer
from studio.training.runner import checked_plan
from studio.training.setup import make_trainer
from studio.training.speed import Choices, computing
from studio.training.spread.errors import TeamError
from studio.training.spread.member import Member
from studio.training.spread.parting import are_wanted
from studio.training.spread.team import CHANGE, EPOCH, KEEP, OF_PARTS, OVER, REPORT, START, STEP, Team, about_me
from studio.training.starting_weights import FirstWeights
from studio.training.state import parts_of_steps, put_gradients, random_state, set_random_state
from studio.training.tasks import Tally

Batch = tuple[tuple[Tensor, ...], Tensor]
Content = dict[str, Any]
logger = logging.getLogger(__name__)


def follow(team: Team, data_folder: Path | None, device: torch.device) -> None:
    """Do as the leader says until the run is over.

    Args:
        data_folder: where the person keeps the dataset's files; None for the studio's cache.

    Raises:
        TeamError: if another process is gone.
    """
    word, content = team.hear()
    if word != START:
        return
    project = project_from_json(parse_json(content["project"].encode(), "the leader"), "the leader")
    choices = Choices.from_json(parse_json(content["choices"].encode(), "the leader"))
    choices = replace(choices, threads=thread_count(project.training.threads))
    with computing(choices):
        trainer = _joined(team, data_folder, project, device, content, choices)
        content.clear()  # the network would be in memory twice
        if trainer is not None:
            _Follower(team, trainer).obey()


def _joined(
    team: Team, data_folder: Path | None, project: Project, device: torch.device, content: Content, choices: Choices
) -> Trainer | None:
    """A trainer like the leader's, as far as steps go; None if the run does not begin, and the leader knows why."""
    about = {**about_me(team, device), "problem": "", "data": ""}
    try:
        dataset = load(project, data_folder)
        checked_plan(project, dataset)
        # Weights come from the leader: those of a file need not be here.
        trainer = make_trainer(
            project, dataset, RunFolder(runs_folder()), device, Control(), FirstWeights(content["model"], ""), choices,
            stays=are_wanted(project.training, team),
        )  # fmt: skip
        trainer.stepper.optimizer.load_state_dict(content["optimizer"])
        put_gradients(trainer, content["gradients"])
        if trainer.averager is not None:
            trainer.averager.load_state_dict(content["averager"])
        about["data"] = dataset.fingerprint
    except Exception as error:  # the leader tells the person
        team.collect({**about, "problem": str(error) or type(error).__name__})
        team.hear()
        logger.exception("This process cannot begin")
        return None
    _scatter_chance(team, project, content)
    team.collect(about)
    word, _ = team.hear()
    return trainer if word == STEP else None


def _scatter_chance(team: Team, project: Project, content: Content) -> None:
    """Draw other numbers than the others, or go on where it was."""
    torch.manual_seed(project.training.seed + team.place)
    if (state := content["random"].get(str(team.rank))) is not None:
        set_random_state(state)


class _Follower:
    """Its trainer, and where it stands."""

    def __init__(self, team: Team, trainer: Trainer) -> None:
        self._team, self._trainer = team, trainer
        self._member = Member(team, trainer)
        self._batches: Iterator[Batch] = iter(())
        self._epoch = 0
        self._tally = Tally(trainer.task)
        if self._member.shards is None:
            trainer.stepper.moved = None  # the leader averages weights, and only it

    def obey(self) -> None:
        """Until the leader says that it is over. Raises TeamError."""
        while True:
            word, content = self._team.hear()
            if word == STEP:
                self._step()
            elif word == EPOCH:
                self._begin_epoch(content)
            elif word == CHANGE:
                self._trainer.stepper.change(TrainingSettings.from_json(parse_json(content.encode(), "the leader")))
            elif word == REPORT:
                self._team.collect(self._tally.sums().numbers)
            elif word == KEEP:
                self._team.collect(random_state(self._trainer.stepper.device))
            elif word in OF_PARTS and self._member.shards is not None:
                self._member.shards.obey(word, content)
            elif word == OVER:
                return
            else:
                raise TeamError(f"The leader said what makes no sense: {word}.")

    def _begin_epoch(self, content: Content) -> None:
        trainer = self._trainer
        for name, part in parts_of_steps(trainer):
            part.load_state_dict(content["parts"][name])
        self._epoch = content["number"]
        trainer.shuffle.set_state(content["order"])
        trainer.step, self._member.done = content["step"], content["done"]
        trainer.model.train()
        for part in trainer.frozen:
            part.eval()
        self._tally = Tally(trainer.task)
        self._batches = trainer.batches["train"].epoch(trainer.shuffle, self._epoch, content["done"])

    def _step(self) -> None:
        trainer = self._trainer
        inputs, targets = next(self._batches)
        if trainer.mixer is not None:
            inputs = trainer.mixer.mix(inputs, self._epoch, trainer.step)
        loss, answers = trainer.stepper(inputs, targets, trainer.step)
        trainer.step += 1
        if self._member.rows()[0]:  # otherwise they are rows that do not count
            self._tally.add(loss, answers, targets)
