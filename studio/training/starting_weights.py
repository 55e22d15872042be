"""The first weights of a run, from a checkpoint instead of the random generator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from studio import storage
from studio.compile.network import build_network
from studio.compile.plan import Plan
from studio.project import StartingWeights
from studio.training.checkpoint import read_checkpoint
from studio.training.errors import CheckpointError, TrainingError


@dataclass(frozen=True)
class FirstWeights:
    """Tensors to put into a network before its first step.

    Args:
        tensors: by their names in its state dict; what is not named stays fresh.
        origin: in words, what they are and where they come from.
    """

    tensors: dict[str, Tensor]
    origin: str


def read_starting_weights(weights: StartingWeights | None, plan: Plan) -> FirstWeights:
    """The tensors of a checkpoint that a network has too, with the same name and size; nothing for fresh weights.

    Raises:
        TrainingError: if the file is missing, another than the one that was chosen, or nothing of it fits.
    """
    if weights is None:
        return FirstWeights({}, "")
    _check(weights)
    try:
        given = read_checkpoint(weights.path).model
    except CheckpointError as error:
        raise TrainingError(str(error)) from error
    with torch.device("meta"):  # names and sizes alone
        own = build_network(plan).state_dict()
    fitting = {name: tensor for name, tensor in given.items() if name in own and own[name].shape == tensor.shape}
    if not fitting:
        raise TrainingError(
            f"Nothing in {weights.path} fits this network: no tensor has the same name and size. Choose fresh weights "
            "in the training settings."
        )
    return FirstWeights(fitting, f"{len(fitting):,} of {len(own):,} tensors from {weights.path.name}")


def _check(weights: StartingWeights) -> None:
    try:
        digest = storage.sha256(weights.path)
    except OSError as error:
        raise TrainingError(
            f"The starting weights {weights.path} cannot be read: {error.strerror or error}. Put the file back, or "
            "choose fresh weights in the training settings."
        ) from error
    if digest != weights.sha256:
        raise TrainingError(
            f"The starting weights {weights.path} are not those that were chosen: the file was replaced. Choose it "
            "again in the training settings."
        )
