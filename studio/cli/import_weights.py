"""studio import-weights: weights of another program become those that a project starts from."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.project_options import add_trust_option
from studio.graph.groups import trust_code
from studio.project import read_project, write_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.importing.weights.matching import Match
    from studio.importing.weights.tensors import ForeignTensor, WeightFile


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "import-weights", help="start a project from the weights of another program: .pt, .pth, .safetensors or .onnx"
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a state dict, safetensors or ONNX; nothing in it is run"
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file with the network")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PROJECT", help="the project file to write; without it, PROJECT itself"
    )
    parser.add_argument(
        "--by", choices=("name", "shape", "both"), default="both",
        help="match by names, by order and size, or by both (the default)",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="only print the table")
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Match, print the table, and write the weights and the project."""
    from studio.importing.weights import matching, taking  # loads torch
    from studio.importing.weights.kinds import look_into

    file = look_into(options.file)
    project = read_project(options.project)
    if options.trust:
        trust_code(project.graph)
    matches = matching.match(matching.own_tensors(project.graph), file.tensors, options.by)
    left = matching.unused(matches, file.tensors)
    _print_table(file, matches, left)
    if options.list:
        return 0
    output = options.output or options.project
    weights = taking.take(file, matches, project, taking.free_file(output.absolute().parent, options.file.stem))
    write_project(output, replace(project, weights=weights))
    print(f"Wrote {weights.path} and {output}: its runs start from these weights.")
    return 0


def _print_table(file: WeightFile, matches: Sequence[Match], left: Sequence[ForeignTensor]) -> None:
    rows = [("Tensor", "Size", f"In {file.path.name}", "Matched by")]
    for match in matches:
        theirs = match.foreign.name if match.foreign is not None else "–"
        rows.append((match.own.name, _size(match.own.dims), theirs, match.how or "stays fresh"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])))
    count = sum(match.foreign is not None for match in matches)
    print(f"\n{file.title}: {count:,} of {len(matches):,} tensors get weights, {len(matches) - count:,} stay fresh.")
    if left:
        print(f"Not used of {file.path.name}: {', '.join(f'{t.name} ({_size(t.dims)})' for t in left)}")
    for note in file.notes:
        print(note)


def _size(dims: tuple[int, ...]) -> str:
    return " × ".join(map(str, dims)) or "1"
