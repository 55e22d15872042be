"""Where the program keeps what is not a project: runs, imported weights, what a person trusts."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The program's own folder for data; TRAINING_STUDIO_DATA names another."""
    import platformdirs  # not before something is kept: the window need not wait for it

    root = os.environ.get("TRAINING_STUDIO_DATA")
    return Path(root) if root else platformdirs.user_data_path("training-studio", appauthor=False)
