"""Words for problems of samples."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMES = 5
_MOST_CHARACTERS = 40  # of a name


def samples(rows: Sequence[int]) -> str:
    """Such as "1,234 samples"."""
    return count(rows, "sample")


def count(rows: Sequence[object], what: str, plural: str = "") -> str:
    """Such as "1 picture" or "2 pictures"."""
    return f"{len(rows):,} {what if len(rows) == 1 else plural or what + 's'}"


def are(rows: Sequence[object]) -> str:
    """The verb that fits their number."""
    return "is" if len(rows) == 1 else "are"


def have(rows: Sequence[object]) -> str:
    """The verb that fits their number."""
    return "has" if len(rows) == 1 else "have"


def classes(names: Sequence[str]) -> str:
    """Such as: the classes “a” and “b”."""
    return listed(names, "class", "es")


def listed(names: Sequence[str], what: str, plural: str = "s") -> str:
    """Such as: the classes “a” and “b”; or the number of them, with the first ones."""
    shown = [f"“{short(item)}”" for item in names[:_MOST_NAMES]]
    if len(names) > _MOST_NAMES:
        return f"{len(names):,} {what}{plural} ({', '.join(shown)}, …)"
    if len(names) == 1:
        return f"the {what} {shown[0]}"
    return f"the {what}{plural} {', '.join(shown[:-1])} and {shown[-1]}"


def short(text: str) -> str:
    """A name from a file, on one line and without characters that would command a terminal."""
    return printable(" ".join(text.split()))[:_MOST_CHARACTERS]


def printable(text: str) -> str:
    """A text of which every character can be seen."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)
