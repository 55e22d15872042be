"""studio attach: watch a run that goes on in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.cli.telling import JsonLines, ProgressBar
from studio.training.places.control import DetachableControl, DetachedError


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("attach", help="watch a run that goes on in a process of its own")
    add_run_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    parser.set_defaults(run=run)


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Which run is meant."""
    parser.add_argument(
        "run_folder", nargs="?", type=Path, metavar="RUN", help="the run's folder; not needed if only one goes on"
    )


def run(options: argparse.Namespace) -> int:
    """Show the run from its beginning; Ctrl+C leaves it, and it goes on."""
    from studio.training.places.mailbox import find_mailbox
    from studio.training.places.process import watch

    mailbox = find_mailbox(options.run_folder)
    show: JsonLines | ProgressBar = JsonLines() if options.json else ProgressBar()
    control = DetachableControl()
    try:
        with _leave_on_interrupt(control), contextlib.closing(show):
            finished = watch(mailbox, control, show.event)
    except DetachedError:
        print("Left. The run goes on; “studio attach” comes back to it, “studio stop” ends it.", file=sys.stderr)
        return 0
    show.result(finished)
    return 0


@contextlib.contextmanager
def _leave_on_interrupt(control: DetachableControl) -> Iterator[None]:
    def interrupted(number: int, frame: Any) -> None:
        control.detach()

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
