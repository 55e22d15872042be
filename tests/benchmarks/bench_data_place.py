"""Fifty thousand samples in the Data place: how soon the first are there, and how long scrolling holds the window up.

The window shows pictures, texts and rows of a table in turn, and is scrolled from end to end: by a little 60 times a
second for some seconds, then by leaps. The gap is the time between two ticks of a 10 ms timer in the GUI thread; it is
measured from the moment the dataset is chosen. A sample is late if it is not drawn 100 ms after a leap. In the end all
samples are looked through for problems, while the same timer ticks.

Run, on a screen or a virtual one: python tests/benchmarks/bench_data_place.py [--samples N] [--seconds S]
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio.data.base import DataSpec, Samples, Source, Target, Texts
from studio.data.texts.tokens import TokenRules
from studio.fields import field
from studio.tensors import TensorSpec
from studio.ui.app import create_window
from studio.ui.main_window import MainWindow

PICTURES, TEXTS, CELLS = KINDS = ("pictures", "texts", "cells")
TIMER_MS, FRAME_MS = 10, 16
NAMES = tuple("abcdefghij")


class Many(Source):
    """Noise, as much as is wanted."""

    kind: ClassVar[str] = "many"
    title: ClassVar[str] = "Many"
    group: ClassVar[str] = "Benchmark"
    about: ClassVar[str] = "Noise."

    shows: str = field(PICTURES, choices=KINDS)
    samples: int = field(50_000, min=10, max=10_000_000)

    @property
    def spec(self) -> DataSpec:
        """Pictures as those of MNIST, texts of forty words, or twenty numbers."""
        tensor = {
            PICTURES: TensorSpec((1, 28, 28), "CHW"),
            TEXTS: TensorSpec((40,), "L", "int"),
            CELLS: TensorSpec((20,), "D"),
        }
        return DataSpec((tensor[self.shows],), Target("classification", NAMES), tokens=(500,) * (self.shows == TEXTS))

    def load(self, folder: object = None) -> Samples:
        """Draw them."""
        import numpy as np

        rng = np.random.default_rng(0)
        targets = rng.integers(0, len(NAMES), self.samples)
        if self.shows == PICTURES:
            return Samples((rng.integers(0, 256, (self.samples, 1, 28, 28), np.uint8),), targets)
        if self.shows == CELLS:
            return Samples((rng.standard_normal((self.samples, 20), np.float32),), targets)
        words = [f"word{number}" for number in range(200)]
        texts = [" ".join(words[i] for i in rng.integers(0, 200, 40)) for _ in range(self.samples)]
        return Samples((Texts(texts, TokenRules("words", 500, 40, 1)),), targets)


class Measurement:
    """Scrolls through one kind of samples and keeps the times."""

    def __init__(self, window: MainWindow, kind: str, options: argparse.Namespace) -> None:
        self.window, self.kind, self.options = window, kind, options
        self.panel = window.data_place.samples
        self.ticks: list[float] = []
        self.searched: list[float] = []  # ticks while problems are sought
        self.first = 0.0
        self.late = 0
        self.stops = 0

    @property
    def drawn(self) -> bool:
        """Whether all in view is drawn."""
        rows = self.panel.view.visible_rows()
        shelf = self.window.data_browser.shelf
        return len(rows) > 0 and all(self.panel.model.sample(row) in shelf for row in rows)

    def steps(self) -> Iterator[int]:
        """What is done, and after how many milliseconds the next thing is."""
        data = self.window.document.project.data
        started = time.perf_counter()
        self.window.document.choose_data(replace(data, source=Many(shows=self.kind, samples=self.options.samples)))
        while not (self.panel.model.rowCount() == self.options.samples and self.drawn):
            yield TIMER_MS
        self.first = time.perf_counter() - started
        bar = self.panel.view.verticalScrollBar()
        frames = int(1000 * self.options.seconds / FRAME_MS)
        step = 60 if bar.maximum() > 10 * self.options.samples else 2  # pixels, or rows of the table
        for frame in range(frames):
            bar.setValue(frame * step)
            yield FRAME_MS
        for leap in range(20):
            bar.setValue(bar.maximum() * (7 * leap % 20) // 20)
            yield 100
            self.stops += 1
            self.late += not self.drawn
        scrolled, self.ticks = self.ticks, self.searched
        search = self.window.problem_search
        search.search()
        while search.searching:
            yield TIMER_MS
        self.ticks = scrolled

    def report(self) -> None:
        """Print what was measured."""
        gaps = sorted(1000 * (b - a) for a, b in itertools.pairwise(self.ticks))
        print(
            f"{self.kind}: {self.options.samples:,} samples, first in view after {1000 * self.first:.0f} ms; gaps of"
            f" a {TIMER_MS} ms timer: 99th percentile {gaps[int(0.99 * len(gaps))]:.0f} ms, longest {gaps[-1]:.0f} ms;"
            f" {self.late} of {self.stops} leaps not drawn after 100 ms", flush=True,
        )  # fmt: skip
        gaps = sorted(1000 * (b - a) for a, b in itertools.pairwise(self.searched))
        seconds = self.searched[-1] - self.searched[0]
        print(
            f"{self.kind}: a search for problems takes {seconds:.1f} s; gaps: 99th percentile "
            f"{gaps[int(0.99 * len(gaps))]:.0f} ms, longest {gaps[-1]:.0f} ms", flush=True,
        )  # fmt: skip


def run(window: MainWindow, measurements: Iterator[Measurement], done: Callable[[], None]) -> None:
    """One measurement after the other, with a timer that ticks all the while."""
    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)

    def begin() -> None:
        measurement = next(measurements, None)
        if measurement is None:
            done()
            return
        steps = measurement.steps()

        def go() -> None:
            wait = next(steps, None)
            if wait is None:
                timer.stop()
                timer.timeout.disconnect()
                measurement.report()
                begin()
            else:
                QTimer.singleShot(wait, window, go)

        timer.timeout.connect(lambda: measurement.ticks.append(time.perf_counter()))
        timer.start(TIMER_MS)
        go()

    begin()


def main() -> None:
    """Measure all kinds in one window, once PyTorch is loaded and the window at rest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"TRAINING_STUDIO_{name}"] = folder
        window = create_window()
        window.samples.set_wanted(False)
        window.show_place(window.PLACES.index("Data"))

        def end() -> None:
            window.document.history.set_clean()
            window.close()

        measurements = (Measurement(window, kind, options) for kind in KINDS)
        window.loader.completed.connect(lambda: QTimer.singleShot(1000, lambda: run(window, measurements, end)))
        sys.exit(QApplication.exec())


if __name__ == "__main__":
    main()
