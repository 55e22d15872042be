"""How soon the window is painted, against a bare PySide6 window, and how long it hitches while PyTorch loads.

Run it with: python tests/benchmarks/bench_startup.py [rounds]
Each measurement is a process of its own; both kinds take turns, so that a busy machine is unfair to neither.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BARE = """
import time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, painted)

def painted():
    print(time.perf_counter())
    app.quit()

app = QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
app.exec()
"""

STUDIO = """
from studio.ui.app import create_window

window = create_window()
window.close()
print(window.painted_at)
"""

GAPS = """
import json, time
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from studio.ui.app import create_window

window = create_window()
ticks = []
timer = QTimer(window, interval=10, timerType=Qt.TimerType.PreciseTimer)
timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
window.first_painted.connect(lambda: ticks.append(time.perf_counter()))
timer.start()
loading = window.loader._thread
loading.finished.connect(lambda: QTimer.singleShot(1000, window.close))  # the plots and the first shapes come after it
QApplication.exec()
gaps = sorted((b - a for a, b in zip(ticks, ticks[1:])), reverse=True)
print(json.dumps({"worst": gaps[0], "over_60_ms": sum(gap > 0.06 for gap in gaps), "seconds": ticks[-1] - ticks[0]}))
"""


def measure(script: str, folder: str) -> str:
    """What a script prints in a fresh process."""
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    environment |= {"TRAINING_STUDIO_CONFIG": folder, "TRAINING_STUDIO_DATA": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as people start it: compiled once, by the warm-up at the latest
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return result.stdout


def seconds_to_paint(script: str, folder: str) -> float:
    """From the start of the process to the first painted window; all processes share the clock."""
    started = time.perf_counter()
    return float(measure(script, folder)) - started


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        for script in (BARE, STUDIO, GAPS):
            measure(script, folder)  # warms the disk cache
        times = [(seconds_to_paint(BARE, folder), seconds_to_paint(STUDIO, folder)) for _ in range(rounds)]
        bare, studio = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"first painted window: bare {bare:.3f} s, studio {studio:.3f} s, ratio {studio / bare:.2f}")
        gaps = [json.loads(measure(GAPS, folder)) for _ in range(rounds)]
        worst = [1000 * gap["worst"] for gap in gaps]
        print(
            f"worst gap of a 10 ms timer while PyTorch loads: median {statistics.median(worst):.0f} ms, "
            f"all {', '.join(f'{value:.0f}' for value in sorted(worst))} ms; "
            f"gaps over 60 ms: {sum(gap['over_60_ms'] for gap in gaps)} in {len(gaps)} starts"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
