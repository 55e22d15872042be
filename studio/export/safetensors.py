"""Safetensors: weights in a format that cannot run code, with all that is needed to use them in its metadata."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save

from studio.export import same_tensors
from studio.export.about import about
from studio.export.clean_process import Tick
from studio.training.checkpoint import Checkpoint


def write(checkpoint: Checkpoint, target: Path, tick: Tick | None = None) -> str:
    """Write the weights; see `studio.export.write.export`."""
    content = save(checkpoint.model, {"format": "pt", **about(checkpoint)})
    return same_tensors.write(content, "safetensors", checkpoint.model, target, tick)
