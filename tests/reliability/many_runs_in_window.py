"""Presses Train and Stop many times in one window, in a thread and in processes, and looks at what stays. Linux only.

Run: QT_QPA_PLATFORM=offscreen python tests/reliability/many_runs_in_window.py [--cycles N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from studio.fields import replace as replace_fields
from studio.project import read_template, write_project
from studio.ui.app import create_window
from studio.ui.main_window import MainWindow
from studio.ui.run_state import IDLE, TRAINING
from tests.reliability.many_runs import MOST_GROWTH_MB, counts

WARM_UP = 10  # cycles
SECONDS_FOR_A_STATE = 120.0
STEPS_SEEN = 20  # turns of the event loop in which the window draws what the run tells


def until(reached: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    deadline = time.monotonic() + SECONDS_FOR_A_STATE
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def cycle(window: MainWindow, place: str) -> None:
    """One run, stopped after a moment."""
    window.run_bar.choose_place(place)
    window.run_bar.train_action.trigger()
    until(lambda: window.session.state == TRAINING and window.session.has_learned)
    for _ in range(STEPS_SEEN):
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    window.run_bar.stop_action.trigger()
    until(lambda: window.session.state == IDLE)


def cycles(window: MainWindow, place: str, number: int) -> bool:
    """Whether all stayed as it was after the first few."""
    before = counts()
    for done in range(1, number + 1):
        cycle(window, place)
        if done == WARM_UP:
            before = counts()
        if done % 10 == 0:
            memory, threads, files = counts()
            print(f"{place}, {done} runs: {memory:.0f} MB, {threads} threads, {files} open files", flush=True)
    after = counts()
    print(f"{place}, from run {WARM_UP} on: {after[0] - before[0]:+.1f} MB; threads {before[1]} to {after[1]}; "
          f"files {before[2]} to {after[2]}", flush=True)  # fmt: skip
    return after[0] - before[0] <= MOST_GROWTH_MB and after[1] <= before[1] and after[2] <= before[2]


def main() -> int:
    """Run them, and say what stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--place", action="append", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"TRAINING_STUDIO_{name}"] = str(Path(folder) / name.lower())
        project = read_template("digits-cnn")
        training = replace_fields(project.training, epochs=100_000, threads=1)
        path = Path(folder) / "project.studio.json"
        write_project(path, replace(project, training=training))
        window = create_window(path)
        until(lambda: window.loader.loaded)
        window.show_place(2)
        good = [cycles(window, place, options.cycles) for place in options.place or ("thread", "process")]
        window.close()
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
