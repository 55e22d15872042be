"""studio export: a trained checkpoint in another format."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.cli.project_options import add_trust_option
from studio.export.formats import FORMATS


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("export", help="write a trained checkpoint in another format")
    parser.add_argument("source", type=Path, metavar="RUN|CHECKPOINT", help="a run's folder or a .pt checkpoint")
    parser.add_argument("--format", required=True, choices=list(FORMATS), help="what to write")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="PATH")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where the dataset's files are, for trying a training script"
    )
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export and compare."""
    from studio.export.write import export  # loads torch

    print(export(options.source, options.format, options.output, options.data_dir, trusted=options.trust))
    return 0
