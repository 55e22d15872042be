"""studio stop: end a run that goes on in a process of its own."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from studio.cli.attach import add_run_argument
from studio.cli.telling import ProgressBar
from studio.training.control import Control
from studio.training.errors import TrainingError

if TYPE_CHECKING:
    from studio.training.places.mailbox import Mailbox

SECONDS_TO_DIE = 10.0


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "stop", help="end a run that goes on in a process of its own, and keep what it learned"
    )
    add_run_argument(parser)
    parser.add_argument("--now", action="store_true", help="break it off; only checkpoints that are written are kept")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Stop after the step under way, or at once."""
    from studio.training.places.mailbox import find_mailbox

    mailbox = find_mailbox(options.run_folder)
    return _break_off(mailbox) if options.now else _stop(mailbox)


def _stop(mailbox: Mailbox) -> int:
    from studio.training.places.process import watch
    from studio.training.places.wishes import STOP, send

    print("Stopping after this step; “studio stop --now” breaks it off.", file=sys.stderr)
    if mailbox.is_watched:  # then somebody else is told how it ends
        send(mailbox, STOP)
        while not mailbox.wait_for_end(1.0):
            pass
        return 0
    control = Control()
    control.stop()
    ProgressBar().result(watch(mailbox, control, lambda event: None))
    return 0


def _break_off(mailbox: Mailbox) -> int:
    from studio.training.places.process import watch

    if not mailbox.kill() or not mailbox.wait_for_end(SECONDS_TO_DIE):
        raise TrainingError("The run could not be broken off: its process is gone already, or does not end.")
    if not mailbox.is_watched:
        try:
            watch(mailbox, Control(), lambda event: None)
        except TrainingError as error:
            print(error)
    return 0
