"""The project file: versioned JSON, checked at the door, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from studio import storage
from studio.blocks import registry as blocks
from studio.data.choice import DataChoice
from studio.fields import from_json, to_json
from studio.graph import Graph, Link, Node
from studio.graph.edits import MAX_COORDINATE
from studio.project.model import Project
from studio.settings import TrainingSettings

FORMAT = "training-studio-project"
VERSION = 1
SUFFIX = ".studio.json"
MAX_NODES = 20_000
MAX_TEXT = 100_000


class ProjectFileError(storage.BadFileError):
    """A file is not a project that this program can open; the message says where and why."""


def project_to_json(project: Project) -> dict[str, Any]:
    """A project as plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": project.title,
        "notes": project.notes,
        "data": project.data.to_json(),
        "training": project.training.to_json(),
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "kind": node.block.kind,
                "fields": to_json(node.block),
                "position": [node.x, node.y],
            }
            for node in project.graph.nodes
        ],
        "links": [
            {"from": [link.source, link.output], "to": [link.target, link.input]} for link in project.graph.links
        ],
    }


def project_from_json(data: object, where: str) -> Project:
    """A project from plain JSON values.

    Args:
        data: what `project_to_json` gave.
        where: the file's name, for messages.

    Raises:
        ProjectFileError: if anything in it is not as it should be.
    """
    try:
        _check_version(data)
        top = _object(data, "the file", required={"format", "version", "nodes", "links"}, allowed=_TOP_KEYS)
        return Project(
            graph=Graph(_nodes(top["nodes"]), _links(top["links"])).check(),
            data=DataChoice.from_json(top["data"]) if "data" in top else DataChoice(),
            training=TrainingSettings.from_json(top.get("training", {})),
            title=_text(top.get("title", "Untitled"), "title"),
            notes=_text(top.get("notes", ""), "notes"),
        )
    except ValueError as error:  # FieldError, GraphError, UnknownKindError and those below
        raise ProjectFileError(f"{where} cannot be opened: {error}") from error


_TOP_KEYS = {"format", "version", "title", "notes", "data", "training", "nodes", "links"}


def read_project(path: Path) -> Project:
    """Open a project file.

    Raises:
        StorageError: if it cannot be read.
        ProjectFileError: if it is not a valid project.
    """
    return project_from_json(storage.read_json(path), str(path))


def write_project(path: Path, project: Project) -> None:
    """Save a project, whole or not at all. Raises StorageError."""
    storage.write_json(path, project_to_json(project))


def _check_version(data: object) -> None:
    """Comes before all else: what a newer version adds is not to be called a fault of the file."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise ValueError("it is JSON, but not a Training Studio project.")
    version = data.get("version")
    if not _is_whole(version) or version < 1:
        raise ValueError("its version is not a whole number.")
    if version > VERSION:
        raise ValueError(f"it was saved by a newer Training Studio (file version {str(version)[:20]}). Update first.")


def _is_whole(value: object) -> TypeGuard[int]:
    """Whether a JSON value is a whole number; true and false are none, though Python counts them among the integers."""
    return isinstance(value, int) and not isinstance(value, bool)


def _nodes(items: object) -> tuple[Node, ...]:
    nodes = _list(items, "nodes")
    if len(nodes) > MAX_NODES:
        raise ValueError(f"it has {len(nodes)} blocks; at most {MAX_NODES} are possible.")
    return tuple(_node(item, f"block {i + 1}") for i, item in enumerate(nodes))


def _node(item: object, where: str) -> Node:
    data = _object(item, where, required={"id", "name", "kind"}, allowed={"id", "name", "kind", "fields", "position"})
    if not isinstance(data["kind"], str):
        raise ValueError(f"{where}: its kind is not a text.")
    try:
        block = from_json(blocks.get(data["kind"]), data.get("fields", {}))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    x, y = _position(data.get("position", [0, 0]), where)
    return Node(data["id"], data["name"], block, x, y)


def _position(value: object, where: str) -> tuple[float, float]:
    match value:
        case [x, y] if _is_coordinate(x) and _is_coordinate(y):
            return float(x), float(y)
    raise ValueError(f"{where}: its position must be two numbers of at most {MAX_COORDINATE:,.0f}.")


def _is_coordinate(value: object) -> TypeGuard[float]:
    return (_is_whole(value) or isinstance(value, float)) and abs(value) <= MAX_COORDINATE


def _links(items: object) -> tuple[Link, ...]:
    return tuple(_link(item, f"link {i + 1}") for i, item in enumerate(_list(items, "links")))


def _link(item: object, where: str) -> Link:
    data = _object(item, where, required={"from", "to"}, allowed={"from", "to"})
    match data["from"], data["to"]:
        case [str() as source, output], [str() as target, input_] if _is_whole(output) and _is_whole(input_):
            return Link(source, output, target, input_)
    raise ValueError(f"{where}: each end must be a block's id and a port number.")


def _object(value: object, where: str, *, required: set[str], allowed: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a JSON object.")
    for key in sorted(required - set(value)):
        raise ValueError(f"{where}: “{key}” is missing.")
    for key in sorted(set(value) - allowed):
        raise ValueError(f"{where}: “{key[:40]}” is unknown.")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"“{where}” must be a list.")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"“{where}” must be a text of at most {MAX_TEXT} characters.")
    return value
