"""Weights that were matched become a file that runs start from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from studio import storage
from studio.importing.weights.matching import Match
from studio.importing.weights.tensors import ForeignWeightsError, WeightFile
from studio.importing.write import unscaled_preparation
from studio.project import Project, StartingWeights
from studio.training.checkpoint import Checkpoint, checkpoint_bytes

Report = Callable[[int, int], None]  # (tensors done, in all); may raise to give up


def take(
    file: WeightFile, matches: Sequence[Match], project: Project, target: Path, report: Report | None = None
) -> StartingWeights:
    """Write the weights that were matched as a checkpoint.

    Args:
        matches: what is not matched stays fresh when a run begins.
        project: of the network.
        target: the file to write.

    Returns:
        what the project is to start from.

    Raises:
        ForeignWeightsError: if nothing is matched, the file has changed, or a tensor holds what is no number.
        StorageError: if it cannot be written.
    """
    wanted = [match for match in matches if match.foreign is not None]
    if not wanted:
        raise ForeignWeightsError(
            f"Nothing in {file.path} fits this network: choose by hand what belongs together, or give the blocks the "
            "sizes that the file has."
        )
    weights: dict[str, Tensor] = {}
    tensors = file.read(match.foreign for match in wanted if match.foreign is not None)
    for match, tensor in zip(wanted, tensors, strict=True):
        weights[match.own.name] = _checked(tensor.to(getattr(torch, match.own.dtype)), match)
        if report is not None:
            report(len(weights), len(wanted))
    checkpoint = Checkpoint(
        model=weights, optimizer={}, epoch=0, step=0, metrics={}, project=project,
        preparation=unscaled_preparation(project),
    )  # fmt: skip
    storage.write_bytes(target, checkpoint_bytes(checkpoint))
    return StartingWeights(target.absolute(), storage.sha256(target))


def _checked(tensor: Tensor, match: Match) -> Tensor:
    """A tensor as the network needs it. Raises ForeignWeightsError if some of it is no number."""
    assert match.foreign is not None
    if tensor.shape != match.own.dims:
        raise ForeignWeightsError(f"“{match.foreign.name}” has another size by now.")
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ForeignWeightsError(
            f"“{match.foreign.name}” holds values that are no numbers (NaN or infinite). Take another tensor for "
            f"“{match.own.name}”, or none."
        )
    return tensor.contiguous()


def free_file(folder: Path, title: str) -> Path:
    """A file for weights that does not exist yet: projects go on naming those of earlier imports.

    Args:
        title: of the network, or the name of the file that they come from.
    """
    stem = re.sub(r"[^\w.-]+", "-", title, flags=re.ASCII).strip(".-")[:80] or "weights"
    number = 1
    while (path := folder / f"{stem}-{number}.pt").exists():
        number += 1
    return path
