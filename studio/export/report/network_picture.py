"""The network as it stands on the canvas, as a figure of Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.compile.analysis import Analysis
from studio.export.report.drawing import INK, LINE, shown
from studio.graph import Graph
from studio.graph.geometry import NODE_WIDTH, extent, is_frame, size_of
from studio.graph.model import Link, Node
from studio.graph.paths import flatten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 0.6  # of a scene unit, at its best
_LARGEST = 2_000.0  # points of a side
_MARGIN = 16.0
_TURN = 10.0  # how far a link goes on before it turns
_Place = tuple[float, float]
# As on the canvas.
_COLOURS = {
    "Input and output": "#5b6b7f", "Dense": "#2f6fde", "Convolution": "#7c4dda", "Pooling": "#0f8585",
    "Activation": "#c8640b", "Normalization": "#3b873b", "Regularization": "#b8418a", "Sequence": "#1679ab",
    "Attention": "#c43c3c", "Shape": "#86673f", "Resizing": "#a04a6a", "Merge": "#6f741b", "Math": "#4f5bb5",
    "Code": "#776a7d", "Group": "#2f6f7a",
}  # fmt: skip


def network_picture(graph: Graph, analysis: Analysis) -> Figure:
    """Blocks where they stand, with the shapes that they give, and links; to be called in `drawing()`.

    Args:
        graph: groups are as the person left them, folded or not.
        analysis: of it.
    """
    from matplotlib.figure import Figure

    flat = flatten(graph)
    left, top, right, bottom = extent(graph)
    width, height = right - left + 2 * _MARGIN, bottom - top + 2 * _MARGIN
    points = min(_POINTS, _LARGEST / max(width, height))
    figure = Figure(figsize=(width * points / 72, height * points / 72))
    figure.set_layout_engine("none")
    axes: Axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(left - _MARGIN, right + _MARGIN), ylim=(bottom + _MARGIN, top - _MARGIN))
    axes.axis("off")
    for node in flat.nodes:
        (_draw_frame if is_frame(node) else _draw_block)(axes, node, analysis, points)
    for link in flat.links:
        _draw_link(axes, flat, link)
    return figure


def _box(node: Node, colour: str, **how: Any) -> Any:
    from matplotlib.patches import FancyBboxPatch

    width, height = size_of(node)
    style = "round,pad=0,rounding_size=6"
    return FancyBboxPatch((node.x, node.y), width, height, boxstyle=style, edgecolor=colour, **how)


def _draw_frame(axes: Axes, node: Node, analysis: Analysis, points: float) -> None:
    axes.add_patch(_box(node, _COLOURS["Group"], facecolor="none", linewidth=1.2, linestyle="--"))
    name = f"{node.name}{f' ×{node.repeat}' if node.repeat > 1 else ''}"
    axes.text(node.x + 10, node.y + 16, shown(name, 40), fontsize=13 * points, va="center", fontweight="bold")


def _draw_block(axes: Axes, node: Node, analysis: Analysis, points: float) -> None:
    from matplotlib.patches import Rectangle

    colour = _COLOURS.get(node.block.group, "#5b6b7f")
    _, height = size_of(node)
    axes.add_patch(_box(node, colour, facecolor=colour + "22", linewidth=1.0))
    axes.add_patch(Rectangle((node.x, node.y + 6), 4, height - 12, color=colour, linewidth=0))
    name = f"{node.name}{f' ×{node.repeat}' if node.repeat > 1 else ''}"
    axes.text(node.x + 12, node.y + 14, shown(name, 30), fontsize=13 * points, va="center", fontweight="bold")
    found = analysis.nodes.get(node.id)
    shapes = "  ".join(f"({spec})" for spec in found.outputs) if found is not None else ""
    told = f"{node.block.title}  {shapes}" + "  bypassed" * node.bypassed + "  frozen" * node.frozen
    axes.text(node.x + 12, node.y + 32, shown(told, 44), fontsize=10.5 * points, va="center")


def _draw_link(axes: Axes, flat: Graph, link: Link) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    source, target = flat.node(link.source), flat.node(link.target)
    start = _port(source, link.output, len(source.block.outputs), bottom=True)
    taken = len(flat.links_into(target.id)) if target.block.many_inputs else len(target.block.inputs)
    end = _port(target, link.input, max(taken, 1), bottom=False)
    if end[1] > start[1]:
        bend = max(8.0, (end[1] - start[1]) / 2)
        corners = [start, (start[0], start[1] + bend), (end[0], end[1] - bend), end]
        path = Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    else:
        path = Path(_around(source, target, start, end))
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=INK, linewidth=0.9))
    axes.plot([end[0]], [end[1]], marker="v", color=INK, markersize=3, markeredgecolor=LINE, markeredgewidth=0)


def _around(source: Node, target: Node, start: _Place, end: _Place) -> list[_Place]:
    """The corners of a link to a block that stands higher: through the gap between the two."""
    edges = (
        (source.x + size_of(source)[0], target.x) if target.x > source.x else (target.x + size_of(target)[0], source.x)
    )
    gap = sum(edges) / 2 if edges[1] > edges[0] else max(source.x, target.x) + NODE_WIDTH + _TURN
    below, above = start[1] + _TURN, end[1] - _TURN
    return [start, (start[0], below), (gap, below), (gap, above), (end[0], above), end]


def _port(node: Node, number: int, count: int, *, bottom: bool) -> tuple[float, float]:
    """Where a link begins or ends: ports are spread evenly along an edge."""
    width, height = size_of(node)
    return node.x + width * (number + 1) / (count + 1), node.y + height * bottom
