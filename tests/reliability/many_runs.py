"""Starts and stops many runs in one process, and looks at what stays: memory, threads and open files. Linux only.

Run: python tests/reliability/many_runs.py [--runs N]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from studio.fields import replace as replace_fields
from studio.project import read_template
from studio.training.control import Control
from studio.training.events import EpochEnded, Event
from studio.training.job import Job
from studio.training.runner import run

WARM_UP = 20  # runs until the libraries have made all that they keep
MOST_GROWTH_MB = 20.0


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def counts() -> tuple[float, int, int]:
    """Memory in MB, threads and open files."""
    gc.collect()
    return resident_mb(), threading.active_count(), len(os.listdir("/proc/self/fd"))


def one_run(folder: Path, number: int) -> None:
    """Start a run, stop it in its second epoch, and let it go on to its end."""
    project = read_template("digits-cnn" if number % 2 else "digits-mlp")
    project = replace(project, training=replace_fields(project.training, epochs=2, batch_size=256, threads=1))
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded):
            control.stop()

    job = Job(project, folder / str(number))
    run(job, control, stop)
    run(replace(job, resume=True), Control(), lambda event: None)


def main() -> int:
    """Run them, and say what stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    before = counts()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRAINING_STUDIO_DATA"] = folder
        for number in range(options.runs):
            one_run(Path(folder), number)
            if number + 1 == WARM_UP:
                before = counts()
            if (number + 1) % 20 == 0:
                memory, threads, files = counts()
                print(f"{number + 1} runs: {memory:.0f} MB, {threads} threads, {files} open files", flush=True)
    after = counts()
    growth = after[0] - before[0]
    print(
        f"from run {WARM_UP} on: {growth:+.1f} MB; threads {before[1]} to {after[1]}; files {before[2]} to {after[2]}"
    )
    return int(growth > MOST_GROWTH_MB or after[1] > before[1] or after[2] > before[2])


if __name__ == "__main__":
    sys.exit(main())
