"""Networks with random weights for any data, as checkpoints: answers need no training to be compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.base import Source
from studio.data.dataset import Dataset, prepare
from studio.evaluation.trained import Trained
from studio.project import Project
from studio.project.propose import propose_project
from studio.training.checkpoint import Checkpoint
from studio.training.preparation import describe_preparation
from studio.training.setup import has_images


def untrained(given: Source | Project, target: str = "") -> Trained:
    """A network as it is proposed for a source, or that of a project."""
    project = given if isinstance(given, Project) else propose_project(given, given.look())
    if target:
        project = replace(project, data=replace(project.data, target=target))
    dataset = prepare(project.data)
    plan = make_plan(project.graph)
    torch.manual_seed(0)
    model = build_network(plan).eval()
    if has_images(plan):
        model = model.to(memory_format=torch.channels_last)
    checkpoint = Checkpoint(model.state_dict(), {}, 1, 1, {}, project, describe_preparation(dataset, plan))
    return Trained(Path("none.pt"), checkpoint, plan, model, dataset, torch.device("cpu"), changed=False)


def prepared(dataset: Dataset, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What a network is given of some samples."""
    pairs = zip(dataset.inputs, dataset.scalings, strict=True)
    return tuple(scaling.apply(values[rows]) for values, scaling in pairs)
