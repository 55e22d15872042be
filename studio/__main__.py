"""The program: no argument opens the window, a subcommand runs on the command line without Qt."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Threads that wait must sleep: spinning ones cost a factor of three when the cores are busy. Before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        return _open_window(None)
    if arguments[0] == "open" and len(arguments) == 2 and not arguments[1].startswith("-"):
        return _open_window(Path(arguments[1]))
    from studio.cli.main import main as command_line

    return command_line(arguments)


def _open_window(project: Path | None) -> int:
    if sys.platform.startswith("linux") and not _has_display():
        print(
            "There is no screen to open the window on. To train without one, try: studio train --template digits-cnn",
            file=sys.stderr,
        )
        return 2
    from studio.ui.app import main as window

    return window(project)


def _has_display() -> bool:
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
