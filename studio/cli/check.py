"""studio check: each block with its shapes and parameters, totals and problems."""

from __future__ import annotations

import argparse
import json
from typing import Any

from studio.cli.project_options import add_project_options, read_chosen_project
from studio.compile.analysis import Analysis
from studio.graph import Graph, Node

CANNOT_BE_TRAINED = 1


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("check", help="shapes, parameters and problems of a project or a template")
    add_project_options(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; returns 1 if the network cannot be trained."""
    project = read_chosen_project(options)
    from studio.compile.shapes import analyze  # loads torch

    analysis = analyze(project.graph, project.data.source.spec)
    if options.json:
        print(json.dumps(as_json(project.graph, analysis), indent=1, ensure_ascii=False))
    else:
        _print_table(project.graph, analysis)
    return 0 if analysis.trainable else CANNOT_BE_TRAINED


def as_json(graph: Graph, analysis: Analysis) -> dict[str, Any]:
    """An analysis as plain JSON values."""
    return {
        "parameters": analysis.parameters,
        "blocks": [_block(node, analysis) for node in graph.order],
        "problems": [
            {"severity": p.severity, "block": graph.node(p.node_id).name if p.node_id else None, "message": p.message}
            for p in analysis.problems
        ],
    }


def _block(node: Node, analysis: Analysis) -> dict[str, Any]:
    found = analysis.nodes[node.id]
    return {
        "id": node.id,
        "name": node.name,
        "kind": node.block.kind,
        "inputs": [str(spec) for spec in found.inputs],
        "outputs": [str(spec) for spec in found.outputs],
        "parameters": found.parameters,
    }


def _print_table(graph: Graph, analysis: Analysis) -> None:
    rows = [("block", "kind", "output", "parameters")]
    for node in graph.order:
        found = analysis.nodes[node.id]
        shapes = found.outputs or found.inputs
        rows.append((node.name, node.block.title, "  ".join(map(str, shapes)) or "?", f"{found.parameters:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, kind, shape, parameters in rows:
        print(f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {parameters:>{widths[3]}}")
    print(f"{analysis.parameters:,} parameters in {len(graph.nodes)} blocks")
    for problem in analysis.problems:
        print(f"{problem.severity}: {problem.message}")
