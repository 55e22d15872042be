"""What stands beside the weights in a file, so that it can be used without the run: plain texts, most of them JSON."""

from __future__ import annotations

import json

from studio import __version__
from studio.project import project_to_json
from studio.training.checkpoint import Checkpoint


def about(checkpoint: Checkpoint) -> dict[str, str]:
    """The graph with data and settings, how inputs are prepared, the names of the answers and the figures of the run.

    Returns:
        texts by their names: "studio" (version), "title", "task", "labels", "preparation", "project", "metrics" and
        "epoch".
    """
    return {
        "studio": __version__,
        "title": checkpoint.project.title,
        "task": str(checkpoint.preparation.get("task", "")),
        "labels": json.dumps(checkpoint.preparation.get("names", []), ensure_ascii=False),
        "preparation": json.dumps(checkpoint.preparation),
        "project": json.dumps(project_to_json(checkpoint.project)),
        "metrics": json.dumps(checkpoint.metrics),
        "epoch": str(checkpoint.epoch),
    }
