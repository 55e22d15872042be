"""What the tests of the window share: a person who answers questions at once, and windows that clean up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.data import Source
from studio.data.base import Downloadable
from studio.project import read_template
from studio.ui.main_window import MainWindow
from studio.ui.preferences import Preferences
from studio.ui.prompts import CANCEL, DISCARD, STOP, Prompts
from studio.ui.theme import Appearance

LOADING_MS = 120_000  # PyTorch from a cold disk on a busy machine


class Person(Prompts):
    """Answers every question with what the test put here; remembers what was asked and told."""

    def __init__(self) -> None:
        self.on_unsaved = DISCARD
        self.on_missing_data = CANCEL
        self.on_missing_weights = False
        self.on_dataset: int | None = None  # number of the one to use
        self.on_other_network = CANCEL
        self.on_code = False
        self.on_leave = STOP
        self.on_machines = ""
        self.path: Path | None = None
        self.asked: list[str] = []
        self.told: list[str] = []

    def save_changes(self, title: str) -> str:
        self.asked.append(f"save {title}")
        return self.on_unsaved

    def open_project(self, folder: Path) -> Path | None:
        return self.path

    def several_machines(self, suggestion: str) -> str:
        self.asked.append(suggestion)
        return self.on_machines

    def trust_code(self, name: str, code: str) -> bool:
        self.asked.append(f"code {name}: {code}")
        return self.on_code

    def leave_run(self) -> str:
        self.asked.append("leave run")
        return self.on_leave

    def save_project(self, suggestion: Path) -> Path | None:
        return self.path

    def open_python_file(self) -> Path | None:
        return self.path

    def open_checkpoint(self, folder: Path) -> Path | None:
        return self.path

    def open_weights(self, folder: Path) -> Path | None:
        return self.path

    def run_folder(self, folder: Path) -> Path | None:
        return self.path

    def run_checkpoint(self, folder: Path) -> Path | None:
        return self.path

    def missing_data(self, source: Source, reason: str) -> str:
        self.asked.append(f"data {source.title}")
        return self.on_missing_data

    def missing_weights(self, file: Downloadable, reason: str) -> bool:
        self.asked.append(file.title)
        return self.on_missing_weights

    def use_dataset(self, sources: list[Source], folder: Path) -> Source | None:
        self.asked.append(f"use {' or '.join(source.title for source in sources)}")
        return sources[self.on_dataset] if self.on_dataset is not None else None

    def another_network(self, source: Source, reason: str) -> str:
        self.asked.append(f"network for {source.title}: {reason}")
        return self.on_other_network

    def data_folder(self, title: str) -> Path | None:
        return self.path

    def data_file(self, title: str) -> Path | None:
        return self.path

    def export_target(self, suggestion: Path, format_title: str, suffix: str) -> Path | None:
        return self.path

    def tell(self, text: str, details: str) -> None:
        self.told.append(f"{text} {details}")


def redirect_folders(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keep preferences, runs and datasets of a test below `folder`."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"TRAINING_STUDIO_{name}", str(folder / name.lower()))


def opened_window(qtbot: QtBot, person: Person, template: str = "iris-mlp") -> Iterator[MainWindow]:
    """A shown window with a template; closed when the generator ends. Folders must be redirected before."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setStyle("Fusion")
    preferences = Preferences()
    window = MainWindow(read_template(template), None, preferences, Appearance(app, preferences.appearance), person)
    window.show()
    window.complete()
    yield window
    person.on_unsaved = DISCARD
    window.close()
    window.deleteLater()


def wait_until_loaded(qtbot: QtBot, window: MainWindow) -> None:
    """Wait for PyTorch and the plots."""
    qtbot.waitUntil(lambda: window.loader.loaded, timeout=LOADING_MS)
