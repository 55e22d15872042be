"""The parser, and the one place where errors become a message and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from studio import __version__
from studio.cli import (
    attach,
    check,
    evaluate,
    explain,
    export,
    fetch,
    find_rate,
    import_network,
    import_weights,
    inspect,
    join,
    listing,
    predict,
    preflight,
    resume,
    serve,
    stop,
    train,
)
from studio.data.base import DataError
from studio.export.formats import ExportError
from studio.runs import RunFolderError
from studio.storage import StorageError
from studio.training.errors import CheckpointError, TrainingError

BAD_INPUT = 2
# ValueError: a bad field, name, kind or graph; each is a typed error with a message for people.
PEOPLES_ERRORS = (
    ValueError, StorageError, DataError, RunFolderError, TrainingError, CheckpointError, ExportError,
)  # fmt: skip
# In the order in which `studio --help` lists them.
COMMANDS = (
    train,
    preflight,
    resume,
    find_rate,
    attach,
    stop,
    join,
    evaluate,
    explain,
    predict,
    serve,
    inspect,
    check,
    export,
    import_network,
    import_weights,
    fetch,
    listing,
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="studio", description="Training Studio: without a command it opens the window."
    )
    parser.add_argument("--version", action="version", version=f"Training Studio {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    opener = commands.add_parser("open", help="open a project in the window")
    opener.add_argument("project", metavar="PROJECT")
    for module in COMMANDS:
        module.add_parser(commands)
    return parser


def main(arguments: list[str]) -> int:
    """Run a subcommand; returns the exit code: 0 done, 1 a network that cannot be trained, 2 bad input."""
    options = make_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except PEOPLES_ERRORS as error:
        print(f"studio: {error}", file=sys.stderr)
        return BAD_INPUT
