"""Copies of blocks: duplicated beside the originals, or taken along and pasted elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from studio.graph.edits import AddFragment, Edit
from studio.graph.geometry import COLUMN, extent, size_of
from studio.graph.group_edits import with_fresh_groups
from studio.graph.groups import BOUNDARY
from studio.graph.model import Graph, Link, Node
from studio.graph.names import fresh_id, fresh_name
from studio.graph.paths import flatten, join, level, outermost, scope_of
from studio.graph.placement import is_taken


def fragment_of(graph: Graph, paths: Iterable[str]) -> Graph:
    """Copies of blocks and notes with the links between them, as a graph of their own, at their places on the canvas.

    Args:
        graph: as it is stored.
        paths: what to copy; what does not exist is left out. Ports of groups stay with their group.
    """
    wanted = set(outermost(paths))
    shown = flatten(graph, everything=True)
    chosen = [n for n in shown.nodes if n.id in wanted and not isinstance(n.block, BOUNDARY)]
    ids = {node.id: f"n{number + 1}" for number, node in enumerate(chosen)}
    nodes: list[Node] = []
    for node in chosen:
        names = {other.name for other in nodes}
        name = node.name if node.name not in names else fresh_name(node.block.kind, names)
        nodes.append(replace(node, id=ids[node.id], name=name))
    links = [
        Link(ids[source], link.output, ids[target], link.input)
        for scope in sorted({scope_of(path) for path in ids})
        for link in level(graph, scope).links
        if (source := join(scope, link.source)) in ids and (target := join(scope, link.target)) in ids
    ]
    notes = [note for note in graph.notes if note.id in wanted]
    notes = [replace(note, id=f"t{number + 1}") for number, note in enumerate(notes)]
    return Graph(tuple(nodes), tuple(links), tuple(notes))


def paste(graph: Graph, fragment: Graph, scope: str, shift: tuple[float, float]) -> tuple[Edit, tuple[str, ...]]:
    """The edit that adds a fragment, and the paths of what it adds.

    Args:
        graph: as it is stored.
        fragment: what to add. Its groups are linked with those of the graph that are the same.
        scope: path of the group into which to paste; empty for none.
        shift: how far from the fragment's own place.
    """
    beside = level(graph, scope)
    ids = {*beside.by_id, *(note.id for note in graph.notes)}
    names = set(beside.names)
    new_ids: dict[str, str] = {}
    nodes: list[Node] = []
    for node in with_fresh_groups(graph, fragment.nodes):
        name = node.name if node.name not in names else fresh_name(node.block.kind, names)
        names.add(name)
        new_id = new_ids[node.id] = _fresh(ids)
        nodes.append(replace(node, id=new_id, name=name, x=node.x + shift[0], y=node.y + shift[1]))
    links = (Link(new_ids[k.source], k.output, new_ids[k.target], k.input) for k in fragment.links)
    notes = tuple(replace(n, id=_fresh(ids), x=n.x + shift[0], y=n.y + shift[1]) for n in fragment.notes)
    edit = AddFragment(tuple(nodes), tuple(links), notes, scope)
    return edit, (*(join(scope, node.id) for node in nodes), *(note.id for note in notes))


def _fresh(ids: set[str]) -> str:
    new_id = fresh_id(ids, len(ids) + 1)
    ids.add(new_id)
    return new_id


def duplicate(graph: Graph, paths: Iterable[str]) -> tuple[Edit, tuple[str, ...]]:
    """Copies of blocks and notes beside the originals, with the links between them; and the paths of the copies.

    Args:
        graph: as it is stored.
        paths: what to copy; all of it stands where the first of them does.
    """
    chosen = outermost(paths)
    scope = scope_of(chosen[0]) if chosen else ""
    fragment = fragment_of(graph, (path for path in chosen if scope_of(path) == scope))
    return paste(graph, fragment, scope, (free_shift(flatten(graph), fragment, scope), 0.0))


def free_shift(graph: Graph, fragment: Graph, scope: str) -> float:
    """How far copies go to the right so that none covers a block of the graph that is shown."""
    shift = COLUMN
    while any(is_taken(graph, node.x + shift, node.y, size_of(node), scope) for node in fragment.nodes):
        shift += COLUMN
    return shift


def center_of(fragment: Graph) -> tuple[float, float]:
    """The middle of the rectangle around a fragment's blocks and notes."""
    boxes = [extent(Graph(fragment.nodes))] if fragment.nodes else []
    boxes += [(note.x, note.y, note.x + note.width, note.y + note.height) for note in fragment.notes]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return (left + right) / 2, (top + bottom) / 2
