"""The graph: frozen values. Undo is the previous value, saving needs no traversal, tests compare with ==."""

from __future__ import annotations

import functools
import graphlib
from dataclasses import dataclass

from studio.blocks import MAX_INPUTS, Block, Input, Output
from studio.graph.errors import BadLinkError, CycleError, DuplicateError, UnknownNodeError
from studio.graph.names import check_id, check_name

MAX_SHOWN = 8  # names in a message


@dataclass(frozen=True)
class Node:
    """A block on the canvas.

    Args:
        id: what links and events refer to; never changes.
        name: identifier of the layer in code and checkpoints; unique in the graph.
        block: what it does.
        x, y: position of its top left corner, in scene units; in a group, counted from a corner that the group chooses.
        repeat: how many times in a row it is applied, each time with weights of its own.
        frozen: whether its weights stay as they are in training.
        bypassed: whether it hands on its first input as it came, as if it were not there.
        unfolded: whether the inside of a group is shown on the canvas.
    """

    id: str
    name: str
    block: Block
    x: float = 0.0
    y: float = 0.0
    repeat: int = 1
    bypassed: bool = False
    unfolded: bool = False
    frozen: bool = False


@dataclass(frozen=True, order=True)
class Link:
    """A wire from output port `output` of node `source` to input port `input` of node `target`."""

    source: str
    output: int
    target: str
    input: int


@dataclass(frozen=True)
class Note:
    """A text on the canvas, for people.

    Args:
        id: what edits refer to; no node has the same.
        text: plain text.
        x, y: position of its top left corner, in scene units.
        width, height: its size, in scene units.
    """

    id: str
    text: str
    x: float = 0.0
    y: float = 0.0
    width: float = 240.0
    height: float = 96.0


@dataclass(frozen=True)
class Graph:
    """Blocks and the links between them: any directed graph without a cycle; and notes beside them.

    It can be unfinished (ports unlinked, shapes that do not fit) but never inconsistent; `check` proves that.
    """

    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
    notes: tuple[Note, ...] = ()

    @functools.cached_property
    def by_id(self) -> dict[str, Node]:
        """Every node by its id."""
        return {node.id: node for node in self.nodes}

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Every name in use."""
        return frozenset(node.name for node in self.nodes)

    @functools.cached_property
    def _into(self) -> dict[str, tuple[Link, ...]]:
        into: dict[str, list[Link]] = {}
        for link in self.links:
            into.setdefault(link.target, []).append(link)
        return {target: tuple(sorted(links, key=lambda link: link.input)) for target, links in into.items()}

    @functools.cached_property
    def _out_of(self) -> dict[str, tuple[Link, ...]]:
        out_of: dict[str, list[Link]] = {}
        for link in self.links:
            out_of.setdefault(link.source, []).append(link)
        return {source: tuple(links) for source, links in out_of.items()}

    def node(self, node_id: str) -> Node:
        """The node of this id. Raises UnknownNodeError."""
        try:
            return self.by_id[node_id]
        except KeyError:
            raise UnknownNodeError(node_id) from None

    def links_into(self, node_id: str) -> tuple[Link, ...]:
        """Links that end at a node, in order of its input ports."""
        return self._into.get(node_id, ())

    def links_out_of(self, node_id: str) -> tuple[Link, ...]:
        """Links that start at a node."""
        return self._out_of.get(node_id, ())

    @functools.cached_property
    def order(self) -> tuple[Node, ...]:
        """Nodes such that each comes after those that feed it; otherwise as they were added.

        Raises:
            CycleError: if there is none.
        """
        position = {node.id: i for i, node in enumerate(self.nodes)}
        sorter = graphlib.TopologicalSorter({n.id: [k.source for k in self.links_into(n.id)] for n in self.nodes})
        try:
            sorter.prepare()
        except graphlib.CycleError as error:
            names = [self.by_id[i].name for i in error.args[1]]  # each feeds the next
            shown = names if len(names) <= MAX_SHOWN else [*names[: MAX_SHOWN - 2], "…", names[-1]]
            raise CycleError(f"Data would go in a circle: {' → '.join(shown)}.") from None
        return tuple(self._in_order(sorter, position))

    def _in_order(self, sorter: graphlib.TopologicalSorter[str], position: dict[str, int]) -> list[Node]:
        result: list[Node] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=position.__getitem__)
            result.extend(self.by_id[i] for i in ready)
            sorter.done(*ready)
        return result

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The Input nodes, in the order of the network's arguments."""
        return tuple(node for node in self.nodes if isinstance(node.block, Input))

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The Output nodes, in the order of the network's answers."""
        return tuple(node for node in self.nodes if isinstance(node.block, Output))

    def free_input(self, node_id: str) -> int | None:
        """The first input port of a node that has no link; None if all are taken."""
        block = self.node(node_id).block
        taken = {link.input for link in self.links_into(node_id)}
        ports = MAX_INPUTS if block.many_inputs else len(block.inputs)
        return next((port for port in range(ports) if port not in taken), None)

    def check(self) -> Graph:
        """This graph, if it is consistent.

        Raises:
            GraphError: for a bad or double id or name, a link to a port that is not there or taken, or a cycle.
        """
        for node in self.nodes:
            check_id(node.id)
            check_name(node.name)
        _check_unique([node.id for node in self.nodes], "id")
        _check_unique([node.name for node in self.nodes], "name")
        taken: set[tuple[str, int]] = set()
        for link in self.links:
            self.check_ports(link)
            if (link.target, link.input) in taken:
                raise BadLinkError(f"Two links end at the same input of “{self.node(link.target).name}”.")
            taken.add((link.target, link.input))
        assert self.order is not None  # raises CycleError
        return self

    def check_ports(self, link: Link) -> None:
        """Raises UnknownNodeError or BadLinkError unless both ends of a link exist."""
        source, target = self.node(link.source), self.node(link.target)
        if not 0 <= link.output < len(source.block.outputs):
            raise BadLinkError(f"“{source.name}” ({source.block.title}) has no output number {link.output}.")
        ports = MAX_INPUTS if target.block.many_inputs else len(target.block.inputs)
        if not 0 <= link.input < ports:
            raise BadLinkError(f"“{target.name}” ({target.block.title}) has no input number {link.input}.")


def _check_unique(values: list[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise DuplicateError(f"Two blocks have the {what} “{value}”.")
        seen.add(value)
