"""The options that name a project and its data, shared by several commands."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from studio.data import DataError, DataSpec, Findings, MissingDataError, Source
from studio.data import registry as datasets
from studio.data.base import Progress
from studio.data.looking import look
from studio.data.recognize import advice, recognize_at
from studio.fields import Declared, parse, specs
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
        return _proposed(source, None if source.needs_place else options.data_dir)
    project = read_template(options.template) if options.template else read_project(options.project)
    if options.trust:
        trust_code(project.graph)
    source = _chosen_source(options, project.data.source)
    if source == project.data.source:
        return project
    graph = fit_ends(project.graph, known_spec(source)).apply(project.graph)
    return replace(project, data=project.data.with_source(source), graph=graph)


def _chosen_source(options: argparse.Namespace, now: Source | None) -> Source:
    source, folder = find_source(options.data, now) if options.data else (now, None)
    assert source is not None
    source = with_settings(source, options.set)
    if options.data_dir is None:
        options.data_dir = folder
    elif source.needs_place:
        source = source.at(options.data_dir.expanduser().absolute())
    if options.trust:
        trust_data(source)
    return source


def trust_data(source: Source) -> None:
    """Let the code of a person's own run that gives the data, if there is any. Raises DataError."""
    code = source.code
    if code is not None:
        trust_for_now(code)


def _proposed(source: Source, folder: Path | None) -> Project:
    """A project with a network for the data. Said on standard error: what it is made for.

    Args:
        folder: where the person has the files of a known dataset.
    """
    findings = Findings(source.spec) if folder is not None and source.spec.target.size else look(source, folder)
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
        return look(source).spec
    except MissingDataError as error:
        print(f"studio: the data was not looked at: {error}", file=sys.stderr)
        return source.spec


def find_source(data: str, now: Source | None = None) -> tuple[Source, Path | None]:
    """The dataset of a name, or the one that a file or folder of the person's is.

    Args:
        data: a kind of dataset, or a path.
        now: the source of the project; if it can read the path, its settings stay.

    Returns:
        the source, and for a known dataset the folder in which the person has it; None if it was named.

    Raises:
        UnknownKindError: if it is neither.
        DataError: if nothing here can read the path.
    """
    path = Path(data).expanduser().absolute()
    if data in datasets.kinds() or not path.exists():
        return datasets.get(data)(), None
    with _unpacking(path) as progress:
        found = recognize_at(path, progress)
    if not found.sources:
        known = "a table, folders of pictures, texts or sounds of each class, or the original files of a dataset"
        told = filter(None, (f"{path} is nothing that can be used here.", advice(path), f"What can: {known}."))
        raise DataError(" ".join(told))
    source = next((other for other in found.sources if now is not None and other.kind == now.kind), found.sources[0])
    if not source.needs_place:
        return source, found.folder
    return (now.at(Path(source.place)) if now is not None and source.kind == now.kind else source), None


@contextlib.contextmanager
def _unpacking(path: Path) -> Iterator[Progress]:
    """A progress bar on standard error, if an archive has to be unpacked and somebody looks."""
    bars: list[Any] = []

    def progress(done: int, total: int) -> None:
        from tqdm import tqdm

        if not bars:
            bars.append(
                tqdm(total=total, unit="B", unit_scale=True, desc=f"Unpack {path.name}", disable=None, leave=False)
            )
        bars[0].update(done - bars[0].n)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()


def with_settings(source: Source, settings: list[str]) -> Source:
    """The source with settings written FIELD=VALUE. Raises ValueError."""
    return set_fields(source, source.title, settings)


D = TypeVar("D", bound=Declared)


def set_fields(declared: D, title: str, settings: list[str]) -> D:
    """A declaration with fields written FIELD=VALUE.

    Args:
        title: what it is called in messages.

    Raises:
        ValueError: if there is no such field, or the value does not fit.
    """
    known = {spec.name: spec for spec in specs(type(declared))}
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if name not in known or not equals:
            names = ", ".join(known) or "none"
            raise ValueError(f"“{setting[:80]}” is no setting of {title}. Write FIELD=VALUE; its fields: {names}.")
        try:
            changes[name] = parse(known[name], text)
        except ValueError as error:
            raise ValueError(f"{title}: “{text[:80]}” is no value for {name}.") from error
    return replace_fields(declared, **changes)
