"""What happens until the window shows, and until it is closed. PyTorch loads behind the shown window."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from studio.project import Project, read_project, read_template
from studio.project.templates import DEFAULT_TEMPLATE
from studio.storage import StorageError
from studio.ui import icons
from studio.ui.main_window import MainWindow
from studio.ui.preferences import APPLICATION, Preferences
from studio.ui.theme import Appearance

_MOST_SECONDS_TO_PAINT = 0.1


def open_window(project: Path | None = None) -> MainWindow:
    """The main window, shown. Makes the QApplication if there is none.

    Args:
        project: a project file to open; None for the default template. If it cannot be opened, the window tells why
            and opens the template.
    """
    app = _application()
    preferences = Preferences()
    value, path, refusal = _first_project(project)
    window = MainWindow(value, path, preferences, Appearance(app, preferences.appearance))
    window.show()
    _let_it_paint(window)
    QApplication.setWindowIcon(icons.application_icon())
    window.complete()
    if path is not None:
        preferences.add_recent_project(path)
    if refusal:
        window.prompts.tell("The project was not opened.", refusal)
    return window


def _let_it_paint(window: MainWindow) -> None:
    """Let the window appear before the rest is made; where painting takes longer, it comes in between."""
    deadline = time.monotonic() + _MOST_SECONDS_TO_PAINT
    while window.painted_at is None and time.monotonic() < deadline:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)


def run_until_closed(window: MainWindow) -> int:
    """Let the person work; returns the exit code."""
    from studio.ui.crash import CrashReporter  # what the window need not wait for
    from studio.ui.ending import EndSignals, LastResort

    CrashReporter(window).install()
    signals = EndSignals(window)
    signals.came.connect(window.end)
    signals.install()
    window.last_resort = LastResort()
    code = QApplication.exec()
    signals.close()
    return code


def _application() -> QApplication:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setStyle("Fusion")  # before it exists: it need not make another style first
        app = QApplication(sys.argv[:1])
    app.setApplicationName(APPLICATION)
    app.setOrganizationName(APPLICATION)
    app.setApplicationDisplayName("Training Studio")
    app.setDesktopFileName(APPLICATION)
    if app.style().name() != "fusion":
        app.setStyle("Fusion")
    return app


def _first_project(path: Path | None) -> tuple[Project, Path | None, str]:
    """What to open at start: the project, its file if it has one, and why the file was not opened."""
    if path is None:
        return read_template(DEFAULT_TEMPLATE), None, ""
    try:
        return read_project(path), path, ""
    except StorageError as error:
        return read_template(DEFAULT_TEMPLATE), None, str(error)
