"""Runs: one folder each, nothing written but through `studio.storage`."""

from studio.runs.folder import RunFolder, RunFolderError, fresh_path, runs_folder
from studio.runs.group import GroupFolder
from studio.runs.listing import RunEntry, list_runs, run_entry
from studio.runs.test_uses import record_use, uses

__all__ = [
    "GroupFolder",
    "RunEntry",
    "RunFolder",
    "RunFolderError",
    "fresh_path",
    "list_runs",
    "record_use",
    "run_entry",
    "runs_folder",
    "uses",
]
