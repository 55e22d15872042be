"""What holds of every source that reads a person's own files."""

from __future__ import annotations

from studio.fields import FieldError


def check_path(owner: str, path: str) -> None:
    """Refuse a path that must not even be looked at; it may come from a project of somebody else.

    Args:
        owner: the source it is a setting of, for the message.

    Raises:
        FieldError: if it is on a network, or has characters that no path has.
    """
    if path.startswith(("\\\\", "//")):
        # Windows would log in there, with the person's name, as soon as somebody's project is opened.
        raise FieldError(owner, "path", "must not be on a network. Copy the files, or give it a drive letter")
    if any(ord(character) < 32 for character in path):
        raise FieldError(owner, "path", "has a character that no path has")
