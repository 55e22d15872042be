"""Groups: a part of a network under one name, used once or many times.

A use of a group is a block that holds the group's definition by value. Uses whose definitions have the same key are
linked: `redefine` changes all of them at once, so they are always equal.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from studio import fields
from studio.blocks import Block, Input, Output
from studio.blocks.custom import CustomCode
from studio.fields import Declared, FieldError, FieldSpec, FieldValue
from studio.graph.errors import GroupError
from studio.graph.model import Graph, Link, Node
from studio.graph.names import check_class_name, check_id, check_name
from studio.trust import trust_for_now

MAX_DEPTH = 16  # groups in groups
MAX_BLOCKS = 100_000  # with all that groups and repetitions stand for
MAX_REPEAT = 1_000


class GroupInput(Block):
    """Where a tensor enters a group. It stands inside; each is one input of the group's block.

    Shape: out as it comes in
    """

    kind: ClassVar[str] = "group_input"
    title: ClassVar[str] = "Group input"
    group: ClassVar[str] = "Group"
    inputs: ClassVar[tuple[str, ...]] = ("outside",)
    outputs: ClassVar[tuple[str, ...]] = ("inside",)


class GroupOutput(Block):
    """Where a tensor leaves a group. It stands inside; each is one output of the group's block.

    Shape: out as it comes in
    """

    kind: ClassVar[str] = "group_output"
    title: ClassVar[str] = "Group output"
    group: ClassVar[str] = "Group"
    inputs: ClassVar[tuple[str, ...]] = ("inside",)
    outputs: ClassVar[tuple[str, ...]] = ("outside",)


BOUNDARY = (GroupInput, GroupOutput)
AnyDeclared = TypeVar("AnyDeclared", bound=Declared)


@dataclass(frozen=True)
class Exposed:
    """A setting of a group that each use may choose.

    Args:
        name: what it is called, an identifier.
        fields: what it sets, as (node id in the body, field name); all get the same value.
    """

    name: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """What a group is made of.

    Args:
        key: uses of groups with the same key are linked.
        name: of its class in code; an identifier.
        body: its blocks. GroupInputs and GroupOutputs among them are its ports, in order.
        exposed: settings that each use may choose.
    """

    key: str
    name: str
    body: Graph
    exposed: tuple[Exposed, ...] = ()

    @functools.cached_property
    def entries(self) -> tuple[Node, ...]:
        """Its GroupInputs, one per input port."""
        return tuple(node for node in self.body.nodes if isinstance(node.block, GroupInput))

    @functools.cached_property
    def exits(self) -> tuple[Node, ...]:
        """Its GroupOutputs, one per output port."""
        return tuple(node for node in self.body.nodes if isinstance(node.block, GroupOutput))

    @functools.cached_property
    def size(self) -> tuple[int, int]:
        """How many blocks it stands for with all repetitions, and how many groups deep it is."""
        return measure(self.body)

    def setting(self, name: str) -> Exposed:
        """An exposed setting by its name. Raises GroupError."""
        for exposed in self.exposed:
            if exposed.name == name:
                return exposed
        raise GroupError(f"{self.name} exposes no setting named “{name[:40]}”.")


class GroupUse(Block):
    """A group as a block of a network: all of it, with the values chosen for its exposed settings.

    Shape: as its blocks
    """

    kind: ClassVar[str] = "group"
    group: ClassVar[str] = "Group"

    definition: Group
    values: tuple[tuple[str, FieldValue], ...] = ()  # those that differ from the definition's

    # What other blocks declare for their class depends on the definition here.
    @property
    def title(self) -> str:  # type: ignore[override]
        """The group's name."""
        return self.definition.name

    @functools.cached_property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the input ports."""
        return tuple(node.name for node in self.definition.entries)

    @functools.cached_property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the output ports."""
        return tuple(node.name for node in self.definition.exits)

    @functools.cached_property
    def body(self) -> Graph:
        """The definition's blocks, with the values of this use."""
        body = self.definition.body
        for name, value in self.values:
            for node_id, field in self.definition.setting(name).fields:
                node = body.node(node_id)
                body = with_node(body, replace(node, block=with_field(node.block, field, value)))
        return body

    def value(self, name: str) -> FieldValue:
        """The value of an exposed setting."""
        node_id, field = self.definition.setting(name).fields[0]
        return dict(self.values).get(name, field_value(self.definition.body.node(node_id).block, field))

    def with_value(self, name: str, value: FieldValue) -> GroupUse:
        """This use with another value; one like the definition's is not kept, so that it follows the definition.

        Raises:
            GroupError: if there is no such setting.
            FieldError: if the value does not fit it.
            GraphError: if a link would lose its port by it.
        """
        others = tuple(pair for pair in self.values if pair[0] != name)
        followed = replace(self, values=others)
        if followed.value(name) == value:
            return followed
        changed = replace(self, values=tuple(sorted((*others, (name, value)))))
        ports = [node.block.outputs for node in self.body.nodes]
        if [node.block.outputs for node in changed.body.nodes] != ports:  # a FieldError, if the value does not fit
            changed.body.check()
        return changed


