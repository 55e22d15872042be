"""An imported network as a project, with a checkpoint of its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from studio import storage
from studio.blocks import Input
from studio.data.scaling import Scaling
from studio.importing.network import Imported, import_network
from studio.importing.origins import Origin
from studio.project import Project, StartingWeights
from studio.tensors import TensorSpec
from studio.training.checkpoint import Checkpoint, checkpoint_bytes


def import_project(origin: Origin, inputs: tuple[TensorSpec, ...], weights_file: Path, until: str = "") -> Project:
    """Make a project of a network.

    Args:
        inputs: what it takes.
        weights_file: the checkpoint to write; training starts from it, and it can be exported as it is.
        until: path of the module whose result is to be the answer; empty for the network's own.

    Raises:
        NetworkImportError: if a part of the network has no block, or the blocks would answer differently.
        StorageError: if the checkpoint cannot be written.
    """
    imported = import_network(origin.module, inputs, until)
    labels = origin.labels if not until else ()
    project = Project(imported.graph, title=origin.title, notes=_notes(origin, imported, until))
    checkpoint = Checkpoint(
        model=imported.weights, optimizer={}, epoch=0, step=0, metrics={}, project=project,
        preparation=_preparation(project, inputs, origin.scaling, labels),
    )  # fmt: skip
    storage.write_bytes(weights_file, checkpoint_bytes(checkpoint))
    weights = StartingWeights(weights_file.absolute(), storage.sha256(weights_file))
    return replace(project, weights=weights)


def _notes(origin: Origin, imported: Imported, until: str) -> str:
    part = f"{origin.title} up to {until}" if until else origin.title
    kept = f"Imported with {len(imported.weights):,} tensors of weights from {part}."
    if not imported.unused or until:
        return kept
    names = ", ".join(imported.unused[:5]) + (", …" if len(imported.unused) > 5 else "")
    return f"{kept} {len(imported.unused):,} tensors play no part in its answer and were left out: {names}"


def unscaled_preparation(project: Project) -> dict[str, Any]:
    """For weights of which nothing else is known: inputs as they are, classes without names; see `_preparation`."""
    specs = tuple(node.block.spec for node in project.graph.inputs if isinstance(node.block, Input))
    return _preparation(project, specs, Scaling(), ())


def _preparation(
    project: Project, inputs: tuple[TensorSpec, ...], scaling: Scaling, labels: tuple[str, ...]
) -> dict[str, Any]:
    """As a run's; see `studio.training.preparation.describe_preparation`."""
    named = zip(project.graph.inputs, inputs, strict=True)
    return {
        "inputs": [
            {
                "name": node.name,
                "dims": list(spec.dims),
                "axes": spec.axes,
                "dtype": spec.dtype,
                "scaling": (scaling if spec.dtype == "float" else Scaling()).to_json(),
            }
            for node, spec in named
        ],
        "task": "classification",
        "names": list(labels),
    }
