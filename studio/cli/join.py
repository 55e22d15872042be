"""studio join: take part in a run that is led from another machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from studio.cli.train import DEVICES
from studio.training.spread.launch import RUN_ID, Launch, is_member


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("join", help="take part in a run of several machines (see: studio train --on hosts:2)")
    parser.add_argument("endpoint", metavar="HOST:PORT", help="where the machines find each other")
    parser.add_argument("--hosts", type=int, required=True, metavar="N", help="how many machines there are")
    parser.add_argument("--processes", type=int, default=1, metavar="P", help="how many processes on each")
    parser.add_argument("--id", default=RUN_ID, help="name of the run, as the first machine has it")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder with the dataset's files")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the processes of this machine, which are started again when one of all is gone, and wait for their end."""
    if is_member():  # one of those processes
        from studio.training.spread.run import join_in  # loads torch
        from studio.training.spread.worker import end_with_parent

        end_with_parent()
        join_in(options.device, options.data_dir)
        return 0
    from studio.training.spread.agent import among_machines, start

    launch = Launch(options.processes, options.hosts, options.endpoint, options.id)
    again = ["-m", "studio", "join", options.endpoint, "--hosts", str(options.hosts), "--device", options.device]
    again += ["--data-dir", str(options.data_dir)] if options.data_dir else []
    print(f"Waiting for the first machine at {options.endpoint}.", file=sys.stderr)
    problem = start(launch, again, among_machines(launch, first=False))
    if problem is not None:
        raise problem
    return 0
