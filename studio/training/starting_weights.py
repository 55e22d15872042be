"""The first weights of a run, from a checkpoint or from torchvision instead of the random generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from studio import storage
from studio.compile.layers import BackboneSpec
from studio.compile.network import build_network
from studio.compile.plan import Plan
from studio.project import Project, StartingWeights
from studio.training.checkpoint import read_checkpoint
from studio.training.errors import CheckpointError, TrainingError
from studio.training.pretrained import weights_file


@dataclass(frozen=True)
class FirstWeights:
    """Tensors to put into a network before its first step.

    Args:
        tensors: by their names in its state dict; what is not named stays fresh.
        origin: in words, what they are and where they come from.
    """

    tensors: dict[str, Tensor]
    origin: str


def read_first_weights(project: Project, plan: Plan) -> FirstWeights:
    """All that a network does not begin with by chance; what its checkpoint says goes before torchvision's weights.

    Raises:
        MissingWeightsError: if a file of torchvision is needed and not there, or not the original.
        TrainingError: if the checkpoint is missing, another than the one that was chosen, or nothing of it fits.
    """
    starting = read_starting_weights(project.weights, plan)
    tensors: dict[str, Tensor] = {}
    origins = []
    for path, layer in plan.named_layers():
        if isinstance(layer, BackboneSpec) and layer.weights:
            found = _learned(path, layer, starting.tensors)
            tensors |= found
            network = dict(layer.arguments)["network"]
            origins += [f"the ImageNet weights of {network}"] if found else []
    origins += [starting.origin] if starting.origin else []
    return FirstWeights({**tensors, **starting.tensors}, ", ".join(dict.fromkeys(origins)))


def _learned(path: str, layer: BackboneSpec, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What torchvision's file says of a backbone, by the names in the network; nothing if all of that is given."""
    with torch.device("meta"):  # names and sizes alone
        own = {f"{path}.{name}": (name, tensor.shape) for name, tensor in layer.build().state_dict().items()}
    if own.keys() <= given.keys():
        return {}
    file = weights_file(dict(layer.arguments)["network"])
    tensors = file.read()
    # The oldest files do not count the batches that a batch norm saw.
    wanted = {full: name for full, (name, _) in own.items() if name in tensors or "num_batches_tracked" not in name}
    misfits = [name for full, name in wanted.items() if name not in tensors or tensors[name].shape != own[full][1]]
    if misfits:
        raise TrainingError(f"{file.path} is not for this network: “{misfits[0]}” is missing or of another size.")
    return {full: tensors[name] for full, name in wanted.items()}


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
    except (OSError, storage.StorageError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise TrainingError(
            f"The starting weights {weights.path} cannot be read: {str(reason).rstrip('.')}. Put the file back, or "
            "choose fresh weights in the training settings."
        ) from error
    if digest != weights.sha256:
        raise TrainingError(
            f"The starting weights {weights.path} are not those that were chosen: the file was replaced. Choose it "
            "again in the training settings."
        )
