"""studio preflight: a check before a long run, measured on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from studio.cli.project_options import add_project_options, read_chosen_project
from studio.cli.telling import finding_lines
from studio.training.event_json import plain
from studio.training.preflight_words import rows


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "preflight", help="measure time, memory and the first steps of a training, without training"
    )
    add_project_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; returns 0 unless something was found that would break the run."""
    project = read_chosen_project(options)
    from studio.training.preflight import preflight  # loads torch

    folder = None if project.data.source.needs_place else options.data_dir
    result = preflight(project, folder, lambda number, title: print(f"{title}…", file=sys.stderr))
    if options.json:
        print(json.dumps(plain(asdict(result)), allow_nan=False))
    else:
        for name, value, meaning in rows(result):
            print(f"{name:<20}{value:<16}{meaning}")
        for finding in result.findings:
            print("\n".join(finding_lines(finding)))
    return 1 if any(finding.severity == "error" for finding in result.findings) else 0
