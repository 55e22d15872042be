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
        resume: whether the run in `run_folder` goes on from its last checkpoint. Of the project only the training
            settings are taken then: how many epochs there will be in all, and what may change in a run.
        anyway: whether it goes on even if its data is no longer the same.
    """

    project: Project
    run_folder: Path | None = None
    data_folder: Path | None = None
    surfaces: bool = False
    resume: bool = False
    anyway: bool = False
