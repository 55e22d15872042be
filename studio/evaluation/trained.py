"""A trained network with the data that it was trained on, ready to answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.compile.network import build_network
from studio.compile.plan import Plan, make_plan
from studio.data.base import Progress
from studio.data.dataset import Dataset, prepare
from studio.data.scaling import Scaling, scaled_answers
from studio.evaluation.explain.randomness import own_randomness
from studio.graph.groups import trust_code
from studio.project import Project
from studio.runs import RunFolder
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.devices import resolve_device
from studio.training.errors import CheckpointError
from studio.training.setup import has_images
from studio.training.tasks import Task, task_of


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with the weights of a checkpoint.

    Args:
        path: of the checkpoint's file.
        checkpoint: what stands in it.
        plan: of the network, with its main answer alone.
        model: in the state for answering, on `device`.
        dataset: the data of its project, scaled as in the run.
        device: where it answers.
        changed: whether the data is no longer that of the run; then no figure tells what the run's own told.
    """

    path: Path
    checkpoint: Checkpoint
    plan: Plan
    model: nn.Module
    dataset: Dataset
    device: torch.device
    changed: bool

    @property
    def project(self) -> Project:
        """That of the run."""
        return self.checkpoint.project

    @property
    def task(self) -> Task:
        """How answers are compared with the targets."""
        return task_of(self.dataset.spec.target, self.dataset.answers)

    @property
    def channels_last(self) -> bool:
        """Whether pictures are laid out for convolutions."""
        return has_images(self.plan)


def find_checkpoint(path: Path) -> Path:
    """The file of a checkpoint, which may be given by the folder of its run: then the best one.

    Raises:
        RunFolderError: if the folder holds none.
    """
    return RunFolder(path).checkpoint() if path.is_dir() else path


def open_trained(
    path: Path, data_folder: Path | None = None, device: str = "auto", progress: Progress | None = None,
    *, trusted: bool = False,
) -> Trained:  # fmt: skip
    """Read a checkpoint, build its network, and load its data.

    Args:
        path: of the checkpoint, or of the folder of its run.
        data_folder: where the files of a known dataset are; None for the studio's cache.
        device: one of "auto", "cpu", "cuda" and "mps".
        progress: told how far the data is decoded, where that has to be done first; may raise to cancel.
        trusted: whether custom code in the network may run.

    Raises:
        RunFolderError, CheckpointError: if there is no such checkpoint, or it is damaged.
        CompileError: if its graph cannot become a network, as one with custom code that nobody trusts.
        DataError: if its data is not there or broken.
        TrainingError: if this machine has no such device.
    """
    file = find_checkpoint(path)
    checkpoint = read_checkpoint(file)
    if trusted:
        trust_code(checkpoint.project.graph)
    return made_ready(file, checkpoint, data_folder, device, progress)


def made_ready(
    file: Path, checkpoint: Checkpoint, data_folder: Path | None = None, device: str = "auto",
    progress: Progress | None = None,
) -> Trained:  # fmt: skip
    """The network and the data of a checkpoint that was read already; see `open_trained`.

    Args:
        file: where it was read from.
    """
    where = resolve_device(device)
    plan = make_plan(checkpoint.project.graph).main_only()
    model = network_of(checkpoint, plan).to(where)
    dataset = prepare(checkpoint.project.data, data_folder, progress)
    fingerprint = RunFolder(file.absolute().parent.parent).read_record().get("data_fingerprint")
    changed = isinstance(fingerprint, str) and fingerprint != dataset.fingerprint
    if has_images(plan):
        model = model.to(memory_format=torch.channels_last)
    return Trained(file, checkpoint, plan, model, _scaled(dataset, checkpoint), where, changed)


def network_of(checkpoint: Checkpoint, plan: Plan) -> nn.Module:
    """The network with its weights, in the state for answering; where it was taught shares, it answers with them.

    Raises:
        CompileError: if the graph cannot become a network.
        CheckpointError: if the weights are not those of this network.
    """
    with torch.device("meta"):  # names and sizes alone: a damaged graph must not ask for memory that the file has not
        own = build_network(plan).state_dict()
    given = checkpoint.model
    if own.keys() != given.keys() or any(tensor.shape != given[name].shape for name, tensor in own.items()):
        raise CheckpointError("The weights do not fit the network that they are said to be of.")
    model = without_weights(plan, checkpoint.preparation)
    try:
        model.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        raise CheckpointError("The weights do not fit the network that they are said to be of.") from error
    return model


def without_weights(plan: Plan, preparation: Mapping[str, Any]) -> nn.Module:
    """A network in the state for answering, whose weights are still to be given to it.

    Args:
        preparation: what its checkpoint says of the data; where that is shares, it answers with them.

    Raises:
        CompileError: if the graph cannot become a network.
    """
    # The fresh weights are drawn only to be replaced. Torch's own generator is left alone, not put back afterwards: a
    # run in another thread may draw from it meanwhile.
    with own_randomness(0):
        model = build_network(plan)
    if len(plan.outputs) == 1 and preparation.get("shares") is True:
        (end,) = (node for node in model.graph.nodes if node.op == "output")
        with model.graph.inserting_before(end):
            end.args = (model.graph.call_function(torch.softmax, (end.args[0], 1)),)
        model.recompile()
    return model.eval()


def _scaled(dataset: Dataset, checkpoint: Checkpoint) -> Dataset:
    """With the scalings of the run: their last digits differ between machines."""
    scalings = tuple(Scaling.from_json(given["scaling"]) for given in checkpoint.preparation["inputs"])
    return dataclasses.replace(dataset, scalings=scalings, answers=scaled_answers(checkpoint.preparation))
