"""Checkpoints: tensors and plain values in a `.pt` file that never runs code when it is opened."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import __version__, storage
from studio.project import Project, project_from_json, project_to_json
from studio.training.errors import CheckpointError
from studio.training.torch_files import CodeInFileError, TorchFileError, load_torch_file

FORMAT = "training-studio-checkpoint"
VERSION = 2  # 1 had no state for a run to go on


@dataclass(frozen=True)
class Checkpoint:
    """Everything a checkpoint holds.

    Args:
        model: the network's state dict.
        optimizer: the optimizer's state dict; empty in the best checkpoint.
        preparation: how inputs are scaled or cut into tokens, and the names of the classes; see `describe_preparation`
            in studio.training.preparation.
        rest: what else a run needs to go on, see studio.training.state, and what it compares then: data, device,
            threads, versions. Empty in the best checkpoint, and in those of version 1.
    """

    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    epoch: int
    step: int
    metrics: dict[str, float]
    project: Project
    preparation: dict[str, Any]
    rest: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint, earlier: Path | None = None) -> None:
    """Write a checkpoint, recorded in the manifest beside it.

    Args:
        earlier: where the one goes that has been at `path`, in place of the one there; None to give it up.

    Raises:
        StorageError: if it cannot be written; an earlier checkpoint stays, under one of the two names.
    """
    storage.write_recorded(path, checkpoint_bytes(checkpoint), earlier)


def checkpoint_bytes(checkpoint: Checkpoint) -> memoryview:
    """A checkpoint as the content of a file."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "studio": __version__,
        "torch": str(torch.__version__),  # a class of its own, which weights_only would refuse
        "model": {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.model.items()},
        "optimizer": checkpoint.optimizer,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "metrics": checkpoint.metrics,
        "project": json.dumps(project_to_json(checkpoint.project)),
        "preparation": json.dumps(checkpoint.preparation),
        "rest": checkpoint.rest,
    }
    # Into memory first: torch hides a full disk and leaves a truncated file under the final name.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: if it is missing, changed since it was written, or no checkpoint of this program.
    """
    content = _load(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a PyTorch file, but not a checkpoint of Training Studio.")
    if type(content.get("version")) is not int:
        raise CheckpointError(f"{path} is damaged: it does not say which version it is.")
    if content["version"] > VERSION:
        raise CheckpointError(f"{path} was written by a newer Training Studio. Update first.")
    try:
        return Checkpoint(
            model=_tensors(content["model"]),
            optimizer=content["optimizer"],
            epoch=int(content["epoch"]),
            step=int(content["step"]),
            metrics=dict(content["metrics"]),
            project=project_from_json(_json(content["project"], path), str(path)),
            preparation=_json(content["preparation"], path),
            rest=dict(content["rest"]) if content["version"] >= 2 else {},
        )
    except (KeyError, TypeError, ValueError, storage.StorageError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error


def _tensors(given: Any) -> dict[str, Tensor]:
    model = dict(given)
    if not all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in model.items()):
        raise ValueError("its weights are no tensors with names.")
    return model


def _json(text: Any, path: Path) -> Any:
    return storage.parse_json(str(text).encode(), str(path))


def _load(path: Path) -> Any:
    try:
        storage.check_recorded(path)
        return load_torch_file(path)  # never anything that runs code
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no checkpoint {path}.") from error
    except storage.StorageError as error:
        raise CheckpointError(str(error)) from error
    except CodeInFileError as error:
        raise CheckpointError(f"{path} {error}") from error
    except TorchFileError as error:
        raise CheckpointError(f"{path} cannot be read as a checkpoint: it {error}") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {error.strerror or error}.") from error
