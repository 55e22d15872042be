"""What holds for every path of the person's own files that stands in a project."""

from __future__ import annotations

from pathlib import Path

from studio.fields import FieldError


def check_path(owner: str, path: str) -> None:
    """Refuse paths that must not even be looked at, as a project may come from somebody else. Raises FieldError."""
    if path.startswith(("\\\\", "//")):
        # Windows would log in there, with the person's name, as soon as somebody's project is opened.
        raise FieldError(owner, "path", "must not be on a network. Copy the files, or give it a drive letter")
    if any(ord(character) < 32 for character in path):
        raise FieldError(owner, "path", "has a character that no path has")


def located(path: str) -> Path:
    """Where files of the person's own are: what lies in an archive is unpacked if it is not yet. Raises DataError."""
    from studio.data.unpacked import here  # reads the disk, and the window need not wait for what it brings

    return here(Path(path).expanduser())


def printable(text: str, longest: int = 80) -> str:
    """A name from a disk or a file as it can be shown: without half characters and control characters, not too long."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
