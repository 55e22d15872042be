"""A checkpoint of the studio with all that it takes to answer, and nothing that only training needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio import storage
from studio.export import same_tensors
from studio.export.clean_process import Tick, working_folder
from studio.export.formats import ExportError
from studio.training.checkpoint import Checkpoint, checkpoint_bytes, read_checkpoint


def write(checkpoint: Checkpoint, target: Path, tick: Tick | None = None) -> str:
    """Write weights, graph, preparation, labels and figures; see `studio.export.write.export`."""
    kept = replace(checkpoint, optimizer={}, rest={})
    content = checkpoint_bytes(kept)
    with working_folder() as folder:
        storage.write_bytes(folder / "model.pt", content)
        _check(kept, read_checkpoint(folder / "model.pt"))
    said = same_tensors.write(content, "torch", kept.model, target, tick)
    return f"{said} The studio opens it again, with the same graph, preparation and figures."


def _check(expected: Checkpoint, found: Checkpoint) -> None:
    """Raises ExportError unless all but the tensors is the same; those are compared elsewhere."""
    for name in ("epoch", "step", "metrics", "project", "preparation"):
        if getattr(expected, name) != getattr(found, name):
            raise ExportError(f"The {name} changed in the checkpoint. Nothing was written.")
