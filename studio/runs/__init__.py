"""Runs: one folder each, nothing written but through `studio.storage`."""

from studio.runs.folder import RunFolder, RunFolderError, runs_folder
from studio.runs.interrupted import InterruptedRun, interrupted_runs, leave, saved_project
from studio.runs.test_uses import record_use, uses

__all__ = [
    "InterruptedRun", "RunFolder", "RunFolderError", "interrupted_runs", "leave", "record_use", "runs_folder",
    "saved_project", "uses",
]  # fmt: skip
