"""studio train: train a project with a progress bar, or with one JSON object a line."""

from __future__ import annotations

import argparse
import contextlib
import functools
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.cli.project_options import add_project_options, read_chosen_project, set_fields
from studio.cli.telling import JsonLines, ProgressBar
from studio.data import MissingDataError, Source
from studio.data.base import Downloadable
from studio.data.transforms import Transform
from studio.data.transforms import registry as transforms
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.settings import TrainingSettings
from studio.settings.parts import Repeats
from studio.settings.training import CHOSEN, PARTS
from studio.training.control import Control
from studio.training.errors import MemoryShortageError, MissingWeightsError, TrainingError
from studio.training.events import Event, Finished
from studio.training.job import Job
from studio.training.places import PROCESS, THREAD, launch_of
from studio.training.spread.launch import is_member

RunJob = Callable[[Job, Control, Callable[[Event], None]], Finished]
DEVICES = ("auto", "cpu", "cuda", "mps")


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("train", help="train a project or a template")
    add_project_options(parser)
    parser.add_argument(
        "--download", action="store_true", help="fetch what is missing of the dataset and of learned weights"
    )
    parser.add_argument(
        "--augment", action="append", default=[], metavar="KIND[:FIELD=VALUE,...]",
        help="change training samples at random; may be repeated; see: studio list transforms",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--batch-size", type=int, metavar="N")
    parser.add_argument("--lr", type=float, metavar="X", help="learning rate")
    for name, kinds in CHOSEN.items():
        parser.add_argument(
            f"--{name}", metavar="KIND[:FIELD=VALUE,...]", help=f"one of {', '.join(kinds.kinds())}, with its settings"
        )
    parser.add_argument(
        "--training", action="append", default=[], metavar="PART.FIELD=VALUE",
        help="another training setting, such as gradients.clip_norm=1; may be repeated",
    )  # fmt: skip
    parser.add_argument("--device", choices=DEVICES)
    parser.add_argument("--seed", type=int, metavar="N")
    several = parser.add_mutually_exclusive_group()
    several.add_argument("--seeds", type=int, metavar="N", help="train N times, with seeds from --seed on, as one job")
    several.add_argument("--folds", type=int, metavar="N", help="cross-validation: train N times, once for each fold")
    parser.add_argument(
        "--test",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="measure the finished network on the test samples, or leave them locked; each use is counted",
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="an empty or new folder for the run")
    add_place_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    parser.set_defaults(run=run)


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Where to train."""
    parser.add_argument(
        "--on", default=THREAD, metavar="PLACE",
        help=f"where to train: {THREAD} (here), {PROCESS} (one of its own that goes on if this one ends, see: studio "
        "attach), local:N (N processes on this machine), or hosts:N (N machines; hosts:NxP with P processes on each)",
    )  # fmt: skip
    parser.add_argument(
        "--rdzv", metavar="HOST:PORT", help="of hosts:N: where the machines find each other; an address of this one"
    )
    parser.add_argument(
        "--write-only", action="store_true",
        help="of hosts:N: only write the commands and a Slurm script into the folder of --run-dir",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Train; a first Ctrl+C stops and keeps the checkpoint."""
    project = with_overrides(read_chosen_project(options), options)
    return carry_out(
        Job(project, options.run_dir, None if project.data.source.needs_place else options.data_dir), options
    )


def carry_out(job: Job, options: argparse.Namespace) -> int:
    """Do what a run is asked for, and show it. Raises TrainingError, with the way out if memory runs short."""
    show: JsonLines | ProgressBar = JsonLines() if options.json else ProgressBar()
    control = Control()
    try:
        with _stop_on_interrupt(control), contextlib.closing(show):
            finished = _run_somewhere(job, control, show.event, options)
    except MemoryShortageError as error:
        way_out = (
            "" if error.smaller is None else f"\nGo on with: studio resume {shlex.quote(str(error.run))} --halve-batch"
        )
        raise TrainingError(f"{error}{way_out}") from None
    if finished is not None:
        show.result(finished)
    return 0


def _run_somewhere(
    job: Job, control: Control, on_event: Callable[[Event], None], options: argparse.Namespace
) -> Finished | None:
    """Where the person wishes; nothing comes back to one of several processes that does not lead."""
    if is_member():
        from studio.training.spread.run import run as run_with_others  # loads torch
        from studio.training.spread.worker import end_with_parent

        end_with_parent()

        return run_with_others(job, control, on_event)
    place = f"{options.on}@{options.rdzv}" if options.rdzv and "@" not in options.on else options.on
    launch = launch_of(place)
    if options.write_only:
        if launch is None or launch.hosts == 1 or job.run_folder is None:
            raise ValueError("Commands are written only for --on hosts:N with --rdzv and --run-dir.")
        from studio.training.spread.invitation import write_invitation

        on_event(write_invitation(launch, job))
        return None
    return _run_with_files(_runner(place), job, control, on_event, options.download)


def with_overrides(project: Project, options: argparse.Namespace) -> Project:
    """The project with what was given on the command line. Raises ValueError."""
    settings = project.training
    names = ("epochs", "batch_size", "device", "seed")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.test is not None:
        given["test_at_end"] = options.test
    settings = _with_parts(replace_fields(settings, **given), options)
    for method in ("seeds", "folds"):
        if (number := getattr(options, method)) is not None:
            settings = replace_fields(settings, repeats=Repeats(method=method, number=number))
    if options.lr is not None:
        settings = replace(settings, optimizer=replace_fields(settings.optimizer, learning_rate=options.lr))
    changes = tuple(map(_transform, options.augment))
    data = replace(project.data, transforms=changes) if changes else project.data
    return replace(project, training=settings, data=data)


def _with_parts(settings: TrainingSettings, options: argparse.Namespace) -> TrainingSettings:
    """The settings with another optimizer, schedule or loss, and other values in their parts. Raises ValueError."""
    for name, kinds in CHOSEN.items():
        if getattr(options, name) is not None:
            kind, _, fields = getattr(options, name).partition(":")
            made = kinds.get(kind.strip())()
            made = set_fields(made, made.title, [part for part in fields.split(",") if part.strip()])
            settings = replace_fields(settings, **{name: made})
    for text in options.training:
        part, _, assignment = text.partition(".")
        if part not in PARTS:
            raise ValueError(f"There are no training settings “{part}”. Known: {', '.join(PARTS)}.")
        settings = replace_fields(settings, **{part: set_fields(getattr(settings, part), part, [assignment])})
    return settings


def _transform(text: str) -> Transform:
    """A transform written KIND:FIELD=VALUE,FIELD=VALUE. Raises ValueError."""
    kind, _, settings = text.partition(":")
    made = transforms.get(kind.strip())()
    return set_fields(made, made.title, [part for part in settings.split(",") if part.strip()])


def _runner(place: str) -> RunJob:
    """What trains a job at a place; that in other processes loads no torch here."""
    if place == THREAD:
        from studio.training.runner import run

        return run
    from studio.training.places.process import run as run_apart

    return functools.partial(run_apart, launch=launch_of(place))


def _run_with_files(
    run_job: RunJob, job: Job, control: Control, on_event: Callable[[Event], None], agreed: bool
) -> Finished:
    """Run a job; what is missing of its dataset or learned weights is fetched after the person agreed."""
    fetched: set[str] = set()
    while True:
        try:
            return run_job(job, control, on_event)
        except (MissingDataError, MissingWeightsError) as error:
            wanted = error.file if isinstance(error, MissingWeightsError) else _dataset_of(job)
            if wanted is None or wanted.title in fetched or not (agreed or _agrees(wanted, error)):
                raise
        _download(wanted)
        fetched.add(wanted.title)


def _dataset_of(job: Job) -> Downloadable | None:
    """The dataset of a job, if it can be downloaded to where the job looks for it."""
    source: Source = job.project.data.source
    return source if source.download_bytes and not job.data_folder else None


def _agrees(wanted: Downloadable, missing: Exception) -> bool:
    if not sys.stdin.isatty():
        return False
    question = f"Not on this machine: {wanted.title}. Download {wanted.download_bytes / 1e6:.0f} MB? [y/N] "
    print(f"{missing}\n{question}", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _download(wanted: Downloadable) -> None:
    from tqdm import tqdm

    with tqdm(total=wanted.download_bytes, unit="B", unit_scale=True, desc=f"Download {wanted.title}") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total or bar.total
            bar.update(done - bar.n)

        wanted.download(progress)


@contextlib.contextmanager
def _stop_on_interrupt(control: Control) -> Iterator[None]:
    """A first Ctrl+C stops the run cleanly; a second one breaks it off."""

    def interrupted(number: int, frame: Any) -> None:
        if control.stopping:
            raise KeyboardInterrupt
        control.stop()
        print("Stopping after this step; press Ctrl+C again to break off.", file=sys.stderr)

    # To one of several processes, SIGTERM means that another one is gone and all begin again.
    stopping = (signal.SIGINT,) if is_member() else (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interrupted) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
