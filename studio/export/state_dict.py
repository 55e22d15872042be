"""PyTorch weights: a flat state dict in a `.pt` file."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from studio import storage
from studio.export.compare import check_equal
from studio.training.checkpoint import Checkpoint


def write(checkpoint: Checkpoint, path: Path, target: Path) -> str:
    """Write the weights; see `studio.export.write.export`."""
    buffer = io.BytesIO()
    torch.save(checkpoint.model, buffer)
    content = buffer.getvalue()
    check_equal(checkpoint.model, torch.load(io.BytesIO(content), weights_only=True), target)
    storage.write_bytes(target, content)
    return f"Wrote {target}: {len(checkpoint.model)} tensors, equal bit for bit when loaded again."
