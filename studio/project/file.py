"""The project file: versioned JSON, checked at the door, written whole or not at all."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio import storage
from studio.data.choice import DataChoice
from studio.fields import FieldError
from studio.project.graph_json import (
    GRAPH_KEYS,
    REQUIRED_KEYS,
    checked_object,
    checked_text,
    graph_from_json,
    graph_to_json,
    is_whole,
)
from studio.project.model import Project, StartingWeights
from studio.settings import TrainingSettings

MAX_PATH = 4_096  # characters
FORMAT = "training-studio-project"
# 2: groups, repetitions, bypassed blocks, notes on the canvas; 3: starting weights; 4: samples left out; 5: labels that
# were changed, samples to look at later
VERSION = 5
SUFFIX = ".studio.json"


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
        **({"weights": _weights_to_json(project.weights)} if project.weights else {}),
        **graph_to_json(project.graph),
    }


def _weights_to_json(weights: StartingWeights) -> dict[str, str]:
    return {"path": weights.path.as_posix(), "sha256": weights.sha256}


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
        top = checked_object(data, "the file", required={"format", "version", *REQUIRED_KEYS}, allowed=_TOP_KEYS)
        return Project(
            graph=graph_from_json(top),
            data=DataChoice.from_json(top["data"]) if "data" in top else DataChoice(),
            training=TrainingSettings.from_json(top.get("training", {})),
            title=checked_text(top.get("title", "Untitled"), "title"),
            notes=checked_text(top.get("notes", ""), "notes"),
            weights=_weights(top["weights"]) if "weights" in top else None,
        )
    except ValueError as error:  # FieldError, GraphError, UnknownKindError and those below
        raise ProjectFileError(f"{where} cannot be opened: {error}") from error


_TOP_KEYS = {"format", "version", "title", "notes", "data", "training", "weights", *GRAPH_KEYS}


def _weights(item: object) -> StartingWeights:
    keys = {"path", "sha256"}
    fields = checked_object(item, "weights", required=keys, allowed=keys)
    path, digest = (checked_text(fields[key], f"the {key} of the weights") for key in ("path", "sha256"))
    if not path or len(path) > MAX_PATH or not path.isprintable():
        raise ValueError(f"the path of the weights is not one of 1 to {MAX_PATH:,} printable characters.")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("the sha256 of the weights is not 64 hexadecimal digits.")
    return StartingWeights(Path(path), digest)


def read_project(path: Path) -> Project:
    """Open a project file.

    Raises:
        StorageError: if it cannot be read.
        ProjectFileError: if it is not a valid project.
    """
    project = project_from_json(storage.read_json(path), str(path))
    source = project.data.source
    if source.needs_place and source.place and not Path(source.place).is_absolute():
        with contextlib.suppress(FieldError):  # it lies on a network; then the data is told to be missing
            project = _with_place(project, path.absolute().parent / source.place)
    if project.weights is not None and not project.weights.path.is_absolute():
        weights = replace(project.weights, path=path.absolute().parent / project.weights.path)
        project = replace(project, weights=weights)
    return project


def write_project(path: Path, project: Project) -> None:
    """Save a project, whole or not at all. Raises StorageError.

    Starting weights and data that lie in its folder are named relative to it, so that all can be moved together.
    """
    folder = path.absolute().parent
    source = project.data.source
    if source.needs_place and source.place and Path(source.place).is_relative_to(folder):
        project = _with_place(project, Path(source.place).relative_to(folder))
    if project.weights is not None and project.weights.path.is_relative_to(folder):
        weights = replace(project.weights, path=project.weights.path.relative_to(folder))
        project = replace(project, weights=weights)
    storage.write_json(path, project_to_json(project))


def _with_place(project: Project, place: Path) -> Project:
    return replace(project, data=replace(project.data, source=project.data.source.at(place)))


def _check_version(data: object) -> None:
    """Comes before all else: what a newer version adds is not to be called a fault of the file."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise ValueError("it is JSON, but not a Training Studio project.")
    version = data.get("version")
    if not is_whole(version) or version < 1:
        raise ValueError("its version is not a whole number.")
    if version > VERSION:
        raise ValueError(f"it was saved by a newer Training Studio (file version {str(version)[:20]}). Update first.")
