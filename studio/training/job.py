"""What a run is asked to do. No torch here: it may be somebody else who trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.project import Project


@dataclass(frozen=True)
class Job:
    """What to train, and where to keep it.

    Args:
        run_folder: a folder that is empty or does not exist; None for a new one among the studio's runs.
        data_folder: where the person keeps the dataset's files; None for the studio's cache.
        surfaces: whether to tell what the network makes of the plane, where the data has two features.
    """

    project: Project
    run_folder: Path | None = None
    data_folder: Path | None = None
    surfaces: bool = False
