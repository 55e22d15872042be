"""studio find-rate: which learning rate suits a network and its data."""

from __future__ import annotations

import argparse
import json
from typing import Any

from studio.cli.project_options import add_project_options, read_chosen_project
from studio.settings.rates import RatePoint, smoothed
from studio.training.control import Control

NOTHING_FOUND = 1


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "find-rate", help="look for a learning rate: some steps of a copy of the network, each with a higher rate"
    )
    add_project_options(parser)
    parser.add_argument("--json", action="store_true", help="points, suggested rate and reason as one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Sweep; returns 1 if no rate stands out."""
    project = read_chosen_project(options)
    from studio.training.rate_finder import find_rate  # loads torch

    folder = None if project.data.source.needs_place else options.data_dir
    points, suggestion = find_rate(project, Control(), lambda point: None, folder)
    if options.json:
        sweep = [{"rate": point.rate, "loss": point.loss} for point in points]
        print(json.dumps({"points": sweep, "suggested": suggestion.rate, "reason": suggestion.reason}))
    else:
        _print(points)
        found = f"suggested learning rate: {suggestion.rate:g}. " if suggestion.rate is not None else ""
        print(found + suggestion.reason)
    return 0 if suggestion.rate is not None else NOTHING_FOUND


def _print(points: list[RatePoint]) -> None:
    """Every fifth rate and the loss around it."""
    print("learning rate        loss")
    for point, loss in list(zip(points, smoothed(points), strict=True))[::5]:
        print(f"{point.rate:13.1e}  {loss:10.4f}")
