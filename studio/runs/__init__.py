"""Runs: one folder each, nothing written but through `studio.storage`."""

from studio.runs.folder import RunFolder, RunFolderError, runs_folder

__all__ = ["RunFolder", "RunFolderError", "runs_folder"]
