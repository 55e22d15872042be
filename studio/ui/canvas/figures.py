"""The figure that is drawn on every block: what it costs, beside the others."""

from __future__ import annotations

from types import MappingProxyType

from studio.compile.analysis import NodeAnalysis
from studio.ui.canvas.summary import short_count
from studio.ui.wording import size

NOTHING, DEFAULT = "", "parameters"
TITLES = MappingProxyType({
    NOTHING: "Nothing",
    "parameters": "Parameters",
    "flops": "Operations for one sample",
    "memory": "Memory for one sample",
    "output_size": "Size of the output",
})  # fmt: skip


def figure_value(analysis: NodeAnalysis, figure: str) -> int:
    """The value of a figure for a block; 0 for nothing."""
    value: int = getattr(analysis, figure) if figure != NOTHING else 0
    return value


def figure_text(analysis: NodeAnalysis, figure: str) -> str:
    """The same in few characters; empty for 0."""
    value = figure_value(analysis, figure)
    if not value:
        return ""
    return size(value) if figure == "memory" else short_count(value)
