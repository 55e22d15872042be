"""PyTorch weights: a flat state dict in a `.pt` file."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from studio.export import same_tensors
from studio.export.clean_process import Tick
from studio.training.checkpoint import Checkpoint


def write(checkpoint: Checkpoint, target: Path, tick: Tick | None = None) -> str:
    """Write the weights; see `studio.export.write.export`."""
    buffer = io.BytesIO()
    torch.save(checkpoint.model, buffer)
    return same_tensors.write(buffer.getbuffer(), "torch", checkpoint.model, target, tick)