def with_node(graph: Graph, changed: Node) -> Graph:
    """A graph with one node replaced by another of the same id."""
    return replace(graph, nodes=tuple(changed if node.id == changed.id else node for node in graph.nodes))


# The settings of any block: its declared fields, or what a group exposes


def setting_specs(block: Declared) -> tuple[FieldSpec, ...]:
    """What can be set of a block, or of any other declaration; of a group, what it exposes."""
    if not isinstance(block, GroupUse):
        return fields.specs(type(block))
    return tuple(_exposed_spec(block.definition, exposed) for exposed in block.definition.exposed)


def _exposed_spec(group: Group, exposed: Exposed) -> FieldSpec:
    node_id, field = exposed.fields[0]
    inner = next(s for s in setting_specs(group.body.node(node_id).block) if s.name == field)
    default = field_value(group.body.node(node_id).block, field)
    return replace(inner, name=exposed.name, default=default)


def field_value(block: Declared, name: str) -> FieldValue:
    """The value of a setting."""
    if isinstance(block, GroupUse):
        return block.value(name)
    value: FieldValue = getattr(block, name)
    return value


def with_field(block: AnyDeclared, name: str, value: FieldValue) -> AnyDeclared:
    """A block with another value of a setting. Raises FieldError or GroupError."""
    if isinstance(block, GroupUse):
        return block.with_value(name, value)  # type: ignore[return-value]  # it is of the same class
    return fields.replace(block, **{name: value})


# What a graph holds


def can_repeat(block: Block) -> bool:
    """Whether a block can be applied several times in a row, and be bypassed."""
    return bool(block.inputs) and len(block.outputs) == 1 and not isinstance(block, BOUNDARY)


def definitions(graph: Graph) -> dict[str, Group]:
    """Every group used in a graph by its key, those used by others first."""
    found: dict[str, Group] = {}
    for group in _definitions(graph):
        found.setdefault(group.key, group)
    return found


def _definitions(graph: Graph) -> Iterator[Group]:
    for node in graph.nodes:
        if isinstance(node.block, GroupUse):
            yield from _definitions(node.block.definition.body)
            yield node.block.definition


def all_blocks(graph: Graph) -> Iterator[Block]:
    """Every block of a graph and of the groups in it, each group's once."""
    for body in (graph, *(group.body for group in definitions(graph).values())):
        for node in body.nodes:
            yield node.block


def trust_code(graph: Graph) -> None:
    """Let the custom code of a graph run until the program ends; only after the person said so."""
    for block in all_blocks(graph):
        if isinstance(block, CustomCode):
            trust_for_now(block.code)


def measure(graph: Graph) -> tuple[int, int]:
    """How many blocks a graph stands for with all groups and repetitions, and how many groups deep it is."""
    blocks = depth = 0
    for node in graph.nodes:
        inner, levels = node.block.definition.size if isinstance(node.block, GroupUse) else (0, -1)
        blocks += node.repeat * (1 + inner)
        depth = max(depth, levels + 1)
    return blocks, depth


def check_graph(graph: Graph) -> Graph:
    """A graph, if it and all groups in it are consistent.

    Raises:
        GraphError: see `Graph.check`; also for ports of groups outside of one, Inputs and Outputs inside, settings that
            are not there, linked groups that differ, notes with the id of something else, and more blocks or levels
            than are possible.
    """
    check_size(graph)
    _check_level(graph, {})
    taken = set(graph.by_id)
    for note in graph.notes:
        if check_id(note.id) in taken:
            raise GroupError(f"Two things on the canvas have the id “{note.id}”.")
        taken.add(note.id)
    for node in graph.nodes:
        if isinstance(node.block, BOUNDARY):
            raise GroupError(f"“{node.name}” is a {node.block.title}, which stands only inside a group.")
    return graph


def check_size(graph: Graph) -> None:
    """Raises GroupError if groups and repetitions make a graph too large."""
    blocks, depth = measure(graph)
    if blocks > MAX_BLOCKS:
        raise GroupError(f"With its groups and repetitions it has {blocks:,} blocks; {MAX_BLOCKS:,} are possible.")
    if depth > MAX_DEPTH:
        raise GroupError(f"Its groups stand {depth} deep in each other; at most {MAX_DEPTH} are possible.")


def check_linked(graph: Graph, block: Block) -> None:
    """Raises GroupError if a group that comes with a block is in a graph already, but is another there."""
    if isinstance(block, GroupUse):
        known = definitions(graph)
        for key, group in definitions(Graph((Node("n", "n", block),))).items():
            if known.get(key, group) != group:
                raise GroupError(f"There is another group named {known[key].name} that it would be linked with.")


def _check_level(graph: Graph, known: dict[str, Group]) -> None:
    graph.check()
    for node in graph.nodes:
        if not 1 <= node.repeat <= MAX_REPEAT:
            raise GroupError(f"“{node.name}” can be repeated 1 to {MAX_REPEAT:,} times, not {node.repeat:,}.")
        if (node.repeat > 1 or node.bypassed) and not can_repeat(node.block):
            raise GroupError(f"“{node.name}” ({node.block.title}) can be neither repeated nor bypassed.")
        if isinstance(node.block, GroupUse):
            _check_use(node.block, known)


