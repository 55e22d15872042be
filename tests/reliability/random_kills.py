"""Kills a run at random moments, again and again, and lets it go on each time.

After each kill every file of the run's folder must be whole: at least one checkpoint with its SHA-256, and the JSON
files. At the end the run must have the same weights as one that was never killed.

Run: python tests/reliability/random_kills.py [--kills N] [--every SECONDS]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from studio import storage
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.runs import RunFolder
from studio.training import keeper
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import CheckpointError
from studio.training.events import EpochEnded, Event, Progress
from studio.training.job import Job
from studio.training.resuming import read_point
from studio.training.runner import run

ENDLESS = 100_000


@dataclass
class Findings:
    """What was found after the kills."""

    kills: int = 0
    before_the_first_checkpoint: int = 0
    in_a_write: int = 0  # something of an unfinished write lay there
    damaged_checkpoints: int = 0
    damaged_others: int = 0
    fallbacks: int = 0  # the newest checkpoint was not there or not whole
    steps_back: int = 0  # a checkpoint older than the one before
    seconds_lost: list[float] = field(default_factory=list)


def project_of(template: str, epochs: int) -> Project:
    """A template on one thread, so that the bits do not depend on how many cores there are."""
    project = read_template(template)
    return replace(project, training=replace_fields(project.training, epochs=epochs, threads=1, test_at_end=False))


def load_libraries(project: Project) -> None:
    """What is imported at first use: each fork would spend its short life with that."""
    prepare(project.data)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()


def in_child(job: Job, told: int) -> int:
    """Train in a forked process, which writes down when it did which step; returns its number."""
    child = os.fork()
    if child:
        return child

    def tell(event: Event) -> None:
        if isinstance(event, Progress | EpochEnded):
            os.write(told, f"{event.step} {time.time()}\n".encode())

    try:
        run(job, Control(), tell)
    except BaseException:
        traceback.print_exc()  # a fork must not go on as its parent
    os._exit(0)


def look(folder: RunFolder, findings: Findings) -> int | None:
    """Check every file; the step of the newest checkpoint, or None if there is none yet."""
    findings.in_a_write += any(folder.path.rglob(f".*{storage.TEMPORARY_SUFFIX}"))
    for path in (folder.last, folder.earlier, folder.best):
        if path.exists():
            try:
                read_checkpoint(path)
            except CheckpointError as error:
                findings.damaged_checkpoints += 1
                print(f"  damaged: {error}")
    for path in (folder.path / "run.json", folder.project_path, folder.path / "checkpoints" / "position.json"):
        if path.exists():
            try:
                storage.read_json(path)
            except storage.StorageError as error:
                findings.damaged_others += 1
                print(f"  damaged: {error}")
    try:
        point = read_point(folder)
    except CheckpointError:
        return None
    findings.fallbacks += point.path != folder.last
    return point.checkpoint.step


def seconds_lost(told: str, step: int) -> float:
    """How long before the last sign of life the step of the checkpoint was done."""
    times = [(int(line.split()[0]), float(line.split()[1])) for line in told.splitlines() if line.count(" ") == 1]
    if not times:
        return 0.0
    after = [when for done, when in times if done >= step]
    return max(0.0, times[-1][1] - after[0]) if after else 0.0


def kill_again_and_again(project: Project, path: Path, kills: int, longest: float) -> Findings:
    """The whole of it."""
    findings, folder, newest = Findings(), RunFolder(path), 0
    while findings.kills < kills:
        resume = folder.last.exists() or folder.earlier.exists()
        if not resume and path.exists():
            findings.before_the_first_checkpoint += 1
            for file in sorted(path.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
            path.rmdir()
        reading, writing = os.pipe()
        child = in_child(Job(project, path, resume=resume), writing)
        os.close(writing)
        time.sleep(random.uniform(0.02, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with open(reading) as file:
            told = file.read()
        findings.kills += 1
        step = look(folder, findings)
        if step is not None:
            findings.seconds_lost.append(seconds_lost(told, step))
            findings.steps_back += step < newest
            newest = step
    return findings


def same_as_whole(project: Project, path: Path, whole: Path) -> tuple[int, bool]:
    """Let the run go on for one more epoch, and compare it with one that was never killed."""
    epochs = read_point(RunFolder(path)).checkpoint.epoch + 1
    short = replace(project, training=replace_fields(project.training, epochs=epochs))
    quiet: Callable[[Event], None] = lambda event: None  # noqa: E731
    run(Job(short, path, resume=True), Control(), quiet)
    run(Job(short, whole), Control(), quiet)
    one, other = (read_checkpoint(RunFolder(folder).last) for folder in (path, whole))
    rows = [
        [{**json.loads(line), "seconds": 0} for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (path, whole)
    ]
    same = all(torch.equal(tensor, other.model[name]) for name, tensor in one.model.items())
    return epochs, same and one.step == other.step and rows[0] == rows[1]


def main() -> int:
    """Kill, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", default="digits-mlp")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--longest", type=float, default=3.0, help="seconds until a kill at most")
    parser.add_argument("--every", type=float, default=0.05, help="seconds between two checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    keeper.SECONDS_BETWEEN_WRITES, keeper.SHARE_OF_TIME = options.every, 1.0
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRAINING_STUDIO_DATA"] = folder
        project = project_of(options.template, ENDLESS)
        load_libraries(project)
        path = Path(folder) / "killed"
        findings = kill_again_and_again(project, path, options.kills, options.longest)
        epochs, same = same_as_whole(project, path, Path(folder) / "whole")
    lost = sorted(findings.seconds_lost) or [0.0]
    print(
        f"{findings.kills} kills, {findings.in_a_write} of them in a write, {findings.before_the_first_checkpoint} "
        f"before the first checkpoint; checkpoints every {options.every:g} s\n"
        f"damaged checkpoints {findings.damaged_checkpoints}, other files {findings.damaged_others}; "
        f"went on from the earlier one {findings.fallbacks} times; went back {findings.steps_back} times\n"
        f"training lost by a kill: median {lost[len(lost) // 2]:.2f} s, worst {lost[-1]:.2f} s\n"
        f"after {epochs:,} epochs: {'the same bits' if same else 'OTHER BITS'} as a run that was never killed"
    )
    return int(bool(findings.damaged_checkpoints or findings.damaged_others or findings.steps_back or not same))


if __name__ == "__main__":
    sys.exit(main())
