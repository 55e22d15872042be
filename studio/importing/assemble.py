"""Blocks one after the other become a graph, with a group for each module that they came from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from studio.blocks import Block, Input
from studio.compile.record import record
from studio.graph import Graph, Link, Node
from studio.graph.arrange import layered
from studio.graph.errors import BadNameError
from studio.graph.groups import Group, GroupInput, GroupOutput, GroupUse
from studio.graph.names import check_class_name, check_name
from studio.tensors import TensorSpec

SMALLEST_GROUP = 2  # blocks


@dataclass(frozen=True)
class Scope:
    """A module in which blocks stand.

    Args:
        path: its name in the network, such as "layer1.0".
        class_name: of the module.
    """

    path: str
    class_name: str


@dataclass(frozen=True)
class Source:
    """What one output of a block gives.

    Args:
        entry: number of the block among the assembler's.
        output: number of the port.
    """

    entry: int
    output: int = 0


@dataclass(frozen=True)
class _Entry:
    block: Block
    name: str
    scopes: tuple[Scope, ...]
    sources: tuple[Source, ...]
    weights: Mapping[str, Tensor]


@dataclass
class Assembler:
    """Takes blocks in the order of execution; every block is checked against the shapes that come to it."""

    entries: list[_Entry] = field(default_factory=list)
    specs: dict[Source, TensorSpec] = field(default_factory=dict)

    def put(
        self, block: Block, *sources: Source, name: str = "", scopes: Sequence[Scope] = (),
        weights: Mapping[str, Tensor] | None = None,
    ) -> tuple[Source, ...]:  # fmt: skip
        """Add a block.

        Args:
            sources: what is linked to its inputs.
            name: what to call it, if that is free.
            scopes: the modules in which it stands, the outermost first.
            weights: its tensors, by what stands behind its name in a state dict ("" for a learned tensor).

        Returns:
            one source for each of its outputs.

        Raises:
            ShapeError: if it does not take what comes.
        """
        number = len(self.entries)
        specs = (block.spec,) if isinstance(block, Input) else record(block, self.specs_of(sources)).specs
        self.entries.append(_Entry(block, name, tuple(scopes), tuple(sources), weights or {}))
        made = tuple(Source(number, port) for port in range(len(block.outputs)))
        self.specs.update(zip(made, specs, strict=False))
        return made

    def specs_of(self, sources: Iterable[Source]) -> tuple[TensorSpec, ...]:
        """The tensors that sources give."""
        return tuple(self.specs[source] for source in sources)

    def finish(self) -> tuple[Graph, dict[str, Tensor]]:
        """The graph of all blocks, laid out, and their tensors by the names that they have in its state dict."""
        maker = _Maker(self.entries)
        graph, weights = maker.level(list(range(len(self.entries))), 0, {}, ())
        return graph, weights


class _Maker:
    """Makes the levels of a graph; equal groups become one definition."""

    def __init__(self, entries: list[_Entry]) -> None:
        self.entries = entries
        self.known: dict[tuple[str, Graph], Group] = {}

    def level(
        self, members: list[int], depth: int, given: Mapping[Source, str], leaving: Sequence[Source]
    ) -> tuple[Graph, dict[str, Tensor]]:
        """Blocks that stand beside each other.

        Args:
            members: numbers of the entries in it, in order.
            depth: how many scopes it is deep.
            given: names of the ports for what enters it.
            leaving: what leaves it, one port each.
        """
        level = _Level()
        for source, name in given.items():
            level.add(GroupInput(), name, (), (source,))
        for scope, run in itertools.groupby(members, key=lambda number: self._scope(number, depth)):
            numbers = list(run)
            if scope is not None and len(numbers) >= SMALLEST_GROUP:
                self._add_group(level, scope, numbers, depth)
            else:
                for number in numbers:
                    self._add_block(level, number, depth)
        for number, source in enumerate(leaving):
            level.add(GroupOutput(), f"output_{number + 1}", (source,), ())
        return level.finish()

    def _scope(self, number: int, depth: int) -> Scope | None:
        scopes = self.entries[number].scopes
        return scopes[depth] if len(scopes) > depth else None

    def _add_block(self, level: _Level, number: int, depth: int) -> None:
        entry = self.entries[number]
        made = tuple(Source(number, port) for port in range(len(entry.block.outputs)))
        scope = entry.scopes[depth - 1].path if depth else ""
        name = level.add(entry.block, _local(entry.name, scope) or entry.block.kind, entry.sources, made)
        level.weights.update((f"{name}.{key}" if key else name, tensor) for key, tensor in entry.weights.items())

    def _add_group(self, level: _Level, scope: Scope, numbers: list[int], depth: int) -> None:
        inside = set(numbers)
        needed = [source for number in numbers for source in self.entries[number].sources]
        enters = list(dict.fromkeys(source for source in needed if source.entry not in inside))
        leaves = self._leaving(inside)
        names = ["input"] if len(enters) == 1 else [f"input_{number + 1}" for number in range(len(enters))]
        body, weights = self.level(numbers, depth + 1, dict(zip(enters, names, strict=True)), leaves)
        group = self._definition(class_name(scope.class_name), body)
        above = self.entries[numbers[0]].scopes[depth - 1].path if depth else ""
        name = level.add(GroupUse(group), _local(scope.path, above), tuple(enters), tuple(leaves))
        level.weights.update((f"{name}.{key}", tensor) for key, tensor in weights.items())

    def _leaving(self, inside: set[int]) -> list[Source]:
        """What blocks outside take, in the order of the blocks that give it."""
        taken = {
            source
            for number, entry in enumerate(self.entries)
            if number not in inside
            for source in entry.sources
            if source.entry in inside
        }
        return sorted(taken, key=lambda source: (source.entry, source.output))

    def _definition(self, name: str, body: Graph) -> Group:
        if (name, body) not in self.known:
            self.known[name, body] = Group(f"g{len(self.known) + 1}", name, body)
        return self.known[name, body]


class _Level:
    """Nodes and links of one level while it grows."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.names: set[str] = set()
        self.places: dict[Source, tuple[str, int]] = {}
        self.weights: dict[str, Tensor] = {}

    def add(self, block: Block, name: str, sources: Sequence[Source], made: Sequence[Source]) -> str:
        """Add a node; returns its name."""
        name = _usable(name, block.kind, self.names)
        self.names.add(name)
        node = Node(f"n{len(self.nodes) + 1}", name, block)
        self.nodes.append(node)
        for port, source in enumerate(sources):
            self.links.append(Link(*self.places[source], node.id, port))
        for port, source in enumerate(made):
            self.places[source] = node.id, port
        return name

    def finish(self) -> tuple[Graph, dict[str, Tensor]]:
        """The level, laid out."""
        graph = Graph(tuple(self.nodes), tuple(self.links))
        places = {path: (x, y) for path, x, y in layered(graph).positions}
        moved = (replace(node, x=places[node.id][0], y=places[node.id][1]) for node in self.nodes)
        return replace(graph, nodes=tuple(moved)), self.weights


def _local(path: str, scope: str) -> str:
    """A module's path as seen from the module around it, as a name: "layer1.0.conv1" in "layer1.0" is conv1."""
    inner = path[len(scope) + 1 :] if scope and path.startswith(f"{scope}.") else path
    return re.sub(r"\W+", "_", inner, flags=re.ASCII).strip("_")[-48:].strip("_")


def _usable(wanted: str, kind: str, taken: set[str]) -> str:
    """A name that a block may have: as wanted if that is possible."""
    stem = wanted or kind
    if stem[0].isdigit():
        stem = f"{kind}_{stem}"[:56]
    try:
        check_name(stem)
    except BadNameError:
        stem = f"{kind}_{stem}"[:56]
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return check_name(name)


def class_name(name: str) -> str:
    """A module's class name as the name of a group."""
    plain = re.sub(r"\W", "", name, flags=re.ASCII).lstrip("_0123456789")[:56]
    try:
        return check_class_name(plain)
    except BadNameError:
        return check_class_name(f"Imported{plain}"[:60])
