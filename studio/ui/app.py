"""Opens the window. Nothing at all is imported here: the window is painted before the collector first runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.ui.collector import no_collections

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow


def create_window(project: Path | None = None) -> MainWindow:
    """The main window, shown. Makes the QApplication if there is none.

    Args:
        project: a project file to open; None for the default template. If it cannot be opened, the window tells why
            and opens the template.
    """
    with no_collections():
        from studio.ui.opening import open_window

        return open_window(project)


def main(project: Path | None = None) -> int:
    """Run the program until the window is closed; returns the exit code."""
    window = create_window(project)
    from studio.ui.opening import run_until_closed

    return run_until_closed(window)
