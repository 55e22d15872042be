"""The options that name a project and its data, shared by several commands."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from studio.data import DataError, DataSpec, Findings, MissingDataError, Source
from studio.data import registry as datasets
from studio.data.recognize import advice, recognize
from studio.fields import parse, specs
from studio.fields import replace as replace_fields
from studio.graph.groups import trust_code
from studio.project import Project, read_project, read_template
from studio.project.model import fit_ends
from studio.project.propose import propose_project
from studio.trust import trust_for_now


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT or --template, and the data: --data, --data-dir and --set."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("project", nargs="?", type=Path, metavar="PROJECT", help="a project file")
    which.add_argument("--template", metavar="NAME", help="a template; see: studio list templates")
    add_trust_option(parser)
    parser.add_argument(
        "--data",
        metavar="PATH|NAME",
        help="your own file or folder, or a dataset (see: studio list datasets); alone: with a network made for it",
    )
    parser.add_argument("--data-dir", type=Path, metavar="PATH", help="the folder with the dataset’s files; only read")
    add_setting_option(parser)


def add_setting_option(parser: argparse.ArgumentParser) -> None:
    """Add --set."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a setting of the dataset; may be repeated"
    )


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    """Add --trust."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run the custom code in the project, or the Python file that is the data; read it before",
    )


def read_chosen_project(options: argparse.Namespace) -> Project:
    """The project that the options name, with the chosen dataset and its settings, its ends fitted to that.

    Raises:
        StorageError, DataError, ValueError: if it cannot be read or does not exist, if a setting does not fit, or if
            no network can be proposed for the data.
    """
    if options.project is None and not options.template:
        if not options.data:
            raise ValueError("Name a project file, --template NAME or --data PATH|NAME.")
        source = _chosen_source(options, None)
        return _proposed(source, elsewhere=options.data_dir is not None and not source.needs_place)
    project = read_template(options.template) if options.template else read_project(options.project)
    if options.trust:
        trust_code(project.graph)
    source = _chosen_source(options, project.data.source)
    if source == project.data.source:
        return project
    graph = fit_ends(project.graph, known_spec(source)).apply(project.graph)
    return replace(project, data=project.data.with_source(source), graph=graph)


def _chosen_source(options: argparse.Namespace, now: Source | None) -> Source:
    source = find_source(options.data, now) if options.data else now
    assert source is not None
    source = with_settings(source, options.set)
    if options.data_dir is not None and source.needs_place:
        source = source.at(options.data_dir.expanduser().absolute())
    elif options.data and options.data_dir is None and not source.needs_place and options.data not in datasets.kinds():
        place = Path(options.data).expanduser().absolute()
        options.data_dir = place if place.is_dir() else place.parent  # a known dataset, where the person has it
    if options.trust:
        trust_data(source)
    return source


def trust_data(source: Source) -> None:
    """Let the code of a person's own run that gives the data, if there is any. Raises DataError."""
    code = source.code
    if code is not None:
        trust_for_now(code)


def _proposed(source: Source, *, elsewhere: bool) -> Project:
    """A project with a network for the data. Said on standard error: what it is made for.

    Args:
        elsewhere: whether it is a known dataset in a folder of the person's, where it cannot look itself.
    """
    findings = Findings(source.spec) if elsewhere else source.look()
    project = propose_project(source, findings)
    blocks = ", ".join(node.block.title for node in project.graph.order)
    print(f"{source.title}: {findings.summary or source.about}\nProposed network: {blocks}", file=sys.stderr)
    return project


def known_spec(source: Source) -> DataSpec:
    """What is known of the data, with what reading tells if it is there and has to be read for that.

    Raises:
        DataError: if its files are broken.
    """
    if not source.needs_place and source.spec.target.size:
        return source.spec
    try:
        return source.look().spec
    except MissingDataError as error:
        print(f"studio: the data was not looked at: {error}", file=sys.stderr)
        return source.spec


def find_source(data: str, now: Source | None = None) -> Source:
    """The dataset of a name, or the one that a file or folder of the person's is.

    Args:
        data: a kind of dataset, or a path.
        now: the source of the project; if it can read the path, its settings stay.

    Raises:
        UnknownKindError: if it is neither.
        DataError: if nothing here can read the path.
    """
    path = Path(data).expanduser().absolute()
    if data in datasets.kinds() or not path.exists():
        return datasets.get(data)()
    found = recognize(path)
    if not found:
        known = "a table, folders of pictures, texts or sounds of each class, or the original files of a dataset"
        what = advice(path) or f"What can: {known}."
        raise DataError(f"{path} is nothing that can be used here. {what}")
    source = next((other for other in found if now is not None and other.kind == now.kind), found[0])
    if now is not None and source.kind == now.kind and now.needs_place:
        return now.at(path)
    return source


def with_settings(source: Source, settings: list[str]) -> Source:
    """The source with settings written FIELD=VALUE. Raises ValueError."""
    known = {spec.name: spec for spec in specs(type(source))}
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if name not in known or not equals:
            names = ", ".join(known) or "none"
            raise ValueError(
                f"“{setting[:80]}” is no setting of {source.title}. Write FIELD=VALUE; its fields: {names}."
            )
        try:
            changes[name] = parse(known[name], text)
        except ValueError as error:
            raise ValueError(f"{source.title}: “{text[:80]}” is no value for {name}.") from error
    return replace_fields(source, **changes)
