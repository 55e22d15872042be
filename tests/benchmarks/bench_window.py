"""Training with the window open and plots live beside headless training, and how long the window is held up.

Headless and windowed runs take turns, each in a process of its own. Steps per second are counted from the run's own
events, from a second after its start. The gap is the time between two ticks of a 10 ms timer in the GUI thread.

Run, on a screen or a virtual one: python tests/benchmarks/bench_window.py [--rounds N] [--seconds S] [--data-dir DIR]
                                                            [--on thread|process]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
WARM_UP_SECONDS = 1.0
TIMER_MS = 10


def make_job(template: str, folder: str, data_dir: Path) -> Any:
    """A job that lasts longer than anyone measures."""
    from studio.fields import replace as replace_fields
    from studio.project import read_template
    from studio.training.runner import Job

    project = read_template(template)
    project = replace(project, training=replace_fields(project.training, epochs=100_000))
    return Job(project, Path(folder) / "run", data_dir if template.startswith("mnist") else None)


class StepCounter:
    """Steps per second from Progress events, after the warm-up."""

    def __init__(self) -> None:
        self.first: tuple[float, int] | None = None
        self.last: tuple[float, int] | None = None
        self.started = 0.0

    def event(self, event: Any) -> None:
        """Take in an event, in the thread that trains."""
        from studio.training.events import Progress, Started

        now = time.perf_counter()
        if isinstance(event, Started):
            self.started = now
        elif isinstance(event, Progress) and now > self.started + WARM_UP_SECONDS:
            self.first = self.first or (now, event.step)
            self.last = (now, event.step)

    @property
    def steps_per_second(self) -> float:
        """The rate between the first and the last event after the warm-up."""
        assert self.first is not None
        assert self.last is not None
        return (self.last[1] - self.first[1]) / (self.last[0] - self.first[0])


def headless(template: str, seconds: float, data_dir: Path) -> dict[str, Any]:
    """Train without a window for so many seconds."""
    from studio.training.control import Control
    from studio.training.runner import run

    control, counter = Control(), StepCounter()

    def event(event: Any) -> None:
        counter.event(event)
        if counter.started and time.perf_counter() > counter.started + seconds + WARM_UP_SECONDS:
            control.stop()

    with tempfile.TemporaryDirectory() as folder:
        run(make_job(template, folder, data_dir), control, event)
    return {"steps_per_second": counter.steps_per_second}


def windowed(template: str, seconds: float, data_dir: Path, place: str) -> dict[str, Any]:
    """Train with the window open for so many seconds, in a thread of it or in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("CONFIG", "DATA"):
            os.environ[f"TRAINING_STUDIO_{name}"] = folder
        return _windowed(template, seconds, data_dir, place, folder)


def _windowed(template: str, seconds: float, data_dir: Path, place: str, folder: str) -> dict[str, Any]:
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from studio.ui import run_state as states
    from studio.ui import train_thread
    from studio.ui.app import create_window

    window = create_window()
    counter = StepCounter()

    def counted_run(job: Any, control: Any, on_event: Any) -> Any:
        def both(event: Any) -> None:
            counter.event(event)
            on_event(event)

        return train_thread.trainer_at(place)(job, control, both)

    window.session._run_job = counted_run
    ticks: list[float] = []
    busy: list[float] = []  # processor seconds of the GUI thread
    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    window.loader.ready.connect(lambda: window.session.start(make_job(template, folder, data_dir)))

    def follow(state: str) -> None:
        if state == states.TRAINING:
            busy.append(time.thread_time())
            timer.start(TIMER_MS)
            QTimer.singleShot(round(1000 * (seconds + WARM_UP_SECONDS)), window.session.stop)
        elif state == states.STOPPING:
            timer.stop()
            busy.append(time.thread_time())
        elif state == states.IDLE:
            QTimer.singleShot(0, window.close)

    window.session.state_changed.connect(follow)
    QApplication.exec()
    gaps = sorted(1000 * (b - a) for a, b in itertools.pairwise(ticks))
    return {
        "steps_per_second": counter.steps_per_second,
        "gap_p99_ms": gaps[int(0.99 * len(gaps))],
        "gap_worst_ms": gaps[-1],
        "gui_share": (busy[1] - busy[0]) / (ticks[-1] - ticks[0]),
    }


def in_a_process(mode: str, template: str, options: argparse.Namespace) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--mode", mode, "--template", template]
    command += ["--seconds", str(options.seconds), "--data-dir", str(options.data_dir), "--on", options.on]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def compare(template: str, options: argparse.Namespace) -> None:
    """Print the ratio of the rates, pair by pair, and the gaps."""
    ratios, p99, worst, rates, busy = [], [], [], [], []
    for _ in range(options.rounds):
        alone = in_a_process("headless", template, options)
        shown = in_a_process("window", template, options)
        rates.append(alone["steps_per_second"])
        ratios.append(shown["steps_per_second"] / alone["steps_per_second"])
        p99.append(shown["gap_p99_ms"])
        worst.append(shown["gap_worst_ms"])
        busy.append(shown["gui_share"])
    print(
        f"{template}: headless {statistics.median(rates):.0f} steps/s; with the window {statistics.median(ratios):.2f}"
        f" of it (from {min(ratios):.2f} to {max(ratios):.2f}); gaps of a {TIMER_MS} ms timer: "
        f"99th percentile {statistics.median(p99):.0f} ms (worst round {max(p99):.0f}), longest {max(worst):.0f} ms;"
        f" the GUI thread is busy {statistics.median(busy):.0%} of the time"
    )


def main() -> None:
    """Run the comparison, or one measurement of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=MNIST)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--template", default="")
    parser.add_argument("--on", choices=("thread", "process"), default="thread")
    parser.add_argument("--mode", choices=("headless", "window"), default="")
    options = parser.parse_args()
    if options.mode:
        given = (options.template, options.seconds, options.data_dir)
        print(json.dumps(headless(*given) if options.mode == "headless" else windowed(*given, options.on)))
        return
    for template in [options.template] if options.template else ["mnist-cnn", "digits-gru", "digits-mlp"]:
        compare(template, options)


if __name__ == "__main__":
    main()
