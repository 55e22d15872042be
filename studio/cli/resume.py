"""studio resume: let a run go on that was interrupted, stopped or finished, or a group of runs that was interrupted."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.cli.train import DEVICES, add_place_options, carry_out, with_overrides
from studio.project import read_project
from studio.runs import GroupFolder, RunFolder
from studio.settings.training import smaller_batches
from studio.training.job import Job


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("resume", help="let a run go on that was interrupted, stopped or finished")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the folder of the run or of the group of runs")
    parser.add_argument("--epochs", type=int, metavar="N", help="how many there will be in all")
    parser.add_argument("--lr", type=float, metavar="X", help="another learning rate from here on")
    parser.add_argument("--schedule", metavar="KIND[:FIELD=VALUE,...]", help="another schedule from here on")
    parser.add_argument("--batch-size", type=int, metavar="N")
    parser.add_argument(
        "--halve-batch", action="store_true",
        help="when memory is short: half the batch, and twice as many for each step of the optimizer",
    )  # fmt: skip
    parser.add_argument(
        "--training", action="append", default=[], metavar="PART.FIELD=VALUE",
        help="another training setting, such as gradients.clip_norm=1; may be repeated",
    )  # fmt: skip
    parser.add_argument("--device", choices=DEVICES)
    parser.add_argument("--test", action=argparse.BooleanOptionalAction, default=None, help="as in: studio train")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder with the dataset's files")
    parser.add_argument("--download", action="store_true", help="fetch what is missing of the dataset")
    parser.add_argument("--anyway", action="store_true", help="go on even if the data is no longer the same")
    add_place_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    # What a run cannot change while it goes.
    parser.set_defaults(run=run, seed=None, optimizer=None, loss=None, augment=[], seeds=None, folds=None)


def run(options: argparse.Namespace) -> int:
    """Go on; a first Ctrl+C stops and keeps the checkpoint."""
    from studio.training.resuming import read_point  # loads torch

    group = GroupFolder(options.run_folder)
    before = (
        read_project(group.project_path)
        if group.is_one
        else read_point(RunFolder(options.run_folder)).checkpoint.project
    )
    project = with_overrides(before, options)
    if options.halve_batch:
        project = replace(project, training=smaller_batches(project.training))
    data_folder = None if project.data.source.needs_place else options.data_dir
    job = Job(project, options.run_folder, data_folder, resume=True, anyway=options.anyway)
    return carry_out(job, options)
