"""studio export: a trained checkpoint in another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.cli.project_options import add_trust_option
from studio.export.formats import FORMATS


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("export", help="write a trained checkpoint in another format")
    parser.add_argument("source", type=Path, metavar="RUN|CHECKPOINT", help="a run's folder or a .pt checkpoint")
    parser.add_argument("--format", required=True, choices=list(FORMATS), help="what to write")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="the file to write; without it, one in the run’s folder “exports”",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where the dataset’s files are, for a training script and for 8 bits",
    )
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export and compare."""
    from studio.export.write import export  # loads torch

    print(export(options.source, options.format, options.output, options.data_dir, trusted=options.trust, tick=_tell()))
    return 0


def _tell() -> Callable[[str], None] | None:
    """Shows what is being done where somebody watches: some formats take half a minute."""
    if not sys.stderr.isatty():
        return None
    last = ""

    def tell(words: str) -> None:
        nonlocal last
        if words and words != last:
            print(f"{words} …", file=sys.stderr, flush=True)
            last = words

    return tell
