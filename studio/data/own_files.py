"""What holds for all of the person's own files that a project names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import Source
from studio.fields import FieldError, replace


class OwnFiles(Source):
    """Base of the sources that read what is at a path of the person's own, which is one of their settings."""

    needs_place: ClassVar[bool] = True
    if TYPE_CHECKING:  # each source declares it, with a help of its own
        path: str

    def _check_fields(self) -> None:
        super()._check_fields()
        check_path(type(self).__name__, self.path)

    @property
    def place(self) -> str:
        """The file or folder; empty if none was chosen yet."""
        return self.path

    def at(self, place: Path) -> Source:
        """These settings for another file or folder."""
        return replace(self, path=place.as_posix())


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
