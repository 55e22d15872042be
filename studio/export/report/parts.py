"""What a report is made of, whatever it is written as: a page, a PDF, or the card of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVE = "curve-"  # the names of pictures of curves over the epochs begin with it


@dataclass(frozen=True)
class Text:
    """A paragraph; names from files may be in it."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Args:
        head: of the columns; none if the first cell of each row says what it is.
        rows: texts.
        folded: what it is called where it is shown only on demand; empty for a table that is always shown.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: str = ""


@dataclass(frozen=True)
class Code:
    """Lines to be copied."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A figure.

    Args:
        name: of its file, without a suffix.
        title: what is to be seen.
        draw: makes it, in `studio.export.report.drawing.drawing()`.
    """

    name: str
    title: str
    draw: Callable[[], Figure]

    @property
    def titled(self) -> bool:
        """Whether the title stands in the picture already."""
        return self.name.startswith(CURVE)


Part = Text | Table | Code | Picture


@dataclass(frozen=True)
class Section:
    """Some of them under a heading."""

    title: str
    parts: tuple[Part, ...]
