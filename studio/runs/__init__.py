"""Runs: one folder each, nothing written but through `studio.storage`."""

from studio.runs.folder import RunFolder, RunFolderError, fresh_path, runs_folder
from studio.runs.group import GroupFolder
from studio.runs.test_uses import record_use, uses

__all__ = ["GroupFolder", "RunFolder", "RunFolderError", "fresh_path", "record_use", "runs_folder", "uses"]
