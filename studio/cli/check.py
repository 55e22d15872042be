"""studio check: each block with its shapes and parameters, totals and problems."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from studio.cli.project_options import add_project_options, known_spec, read_chosen_project
from studio.compile.analysis import Analysis
from studio.compile.table import table_rows, write_csv
from studio.data import DataChoice
from studio.graph import Graph, Node
from studio.graph.groups import GroupUse
from studio.graph.paths import find, join

CANNOT_BE_TRAINED = 1


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("check", help="shapes, parameters and problems of a project or a template")
    add_project_options(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table of blocks to a file as well")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; returns 1 if the network cannot be trained."""
    project = read_chosen_project(options)
    from studio.compile.shapes import analyze  # loads torch

    spec = project.data.aimed(known_spec(project.data.source))
    analysis = analyze(project.graph, spec, project.training)
    if options.csv is not None:
        write_csv(options.csv, project.graph, analysis)
    if options.json:
        print(json.dumps({**as_json(project.graph, analysis), **_marks(project.data)}, indent=1, ensure_ascii=False))
    else:
        _print_table(project.graph, analysis)
        for name, count in _marks(project.data).items():
            print(f"{count:,} sample{'s' * (count != 1)} {_MARKED[name]}")
    return 0 if analysis.trainable else CANNOT_BE_TRAINED


_MARKED = {"excluded": "left out", "relabelled": "given another class by hand", "later": "to look at later"}


def _marks(data: DataChoice) -> dict[str, int]:
    """How many samples a person said something of, where there are any."""
    counts = {name: len(getattr(data, name)) for name in _MARKED}
    return {name: count for name, count in counts.items() if count}


def as_json(graph: Graph, analysis: Analysis) -> dict[str, Any]:
    """An analysis as plain JSON values."""
    return {
        "parameters": analysis.parameters,
        "flops": analysis.flops,
        "memory": analysis.memory,
        "blocks": [_block(node, node.id, analysis) for node in graph.order],
        "problems": [
            {"severity": p.severity, "block": find(graph, p.node_id).name if p.node_id else None, "message": p.message}
            for p in analysis.problems
        ],
    }


def _block(node: Node, path: str, analysis: Analysis) -> dict[str, Any]:
    """A block with what it costs for one sample; a group with the blocks in it."""
    found = analysis.nodes[path]
    inside = node.block.body.order if isinstance(node.block, GroupUse) else ()
    return {
        "id": node.id,
        "name": node.name,
        "kind": node.block.kind,
        "inputs": [str(spec) for spec in found.inputs],
        "outputs": [str(spec) for spec in found.outputs],
        "parameters": found.parameters,
        "flops": found.flops,
        "memory": found.memory,
        **({"repeat": node.repeat} if node.repeat > 1 else {}),
        **({"bypassed": True} if node.bypassed else {}),
        **({"frozen": True} if node.frozen else {}),
        **({"blocks": [_block(other, join(path, other.id), analysis) for other in inside]} if inside else {}),
    }


def _print_table(graph: Graph, analysis: Analysis) -> None:
    blocks = list(table_rows(graph, analysis))
    rows = [("block", "kind", "output", "parameters", "operations")]
    rows += [(r.name, r.kind, r.outputs or r.inputs or "?", f"{r.parameters:,}", f"{r.flops:,}") for r in blocks]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, kind, shape, parameters, flops in rows:
        numbers = f"{parameters:>{widths[3]}}  {flops:>{widths[4]}}"
        print(f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {numbers}")
    print(f"{analysis.parameters:,} parameters in {len(graph.nodes)} blocks")
    print(f"For one sample: {analysis.flops:,} operations, {analysis.memory:,} bytes of intermediate results")
    for problem in analysis.problems:
        print(f"{problem.severity}: {problem.message}")
