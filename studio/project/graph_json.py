"""A graph as plain JSON values, checked at the door: in project files and on the clipboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from studio.blocks import Block
from studio.blocks import registry as blocks
from studio.fields import FieldValue, from_json, specs, to_json
from studio.graph import Graph, Link, Node
from studio.graph.edits import MAX_COORDINATE, check_note
from studio.graph.groups import (
    MAX_DEPTH,
    Exposed,
    Group,
    GroupInput,
    GroupOutput,
    GroupUse,
    check_graph,
    definitions,
    has_field,
    measure,
)
from studio.graph.model import Note

MAX_NODES = 20_000
MAX_TEXT = 100_000
REQUIRED_KEYS = frozenset({"nodes", "links"})
GRAPH_KEYS = REQUIRED_KEYS | {"groups", "canvas_notes"}
_PORTS: dict[str, type[Block]] = {block.kind: block for block in (GroupInput, GroupOutput)}
_NODE_KEYS = {"id", "name", "kind", "fields", "position", "group", "values", "repeat", "bypassed", "unfolded", "frozen"}


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """A graph as JSON values; each group stands once, before those that use it."""
    data = _level_to_json(graph)
    groups = [_group_to_json(group) for group in definitions(graph).values()]
    notes = [_note_to_json(note) for note in graph.notes]
    return data | ({"groups": groups} if groups else {}) | ({"canvas_notes": notes} if notes else {})


def _note_to_json(note: Note) -> dict[str, Any]:
    return {"id": note.id, "text": note.text, "position": [note.x, note.y], "size": [note.width, note.height]}


def _group_to_json(group: Group) -> dict[str, Any]:
    return {
        "key": group.key,
        "name": group.name,
        "exposed": [{"name": e.name, "fields": [list(pair) for pair in e.fields]} for e in group.exposed],
        **_level_to_json(group.body),
    }


def _level_to_json(graph: Graph) -> dict[str, Any]:
    return {
        "nodes": [_node_to_json(node) for node in graph.nodes],
        "links": [{"from": [k.source, k.output], "to": [k.target, k.input]} for k in graph.links],
    }


def _node_to_json(node: Node) -> dict[str, Any]:
    data: dict[str, Any] = {"id": node.id, "name": node.name, "kind": node.block.kind}
    if isinstance(node.block, GroupUse):
        data["group"] = node.block.definition.key
        data["values"] = {k: list(v) if isinstance(v, tuple) else v for k, v in node.block.values}
    else:
        data["fields"] = _fields_to_json(node.block)
    data["position"] = [node.x, node.y]
    usual = {"repeat": 1, "bypassed": False, "unfolded": False, "frozen": False}
    data.update({key: getattr(node, key) for key, value in usual.items() if getattr(node, key) != value})
    return data


def _fields_to_json(block: Block) -> dict[str, Any]:
    """All fields, but for younger ones that are as usual: files of before stay as they were."""
    usual = {spec.name: spec.default for spec in specs(type(block)) if spec.name in block.later}
    return {name: v for name, v in to_json(block).items() if name not in usual or v != usual[name]}


def graph_from_json(data: Mapping[str, Any]) -> Graph:
    """A graph from JSON values.

    Raises:
        ValueError: if anything in it is not as it should be (FieldError, GraphError, UnknownKindError among others).
    """
    groups: dict[str, Group] = {}
    for number, item in enumerate(checked_list(data.get("groups", []), "groups")):
        group = _group(item, f"group {number + 1}", groups)
        if group.key in groups:
            raise ValueError(f"two groups have the key “{group.key}”.")
        groups[group.key] = group
    nodes, links = _nodes(data["nodes"], groups), _links(data["links"])
    notes = checked_list(data.get("canvas_notes", []), "canvas_notes")
    return check_graph(Graph(nodes, links, tuple(_note(item, f"note {i + 1}") for i, item in enumerate(notes))))


def _group(item: object, where: str, known: dict[str, Group]) -> Group:
    keys = {"key", "name", "nodes", "links"}
    data = checked_object(item, where, required=keys, allowed=keys | {"exposed"})
    body = Graph(_nodes(data["nodes"], known), _links(data["links"]))
    exposed = tuple(_exposed(e, where, body) for e in checked_list(data.get("exposed", []), "exposed"))
    key, name = checked_text(data["key"], "key"), checked_text(data["name"], "name")
    if measure(body)[1] > MAX_DEPTH:
        raise ValueError(f"{where}: at most {MAX_DEPTH} groups can stand in each other.")
    return Group(key, name, body, exposed)


def _exposed(item: object, where: str, body: Graph) -> Exposed:
    data = checked_object(item, where, required={"name", "fields"}, allowed={"name", "fields"})
    pairs = []
    for pair in checked_list(data["fields"], "fields"):
        match pair:
            case [str() as node_id, str() as field] if has_field(body, node_id, field):
                pairs.append((node_id, field))
            case _:
                raise ValueError(f"{where}: an exposed setting must name a block of the group and one of its fields.")
    if not pairs:
        raise ValueError(f"{where}: an exposed setting must name at least one field.")
    return Exposed(checked_text(data["name"], "name"), tuple(pairs))


def _nodes(items: object, groups: dict[str, Group]) -> tuple[Node, ...]:
    nodes = checked_list(items, "nodes")
    if len(nodes) > MAX_NODES:
        raise ValueError(f"it has {len(nodes)} blocks; at most {MAX_NODES} are possible.")
    return tuple(_node(item, f"block {i + 1}", groups) for i, item in enumerate(nodes))


def _node(item: object, where: str, groups: dict[str, Group]) -> Node:
    data = checked_object(item, where, required={"id", "name", "kind"}, allowed=_NODE_KEYS)
    if not isinstance(data["kind"], str):
        raise ValueError(f"{where}: its kind is not a text.")
    try:
        block = _group_use(data, groups) if data["kind"] == GroupUse.kind else _block(data)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    x, y = _pair_of_numbers(data.get("position", [0, 0]), where, "position")
    repeat, flags = data.get("repeat", 1), [data.get(key, False) for key in ("bypassed", "unfolded", "frozen")]
    if not is_whole(repeat) or not all(isinstance(flag, bool) for flag in flags):
        raise ValueError(
            f"{where}: “repeat” must be a whole number, “bypassed”, “unfolded” and “frozen” true or false."
        )
    return Node(data["id"], data["name"], block, x, y, repeat, *flags)


def _block(data: Mapping[str, Any]) -> Block:
    for key in ("group", "values"):
        if key in data:
            raise ValueError(f"“{key}” belongs to groups only.")
    kind = data["kind"]
    return from_json(_PORTS.get(kind) or blocks.get(kind), data.get("fields", {}))


def _group_use(data: Mapping[str, Any], groups: dict[str, Group]) -> GroupUse:
    key, values = data.get("group"), data.get("values", {})
    if not isinstance(key, str) or key not in groups:
        raise ValueError("it uses a group that is not defined before it.")
    if data.get("fields", {}) != {} or not isinstance(values, Mapping):
        raise ValueError("a group has “values”, an object, and no “fields”.")
    chosen: list[tuple[str, FieldValue]] = [(k, tuple(v) if isinstance(v, list) else v) for k, v in values.items()]
    use = GroupUse(groups[key])
    for name, value in chosen:
        use = use.with_value(name, value)
    return use


def _note(item: object, where: str) -> Note:
    keys = {"id", "text", "position", "size"}
    data = checked_object(item, where, required=keys, allowed=keys)
    position, size = (_pair_of_numbers(data[key], where, key) for key in ("position", "size"))
    return check_note(Note(checked_text(data["id"], "id"), checked_text(data["text"], "text"), *position, *size))


def _pair_of_numbers(value: object, where: str, what: str) -> tuple[float, float]:
    match value:
        case [x, y] if _is_coordinate(x) and _is_coordinate(y):
            return float(x), float(y)
    raise ValueError(f"{where}: its {what} must be two numbers of at most {MAX_COORDINATE:,.0f}.")


def _is_coordinate(value: object) -> TypeGuard[float]:
    return (is_whole(value) or isinstance(value, float)) and abs(value) <= MAX_COORDINATE


def _links(items: object) -> tuple[Link, ...]:
    return tuple(_link(item, f"link {i + 1}") for i, item in enumerate(checked_list(items, "links")))


def _link(item: object, where: str) -> Link:
    data = checked_object(item, where, required={"from", "to"}, allowed={"from", "to"})
    match data["from"], data["to"]:
        case [str() as source, output], [str() as target, input_] if is_whole(output) and is_whole(input_):
            return Link(source, output, target, input_)
    raise ValueError(f"{where}: each end must be a block's id and a port number.")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a JSON value is a whole number; true and false are none, though Python counts them among the integers."""
    return isinstance(value, int) and not isinstance(value, bool)


def checked_object(
    value: object, where: str, *, required: set[str] | frozenset[str], allowed: set[str] | frozenset[str]
) -> Mapping[str, Any]:
    """The value, if it is an object with these keys. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a JSON object.")
    for key in sorted(required - set(value)):
        raise ValueError(f"{where}: “{key}” is missing.")
    for key in sorted(set(value) - allowed):
        raise ValueError(f"{where}: “{key[:40]}” is unknown.")
    return value


def checked_list(value: object, where: str) -> list[Any]:
    """The value, if it is a list. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError(f"“{where}” must be a list.")
    return value


def checked_text(value: object, where: str) -> str:
    """The value, if it is a text that is not too long. Raises ValueError."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"“{where}” must be a text of at most {MAX_TEXT} characters.")
    return value
