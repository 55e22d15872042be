"""Where the program's own files (templates, icons) are: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path


def resource(*parts: str) -> Path:
    """A file or folder below `resources`."""
    package = Path(__file__).parent
    installed = package / "resources"
    return (installed if installed.is_dir() else package.parent / "resources").joinpath(*parts)
