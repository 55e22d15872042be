"""Safetensors: weights in a format that cannot run code, with the graph and the preparation in its metadata."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load, save

from studio import storage
from studio.export.compare import check_equal
from studio.project import project_to_json
from studio.training.checkpoint import Checkpoint


def write(checkpoint: Checkpoint, path: Path, target: Path) -> str:
    """Write the weights; see `studio.export.write.export`."""
    metadata = {
        "format": "pt",
        "project": json.dumps(project_to_json(checkpoint.project)),
        "preparation": json.dumps(checkpoint.preparation),
    }
    content = save(checkpoint.model, metadata)
    check_equal(checkpoint.model, load(content), target)
    storage.write_bytes(target, content)
    return f"Wrote {target}: {len(checkpoint.model)} tensors, equal bit for bit when loaded again."
