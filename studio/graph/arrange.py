"""Where blocks stand beside each other: aligned, evenly spread, or laid out in layers."""

from __future__ import annotations

from collections.abc import Iterable

from studio.graph.edits import Move
from studio.graph.geometry import COLUMN, NODE_HEIGHT, NODE_WIDTH, PITCH, extent, size_of, snap
from studio.graph.model import Graph, Node
from studio.graph.paths import join, level, offset

EDGES = ("left", "centre", "right", "top", "middle", "bottom")
AXES = ("horizontally", "vertically")
LONGEST_COLUMN = 10  # blocks of a plain chain below each other; a longer one goes on beside
_GAP_X, _GAP_Y = COLUMN - NODE_WIDTH, PITCH - NODE_HEIGHT


def align(shown: Graph, paths: Iterable[str], edge: str) -> Move:
    """Put blocks on one line.

    Args:
        shown: what stands on the canvas.
        paths: at least two of its blocks.
        edge: one of EDGES: what they will have in common.
    """
    nodes = [shown.node(path) for path in paths]
    left, top, right, bottom = extent(Graph(tuple(nodes)))
    places = []
    for node in nodes:
        width, height = size_of(node)
        x = {"left": left, "centre": (left + right - width) / 2, "right": right - width}.get(edge, node.x)
        y = {"top": top, "middle": (top + bottom - height) / 2, "bottom": bottom - height}.get(edge, node.y)
        places.append((node.id, x, y))
    return Move(tuple(places))


def distribute(shown: Graph, paths: Iterable[str], axis: str) -> Move:
    """Spread blocks so that the gaps between them are equal; the first and the last stay.

    Args:
        shown: what stands on the canvas.
        paths: at least three of its blocks.
        axis: one of AXES.
    """
    side = AXES.index(axis)
    nodes = sorted((shown.node(path) for path in paths), key=lambda node: (node.x, node.y)[side])
    sizes = [size_of(node)[side] for node in nodes]
    start, end = (nodes[0].x, nodes[0].y)[side], (nodes[-1].x, nodes[-1].y)[side]
    gap = (end - start - sum(sizes[:-1])) / (len(nodes) - 1)
    places, at = [], start
    for node, size in zip(nodes, sizes, strict=True):
        places.append((node.id, at, node.y) if side == 0 else (node.id, node.x, at))
        at += size + gap
    return Move(tuple(places))


def layered(graph: Graph, scope: str = "", ids: frozenset[str] | None = None) -> Move:
    """Lay blocks out so that every wire leads downwards and few cross.

    Args:
        graph: as it is stored.
        scope: path of the group whose blocks to lay out; empty for those outside of groups.
        ids: ids in that scope; None for all.

    Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981.
    """
    body = level(graph, scope)
    nodes = [node for node in body.nodes if ids is None or node.id in ids]
    chosen = {node.id for node in nodes}
    edges = sorted({(k.source, k.target) for k in body.links if k.source in chosen and k.target in chosen})
    places = _in_layers(nodes, _rows(nodes, edges))
    left, top, _, _ = extent(Graph(tuple(nodes)))
    x, y = offset(graph, scope)
    return Move(tuple((join(scope, i), snap(px + left) + x, snap(py + top) + y) for i, (px, py) in places.items()))


def _rows(nodes: list[Node], edges: list[tuple[str, str]]) -> list[dict[str, float]]:
    """Blocks by layers from the top, each with a wanted place in its row; a long chain comes as several columns."""
    from fast_sugiyama import from_edges

    rows: dict[int, dict[str, float]] = {}
    shift = 0.0
    names = {node.id: f"b{number}" for number, node in enumerate(nodes)}
    ids = {name: node_id for node_id, name in names.items()}
    named = [(names[source], names[target]) for source, target in edges]
    for positions, _width, _height, _edges in from_edges(named, vertex_spacing=1.0, minimum_length=1) if named else ():
        # Where wires pass a row, the library puts vertices of its own, which keep the way free.
        placed = {ids[i]: (float(x), float(y)) for i, (x, y) in positions if i in ids}
        highest = max(y for _, y in placed.values())
        first = min(x for x, _ in placed.values())
        for i, (x, y) in placed.items():
            rows.setdefault(round(highest - y), {})[i] = shift + x - first
        shift += max(x for x, _ in placed.values()) - first + 1
    known = {i for row in rows.values() for i in row}
    for node in nodes:
        if node.id not in known:
            rows.setdefault(0, {})[node.id] = shift
            shift += 1
    return [rows[number] for number in sorted(rows)]


def _in_layers(nodes: list[Node], rows: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """Top left corners: rows below each other, as high as their highest block; no block covers another."""
    sizes = {node.id: size_of(node) for node in nodes}
    if all(len(row) == 1 for row in rows) and len(rows) > LONGEST_COLUMN:
        return _in_columns([next(iter(row)) for row in rows], sizes)
    places: dict[str, tuple[float, float]] = {}
    y = 0.0
    for row in rows:
        free = float("-inf")
        for i, wanted in sorted(row.items(), key=lambda item: item[1]):
            x = max(free, wanted * COLUMN - (sizes[i][0] - NODE_WIDTH) / 2)
            places[i] = (x, y)
            free = x + sizes[i][0] + _GAP_X
        y += max(sizes[i][1] for i in row) + _GAP_Y
    left = min((x for x, _ in places.values()), default=0.0)
    return {i: (x - left, y) for i, (x, y) in places.items()}


def _in_columns(chain: list[str], sizes: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """A chain in columns of about equal length, each to be read from the top."""
    columns = -(-len(chain) // LONGEST_COLUMN)
    length = -(-len(chain) // columns)
    places: dict[str, tuple[float, float]] = {}
    x = 0.0
    for start in range(0, len(chain), length):
        y = 0.0
        column = chain[start : start + length]
        for i in column:
            places[i] = (x, y)
            y += sizes[i][1] + _GAP_Y
        x += max(sizes[i][0] for i in column) + _GAP_X
    return places
