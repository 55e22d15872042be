"""The options that name a project, shared by several commands."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from studio.data import registry as datasets
from studio.project import Project, read_project, read_template
from studio.project.model import fit_inputs


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT or --template, and --data."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("project", nargs="?", type=Path, metavar="PROJECT", help="a project file")
    which.add_argument("--template", metavar="NAME", help="a template; see: studio list templates")
    parser.add_argument("--data", metavar="NAME", help="another dataset; see: studio list datasets")


def read_chosen_project(options: argparse.Namespace) -> Project:
    """The project that the options name, with the chosen dataset.

    Raises:
        StorageError, ValueError: if it cannot be read or does not exist.
    """
    project = read_template(options.template) if options.template else read_project(options.project)
    if options.data:
        choice = replace(project.data, source=datasets.get(options.data)())
        graph = fit_inputs(project.graph, choice.spec).apply(project.graph)
        project = replace(project, data=choice, graph=graph)
    return project
