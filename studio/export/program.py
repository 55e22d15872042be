"""A program of torch.export: the network as PyTorch's own operations, which runs without its source."""

from __future__ import annotations

from pathlib import Path

from studio.export import made
from studio.export.clean_process import Tick


def write(path: Path, target: Path, tick: Tick | None = None) -> str:
    """Write the file; see `studio.export.write.export`."""
    return made.write(made.Request("program", path, tick=tick), "model.pt2", target)
