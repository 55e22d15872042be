"""Small runs to evaluate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.training.control import Control
from studio.training.runner import Job, run


def trained_run(folder: Path, template: str | Project, **settings: object) -> tuple[Path, dict[str, dict[str, float]]]:
    """Train a template or a project for a little while; gives the folder of the run and the figures at its end."""
    project = read_template(template) if isinstance(template, str) else template
    project = replace(project, training=replace_fields(project.training, **{"epochs": 2, "threads": 1, **settings}))
    finished = run(Job(project, folder), Control(), lambda _event: None)
    return folder, finished.metrics
