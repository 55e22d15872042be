"""From block to block along the wires, for keys. All takes the graph that is shown."""

from __future__ import annotations

from studio.graph.geometry import is_frame, size_of
from studio.graph.groups import GroupUse
from studio.graph.model import Graph, Node
from studio.graph.paths import join

FORWARD, BACK, LEFT, RIGHT = DIRECTIONS = ("forward", "back", "left", "right")


def step(graph: Graph, path: str, direction: str) -> str | None:
    """The block that a step leads to; None if there is none.

    Forward and back go along a wire, to the block most nearly straight below or above. Left and right go to what hangs
    on the same block: to the other blocks it feeds, or to the others that feed it.

    Args:
        graph: what stands on the canvas.
        path: where to start.
        direction: one of DIRECTIONS.
    """
    if direction in (LEFT, RIGHT):
        row = siblings(graph, path)
        number = row.index(path) + (1 if direction == RIGHT else -1)
        return row[number] if 0 <= number < len(row) else None
    found = following(graph, path) if direction == FORWARD else feeding(graph, path)
    here = _middle(graph, path)
    return min(found, key=lambda other: (abs(_middle(graph, other) - here), _middle(graph, other)), default=None)


def following(graph: Graph, path: str) -> list[str]:
    """What a block feeds, in the order of its output ports; an unfolded group leads to its inputs."""
    node = graph.node(path)
    if is_frame(node):
        assert isinstance(node.block, GroupUse)
        inside = node.block.definition.entries or node.block.definition.body.nodes
        return [join(path, inner.id) for inner in inside]
    links = sorted(graph.links_out_of(path), key=lambda link: link.output)
    return list(dict.fromkeys(link.target for link in links))


def feeding(graph: Graph, path: str) -> list[str]:
    """What feeds a block, in the order of its input ports; of an unfolded group, what feeds its inputs."""
    node = graph.node(path)
    if is_frame(node):
        assert isinstance(node.block, GroupUse)
        entries = [join(path, entry.id) for entry in node.block.definition.entries]
        return list(dict.fromkeys(source for entry in entries for source in feeding(graph, entry)))
    return list(dict.fromkeys(link.source for link in graph.links_into(path)))


def siblings(graph: Graph, path: str) -> list[str]:
    """A block and what shares a neighbour with it, from left to right."""
    found = {path}
    for link in graph.links_into(path):
        found |= {other.target for other in graph.links_out_of(link.source)}
    for link in graph.links_out_of(path):
        found |= {other.source for other in graph.links_into(link.target)}
    return sorted(found, key=lambda other: (_middle(graph, other), graph.node(other).y, other))


def reading_order(graph: Graph) -> list[Node]:
    """Nodes such that each comes after those that feed it, and a branch is told to its end before the next begins.

    What takes no input comes first, what is linked to nothing last; otherwise as the nodes were added.
    """
    missing = {node.id: len(graph.links_into(node.id)) for node in graph.nodes}  # links from what was not found yet
    starts = [node for node in graph.nodes if not missing[node.id]]
    starts.sort(key=lambda node: (bool(node.block.inputs), not graph.links_out_of(node.id)))
    found, waiting = [], starts[::-1]
    while waiting:
        node = waiting.pop()
        found.append(node)
        ready = []
        for link in sorted(graph.links_out_of(node.id), key=lambda link: link.output):
            missing[link.target] -= 1
            if not missing[link.target]:
                ready.append(graph.node(link.target))
        waiting.extend(reversed(ready))
    return found


def _middle(graph: Graph, path: str) -> float:
    node = graph.node(path)
    return node.x + size_of(node)[0] / 2
