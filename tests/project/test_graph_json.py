"""Groups, repetitions and notes come back from a file as they were; hostile ones are refused in plain words."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from studio.graph import Graph
from studio.graph.copies import duplicate
from studio.graph.edits import AddNote, SetBlock, SetBypassed, SetRepeat
from studio.graph.group_edits import Expose, MakeGroup, Unfold, group_made
from studio.graph.groups import GroupUse
from studio.graph.model import Note
from studio.project.graph_json import graph_from_json, graph_to_json
from tests.helpers import block, chain


def network() -> Graph:
    """A group in a group that is used twice with different values; one repeated, one block bypassed; a note."""
    graph = chain(block("input", shape=(4,)), block("dense", units=4), block("relu"), block("dense"), block("output"))
    for ids in ({"n2", "n3"}, None):
        edit = MakeGroup(frozenset(ids or {path}))  # noqa: F821  (of the round before)
        path = group_made(graph, edit)
        graph = edit.apply(graph)
        inner = next(node.id for node in graph.node(path).block.body.nodes)  # type: ignore[attr-defined]
        graph = Expose(f"{path}/{inner}", "units" if ids else "width", "width").apply(graph)
    copied, (second,) = duplicate(graph, [path])
    graph = copied.apply(graph)
    use = graph.node(second).block
    assert isinstance(use, GroupUse)
    graph = SetBlock(second, use.with_value("width", 9)).apply(graph)
    graph = Unfold(path, unfolded=True).apply(SetRepeat(path, 3).apply(graph))
    graph = SetBypassed(frozenset({"n4"}), bypassed=True).apply(graph)
    return AddNote(Note("t1", "It learns.\n数字", 1.5, -2.0, 100.0, 50.0)).apply(graph)


def test_it_comes_back_equal() -> None:
    graph = network()
    text = json.dumps(graph_to_json(graph))
    assert graph_from_json(json.loads(text)) == graph
    assert len(json.loads(text)["groups"]) == 2


def test_a_graph_without_any_of_it_has_no_word_of_it() -> None:
    assert set(graph_to_json(chain(block("relu")))) == {"nodes", "links"}


Change = Callable[[dict[str, Any]], None]


def at(path: str, value: object) -> Change:
    """Puts a value at a place such as groups/0/name."""

    def change(data: dict[str, Any]) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in way:
            data = data[part]  # type: ignore[call-overload]
        data[last] = value  # type: ignore[index]

    return change


def nested(data: dict[str, Any]) -> None:
    """Each group uses the one before it twice: 2 to the power of 60 blocks."""
    node = {"id": "n1", "name": "relu_1", "kind": "relu"}
    data["groups"] = [{"key": "k0", "name": "K0", "nodes": [node], "links": []}]
    for number in range(1, 12):
        uses = [{"id": f"n{i}", "name": f"u{i}", "kind": "group", "group": f"k{number - 1}"} for i in range(32)]
        data["groups"].append({"key": f"k{number}", "name": f"K{number}", "nodes": uses, "links": []})
    data["nodes"] = [{"id": "n1", "name": "all", "kind": "group", "group": "k11"}]
    data["links"] = []


def renamed(data: dict[str, Any]) -> None:
    """An exposed setting would be an argument named self."""
    data["groups"][1]["exposed"][0]["name"] = "self"
    for node in data["nodes"]:
        if node["kind"] == "group":
            node["values"] = {}


HOSTILE: dict[str, tuple[Change, str]] = {
    "unknown group": (at("nodes/1/group", "g9"), "not defined before it"),
    "group is no text": (at("nodes/1/group", ["g1"]), "not defined before it"),
    "used before defined": (lambda data: data["groups"].reverse(), "not defined before it"),
    "defined twice": (lambda data: data["groups"].append(copy.deepcopy(data["groups"][0])), "two groups have the key"),
    "class name": (at("groups/0/name", "__import__('os')"), "cannot be a group's name"),
    "keyword": (at("groups/0/name", "class"), "cannot be a group's name"),
    "torch": (at("groups/0/name", "torch"), "cannot be a group's name"),
    "long name": (at("groups/0/name", "A" * 10_000), "cannot be a group's name"),
    "key": (at("groups/0/key", "a/b"), "not defined before it"),
    "exposed dunder": (at("groups/0/exposed/0/fields", [["n2", "__class__"]]), "one of its fields"),
    "exposed elsewhere": (at("groups/0/exposed/0/fields", [["n99", "units"]]), "one of its fields"),
    "exposed nothing": (at("groups/0/exposed/0/fields", []), "at least one field"),
    "exposed name": (renamed, "cannot be a block's name"),
    "value out of range": (at("nodes/1/values", {"width": -1}), "must be at least"),
    "value of nothing": (at("nodes/1/values", {"depth": 1}), "exposes no setting"),
    "values are no object": (at("nodes/1/values", [1]), "an object"),
    "values of a block": (at("nodes/0/values", {}), "belongs to groups only"),
    "repeat": (at("nodes/1/repeat", 10**9), "are possible"),
    "repeat often": (at("nodes/1/repeat", 5000), "1 to 1,000 times"),
    "repeat nothing": (at("nodes/1/repeat", 0), "1 to 1,000 times"),
    "repeat true": (at("nodes/1/repeat", True), "must be a whole number"),
    "repeated input": (at("nodes/0/repeat", 2), "neither repeated nor bypassed"),
    "bypassed output": (at("nodes/3/bypassed", True), "neither repeated nor bypassed"),
    "flag": (at("nodes/1/unfolded", 1), "true or false"),
    "input in a group": (at("groups/0/nodes/1/kind", "output"), "cannot be in a group"),
    "port outside": (at("nodes/3/kind", "group_output"), "only inside a group"),
    "note too long": (at("canvas_notes/0/text", "x" * 10_001), "10,000 characters"),
    "note nowhere": (at("canvas_notes/0/position", [0, float("inf")]), "two numbers"),
    "note too small": (at("canvas_notes/0/size", [0, 0]), "sides of a note"),
    "note is a block": (at("canvas_notes/0/id", "n1"), "id “n1”"),
    "groups are no list": (at("groups", {}), "must be a list"),
    "billions": (nested, "are possible"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_refused(name: str) -> None:
    change, message = HOSTILE[name]
    data = json.loads(json.dumps(graph_to_json(network())))
    if name in {"bypassed output", "port outside"}:
        data["nodes"] = data["nodes"][:3] + [n for n in data["nodes"] if n["kind"] == "output"]
        data["links"] = []
        data["nodes"][3].pop("fields")
    change(data)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        graph_from_json(data)
    assert len(str(caught.value)) < 400
