"""Figures of Matplotlib as SVG, PNG and pages of a PDF. Nothing global of Matplotlib's stays changed.

In a page the colours of text and lines are those of the page, so that a picture fits a light and a dark one.
"""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, LINE = "#1b1f24", "#c8ccd2"  # of text, and of what only guides the eye
COLOURS = ("#2563eb", "#d97706", "#15803d", "#c0329a", "#8f2f2f", "#0e8aa8", "#7a7f12", "#7c4dda", "#5b6b7f", "#d6455d")
_ON_PAGE = {INK: "currentColor", LINE: "var(--line)"}
_MOST_CHARACTERS = 60  # of a name in a picture


@contextmanager
def drawing() -> Iterator[None]:
    """In here figures are made and written."""
    import matplotlib

    style: Any = {
        "text.parse_math": False,  # a dollar sign in a name is one
        "svg.fonttype": "none", "svg.hashsalt": "studio", "pdf.fonttype": 42, "font.size": 9.0,
        "font.family": _families(), "text.color": INK, "axes.edgecolor": LINE, "axes.labelcolor": INK,
        "xtick.color": INK, "ytick.color": INK, "grid.color": LINE, "axes.grid": True, "grid.alpha": 0.5,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "legend.frameon": False,
        "figure.constrained_layout.use": True, "axes.titlesize": 10.0, "axes.titlelocation": "left",
    }  # fmt: skip
    with warnings.catch_warnings(), matplotlib.rc_context(style):
        warnings.simplefilter("ignore", UserWarning)  # of letters that no font here has
        yield


@functools.cache
def _families() -> list[str]:
    """Fonts that are here, with those for other writings behind the usual one."""
    from matplotlib import font_manager

    names = sorted({font.name for font in font_manager.fontManager.ttflist})
    others = [name for name in names if re.search("CJK SC|Noto Sans Arabic$|Noto Sans Devanagari$|Arial Unicode", name)]
    return ["DejaVu Sans", *others[:4]]


def new_figure(width: float = 4.3, height: float = 2.8) -> tuple[Figure, Axes]:
    """An empty figure with axes; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes: Any = figure.subplots()
    return figure, axes


def svg(figure: Figure, *, on_page: bool = False) -> str:
    """A figure as an SVG element.

    Args:
        on_page: whether it stands in a page of HTML, whose colours it takes; else its ground is white.
    """
    text = io.StringIO()
    figure.savefig(
        text, format="svg", transparent=on_page, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    found = text.getvalue()
    found = found[found.index("<svg") :].strip()
    if not on_page:
        return found
    # Metadata names addresses on the internet, which nothing in a page may.
    found = re.sub(r"<metadata>.*?</metadata>\s*", "", found, flags=re.DOTALL)
    for colour, meant in _ON_PAGE.items():
        found = found.replace(colour, meant)
    width = figure.get_figwidth() * 72
    return re.sub(
        r'^<svg [^>]*viewBox="([^"]*)"[^>]*>',
        rf'<svg viewBox="\1" style="width:{width:.0f}pt" role="img">',
        found,
        count=1,
    )


def png(figure: Figure, dots_per_inch: int = 160) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor="white")
    return buffer.getvalue()


def pdf(figures: Sequence[Figure], title: str) -> bytes:
    """A PDF with a page for each figure."""
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"Title": title, "Creator": "Training Studio"}) as pages:
        for figure in figures:
            pages.savefig(figure, facecolor="white")
    return buffer.getvalue()


def shown(name: str, most: int = _MOST_CHARACTERS) -> str:
    """A name from a file as a picture can have it: in one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
