"""Where blocks stand beside each other: aligned, evenly spread, or laid out in layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

from studio.graph.edits import Move
from studio.graph.geometry import COLUMN, NODE_HEIGHT, NODE_WIDTH, PITCH, extent, size_of, snap
from studio.graph.model import Graph, Link, Node
from studio.graph.paths import join, level, offset

EDGES = ("left", "centre", "right", "top", "middle", "bottom")
AXES = ("horizontally", "vertically")
LONGEST_COLUMN = 10  # blocks of a plain chain below each other, as in the templates; a longer one goes on beside
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

    A chain goes on in the next column, as in the templates: then it can be read on one screen. Blocks that are left
    out are not covered; what is laid out goes to the right of them if need be.

    Args:
        graph: as it is stored.
        scope: path of the group whose blocks to lay out; empty for those outside of groups.
        ids: ids in that scope; None for all.

    Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981.
    """
    body = level(graph, scope)
    nodes = [node for node in body.nodes if ids is None or node.id in ids]
    chosen = {node.id for node in nodes}
    links = sorted((link for link in body.links if link.source in chosen and link.target in chosen), key=_by_target)
    places = _in_layers(nodes, _rows(nodes, links))
    left, top, _, _ = extent(Graph(tuple(nodes)))
    wanted = {i: (snap(x + left), snap(y + top)) for i, (x, y) in places.items()}
    beside = _clear_of([node for node in body.nodes if node.id not in chosen], nodes, wanted)
    x, y = offset(graph, scope)
    return Move(tuple((join(scope, i), px + beside + x, py + y) for i, (px, py) in wanted.items()))


def _by_target(link: Link) -> tuple[str, int]:
    return link.target, link.input


def _clear_of(others: list[Node], nodes: list[Node], places: dict[str, tuple[float, float]]) -> float:
    """How far to the right all must go so that they cover none of the others."""
    sizes = {node.id: size_of(node) for node in nodes}
    boxes = [(x, y, *sizes[i]) for i, (x, y) in places.items()]
    shift, tried = 0.0, -1.0
    while shift != tried:
        tried = shift
        for other in others:
            width, height = size_of(other)
            for x, y, w, h in boxes:
                if x + shift < other.x + width and other.x < x + shift + w and y < other.y + height and other.y < y + h:
                    shift = snap(other.x + width + _GAP_X - x)
    return shift


def _rows(nodes: list[Node], links: list[Link]) -> list[dict[str, float]]:
    """Blocks by layers from the top, each with a wanted place in its row."""
    from fast_sugiyama import from_edges

    rows: dict[int, dict[str, float]] = {}
    shift = 0.0
    names = {node.id: f"b{number}" for number, node in enumerate(nodes)}
    ids = {name: node_id for node_id, name in names.items()}
    named = sorted({(names[link.source], names[link.target]) for link in links})
    for positions, _width, _height, _edges in from_edges(named, vertex_spacing=1.0, minimum_length=1) if named else ():
        # Where wires pass a row, the library puts vertices of its own, which keep the way free.
        places = [(str(i), float(x), float(y)) for i, (x, y) in positions if i in ids]
        placed = {ids[i]: place for i, place in _one_place_each(places, named).items()}
        placed = _in_order_of_inputs(placed, links)
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


def _one_place_each(
    places: list[tuple[str, float, float]], edges: list[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """Where each block stands. A place on a wire may carry the name of a block at its end, in no fixed order.

    Args:
        places: name, x and y, which grows upwards.
        edges: names of source and target.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for name, x, y in sorted(places):
        found.setdefault(name, []).append((x, y))

    def fits(name: str, y: float, every: Callable[[Iterable[bool]], bool]) -> bool:
        """Whether it is between its neighbours at all of their places; or, with `any`, at one of each."""
        above = (found[source] for source, target in edges if target == name)
        below = (found[target] for source, target in edges if source == name)
        return all(every(y < at for _, at in some) for some in above) and all(
            every(at < y for _, at in some) for some in below
        )

    def chosen(name: str, several: list[tuple[float, float]]) -> tuple[float, float]:
        fitting = (place for every in (all, any) for place in several if fits(name, place[1], every))
        return next(fitting, several[0])

    return {name: several[0] if len(several) == 1 else chosen(name, several) for name, several in found.items()}


def _in_order_of_inputs(placed: dict[str, tuple[float, float]], links: list[Link]) -> dict[str, tuple[float, float]]:
    """Let what feeds the same block stand in the order of that block's inputs, as far as no more wires cross for it.

    Two ways keep the crossings as they are: the mirror image of all, and an exchange of blocks in one row whose wires
    come from the same blocks and lead to the same blocks.

    Args:
        placed: centres by id.
        links: sorted by target and input.
    """
    balance = 0
    for one, other in itertools.pairwise(links):
        if one.target == other.target and one.source in placed:
            left, right = placed[one.source][0], placed[other.source][0]
            balance += (left < right) - (left > right)
    turned = {i: (-x, y) for i, (x, y) in placed.items()} if balance < 0 else dict(placed)
    for alike in _alike(placed, links):
        for i, place in zip(alike, sorted(turned[i] for i in alike), strict=True):
            turned[i] = place
    return turned


def _alike(placed: dict[str, tuple[float, float]], links: list[Link]) -> list[list[str]]:
    """Blocks in the same row with the same neighbours, in the order of the inputs that they feed."""
    neighbours: dict[str, list[tuple[str, str]]] = {}
    for link in links:  # in the order of inputs, which the dictionary keeps
        neighbours.setdefault(link.source, []).append(("to", link.target))
    for link in links:
        neighbours.setdefault(link.target, []).append(("from", link.source))
    groups: dict[tuple[float, frozenset[tuple[str, str]]], list[str]] = {}
    for i, around in neighbours.items():
        if i in placed:
            groups.setdefault((placed[i][1], frozenset(around)), []).append(i)
    return list(groups.values())


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
    longest = max(LONGEST_COLUMN, round(math.sqrt(len(chain) * COLUMN / PITCH)))  # of very many, about a square
    columns = -(-len(chain) // longest)
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
