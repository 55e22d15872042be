"""The program's start and end, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "torchvision", "sklearn", "pyqtgraph", "numpy", "scipy", "datasets", "safetensors")
SECONDS_TO_WAIT = 120

# Presses keys in the GUI thread: `when` waits for a condition without a time.
PREAMBLE = f"""
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from studio.ui.app import create_window

HEAVY = {HEAVY!r}

def when(condition, action):
    timer = QTimer(window, interval=5)
    timer.timeout.connect(lambda: (timer.stop(), action()) if condition() else None)
    timer.start()
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "TRAINING_STUDIO_CONFIG": str(folder / "config"),
        "TRAINING_STUDIO_DATA": str(folder / "data"),
    }
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + script], env=environment, capture_output=True, text=True,
        timeout=SECONDS_TO_WAIT, check=False,
    )  # fmt: skip


def ended_well(result: subprocess.CompletedProcess[str]) -> bool:
    """Exit code 0, and nothing on standard error but what Qt says of the missing screen."""
    complaints = [line for line in result.stderr.splitlines() if "propagateSizeHints" not in line]
    assert complaints == []
    return result.returncode == 0


def test_nothing_heavy_is_imported_before_the_window_is_shown(tmp_path: Path) -> None:
    result = run("window = create_window(); print(json.dumps([n for n in HEAVY if n in sys.modules]))\n"
                 "print(window.isVisible()); window.close()", tmp_path)  # fmt: skip
    assert result.stdout.split("\n")[:2] == ["[]", "True"]
    assert ended_well(result)


# What the first painted window is made of. Whoever adds to it makes everyone wait: import it in a function, or in what
# MainWindow.complete makes, unless it is painted.
MOST_MODULES = 121
NOT_PAINTED = (
    "studio.training", "studio.export", "studio.runs", "studio.graph.group_edits", "studio.graph.copies",
    "studio.ui.session", "studio.ui.run_control", "studio.ui.torch_loader", "studio.ui.panels.train_place",
    "studio.ui.panels.block_page", "studio.ui.widgets.field_editor", "html", "difflib", "http.client",
)  # fmt: skip


def test_the_first_painted_window_waits_only_for_what_it_shows(tmp_path: Path) -> None:
    result = run(
        f"""
from studio.ui.main_window import MainWindow

def complete(self):
    print(json.dumps([n for n in {NOT_PAINTED!r} if n in sys.modules]))
    print(sum(name.startswith("studio") for name in sys.modules))
    made(self)

made, MainWindow.complete = MainWindow.complete, complete
window = create_window()
window.close()
""",
        tmp_path,
    )
    assert ended_well(result)
    late, count = result.stdout.split("\n")[:2]
    assert late == "[]"
    assert int(count) <= MOST_MODULES


def test_closing_while_pytorch_loads_is_clean(tmp_path: Path) -> None:
    result = run(
        """
window = create_window()
when(lambda: "torch" in sys.modules, window.close)
code = QApplication.exec()
print(window.loader.loaded)
sys.exit(code)
""",
        tmp_path,
    )
    assert result.stdout.strip() == "False"
    assert ended_well(result)


@pytest.mark.parametrize("pause", [False, True])
def test_closing_while_training_keeps_the_checkpoint(tmp_path: Path, pause: bool) -> None:
    result = run(
        f"""
from studio.fields import replace
window = create_window()
window.document.set_training(replace(window.document.project.training, epochs=1_000_000), "Change epochs")
window.document.history.set_clean()
def end():
    if {pause}:
        window.session.pause()
    window.close()
when(lambda: window.loader.loaded, window.run_bar.train_action.trigger)
when(lambda: window.session.state == "training" and "of" in window.train_place.figures.text("steps"), end)
code = QApplication.exec()
print(window.session.checkpoint)
sys.exit(code)
""",
        tmp_path,
    )
    assert ended_well(result)
    checkpoint = Path(result.stdout.strip())
    assert checkpoint.is_file()
    record = json.loads((checkpoint.parents[1] / "run.json").read_text())
    assert record["status"] == "stopped"


def test_a_project_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    broken = tmp_path / "broken.studio.json"
    broken.write_text('{"format": ')
    result = run(
        f"""
from PySide6.QtWidgets import QMessageBox
window = create_window(Path({str(broken)!r}))
box = window.findChild(QMessageBox)
print(window.document.path, len(window.document.graph.nodes) > 2)
print(box.isVisible(), "broken.studio.json" in box.informativeText())
window.close()
""",
        tmp_path,
    )
    assert result.stdout.splitlines() == ["None True", "True True"]
    assert ended_well(result)


def test_a_given_project_is_opened(tmp_path: Path) -> None:
    result = run(
        f"""
from studio.project import read_template, write_project
path = Path({str(tmp_path)!r}) / "mine.studio.json"
write_project(path, read_template("iris-mlp"))
window = create_window(path)
print(window.windowTitle(), window.document.path == path)
window.close()
""",
        tmp_path,
    )
    assert result.stdout.strip() == "mine[*] – Training Studio True"
    assert ended_well(result)
