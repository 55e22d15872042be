"""ONNX: the network for other programs and languages, with all that is needed to use it in its metadata."""

from __future__ import annotations

from pathlib import Path

from studio.export import made
from studio.export.clean_process import Tick


def write(path: Path, target: Path, tick: Tick | None = None) -> str:
    """Write the file; see `studio.export.write.export`."""
    made.check_installed()
    return made.write(made.Request("onnx", path, tick=tick), "model.onnx", target)