def _check_use(use: GroupUse, known: dict[str, Group]) -> None:
    group = use.definition
    if group.key not in known:
        known[group.key] = group
        _check_group(group, known)
    elif known[group.key] != group:
        raise GroupError(f"Two linked groups named {group.name} differ.")
    for name, _ in use.values:
        group.setting(name)
    use.body.check()  # a FieldError; or a GraphError, where fewer ports are left


def _check_group(group: Group, known: dict[str, Group]) -> None:
    check_id(group.key)
    check_class_name(group.name)
    check_ends(group.body)
    _check_level(group.body, known)
    taken: set[str] = set()
    for exposed in group.exposed:
        if check_name(exposed.name) in taken:
            raise GroupError(f"{group.name} exposes two settings named “{exposed.name}”.")
        taken.add(exposed.name)
        if not exposed.fields or not all(has_field(group.body, *pair) for pair in exposed.fields):
            raise GroupError(f"{group.name} exposes “{exposed.name}”, which none of its blocks has.")


def check_ends(body: Graph) -> None:
    """Raises GroupError if an Input or Output stands in a group."""
    for node in body.nodes:
        if isinstance(node.block, Input | Output):
            raise GroupError(f"“{node.name}” cannot be in a group: a network's {node.block.title} stands outside.")


def has_field(body: Graph, node_id: str, field: str) -> bool:
    """Whether a node is there and has a setting of this name."""
    node = body.by_id.get(node_id)
    return node is not None and any(spec.name == field for spec in setting_specs(node.block))


# Changing all uses of a group


def redefine(graph: Graph, definition: Group) -> Graph:
    """A graph in which every use of a group, wherever it stands, has another definition.

    Links to ports that are gone are gone too; those to others follow their port. Values of settings that are gone or no
    longer fit are forgotten.

    Raises:
        GroupError: if the group would contain itself, or the graph would be too large.
    """
    if definition.key in definitions(definition.body):
        raise GroupError(f"{definition.name} cannot contain itself.")
    definition = _pruned(definition)
    done: dict[str, Group] = {definition.key: definition}

    def changed_group(group: Group) -> Group:
        if group.key not in done:
            body = _map_uses(group.body, changed_use)
            done[group.key] = group if body is group.body else _pruned(replace(group, body=body))
        return done[group.key]

    def changed_use(use: GroupUse) -> GroupUse:
        group = changed_group(use.definition)
        return use if group is use.definition else _with_definition(use, group)

    result = _map_uses(graph, changed_use)
    check_size(result)
    return result


def _pruned(group: Group) -> Group:
    """A group without exposed settings of what is no longer in it."""
    kept = []
    for exposed in group.exposed:
        pairs = tuple(pair for pair in exposed.fields if has_field(group.body, *pair))
        if pairs:
            kept.append(replace(exposed, fields=pairs))
    return replace(group, exposed=tuple(kept)) if tuple(kept) != group.exposed else group


def _with_definition(use: GroupUse, group: Group) -> GroupUse:
    result = GroupUse(group)
    names = {exposed.name for exposed in group.exposed}
    for name, value in use.values:
        try:
            result = result.with_value(name, value) if name in names else result
        except FieldError:  # its block is another one now, with another range
            continue
    return result


def _map_uses(graph: Graph, change: Callable[[GroupUse], GroupUse]) -> Graph:
    """A graph with its uses of groups changed; the same object if none was."""
    nodes = []
    ports: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
    for node in graph.nodes:
        changed = change(node.block) if isinstance(node.block, GroupUse) else node.block
        if changed is not node.block:
            assert isinstance(node.block, GroupUse)
            assert isinstance(changed, GroupUse)
            ports[node.id] = _moved_ports(node.block.definition, changed.definition)
            keeps = can_repeat(changed)
            node = replace(
                node, block=changed, repeat=node.repeat if keeps else 1, bypassed=node.bypassed and keeps
            )  # fmt: skip
        nodes.append(node)
    if not ports:
        return graph
    links = (_moved_link(link, ports) for link in graph.links)
    return replace(graph, nodes=tuple(nodes), links=tuple(link for link in links if link is not None))


def _moved_ports(before: Group, after: Group) -> tuple[dict[int, int], dict[int, int]]:
    """New numbers of the input and output ports by their old ones."""

    def moved(old: tuple[Node, ...], new: tuple[Node, ...]) -> dict[int, int]:
        numbers = {node.id: i for i, node in enumerate(new)}
        return {i: numbers[node.id] for i, node in enumerate(old) if node.id in numbers}

    return moved(before.entries, after.entries), moved(before.exits, after.exits)


def _moved_link(link: Link, ports: dict[str, tuple[dict[int, int], dict[int, int]]]) -> Link | None:
    output = ports[link.source][1].get(link.output) if link.source in ports else link.output
    input_ = ports[link.target][0].get(link.input) if link.target in ports else link.input
    return None if output is None or input_ is None else Link(link.source, output, link.target, input_)
