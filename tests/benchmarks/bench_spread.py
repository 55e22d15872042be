"""How much faster two processes train than one, each with one thread: a scaling efficiency of 1 is twice as fast.

    python tests/benchmarks/bench_spread.py [PROCESSES]

What is measured is the training alone: samples a second in epochs after the first, validation left out.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.training.control import Control
from studio.training.events import Event, Progress
from studio.training.job import Job
from studio.training.places.process import run
from studio.training.spread.launch import Launch

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
SHARE_TO_SKIP = 1 / 3  # of the figures: caches fill, and the processor gets warm


def samples_per_second(project: Project, folder: Path, launch: Launch | None) -> float:
    """Median over the figures that the run tells."""
    told: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Progress):
            told.append(event.samples_per_second)

    run(Job(project, folder, MNIST), Control(), note, launch)
    return statistics.median(told[int(SHARE_TO_SKIP * len(told)) :])


def main() -> None:
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRAINING_STUDIO_DATA"] = f"{folder}/data"
        os.environ["TRAINING_STUDIO_CACHE"] = f"{folder}/cache"
        for template, batch in (("mnist-cnn", 256), ("mnist-relu-mlp", 256)):
            project = read_template(template)
            settings = replace_fields(project.training, epochs=2, batch_size=batch, threads=1, device="cpu")
            project = replace(project, training=replace(settings, test_at_end=False))
            one = samples_per_second(project, Path(folder) / f"{template} one", None)
            many = samples_per_second(project, Path(folder) / f"{template} many", Launch(processes))
            print(
                f"{template:<16} batches of {batch}: 1 process {one:>8,.0f} samples/s, {processes} processes "
                f"{many:>8,.0f} samples/s, efficiency {many / one / processes:.2f}",
                flush=True,
            )
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        print(f"{os.cpu_count()} cores, load {load:.1f} at the end: what else runs takes its share")


if __name__ == "__main__":
    main()
