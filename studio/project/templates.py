"""Templates: project files that come with the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.assets import resource
from studio.project.file import SUFFIX, read_project
from studio.project.model import Project

DEFAULT_TEMPLATE = "digits-cnn"


class UnknownTemplateError(ValueError):
    """A template is named that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no template “{name[:80]}”. Known: {', '.join(t.name for t in templates())}.")


@dataclass(frozen=True)
class Template:
    """A ready network: its short name and its file."""

    name: str
    path: Path


def templates() -> list[Template]:
    """All templates, by name."""
    paths = sorted(resource("templates").glob(f"*{SUFFIX}"))
    return [Template(path.name.removesuffix(SUFFIX), path) for path in paths]


def read_template(name: str) -> Project:
    """Open a template. Raises UnknownTemplateError."""
    for template in templates():
        if template.name == name:
            return read_project(template.path)
    raise UnknownTemplateError(name)
