"""What the window remembers between two starts, in one INI file."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

APPLICATION = "training-studio"
MAX_RECENT = 10


class Preferences:
    """The person's choices. Each access reads or writes the file, so several windows agree.

    The environment variable TRAINING_STUDIO_CONFIG names another folder for the file.
    """

    def __init__(self) -> None:
        folder = os.environ.get("TRAINING_STUDIO_CONFIG")
        if folder:
            self._settings = QSettings(str(Path(folder) / f"{APPLICATION}.ini"), QSettings.Format.IniFormat)
        else:
            scope = QSettings.Scope.UserScope
            self._settings = QSettings(QSettings.Format.IniFormat, scope, APPLICATION, APPLICATION)

    def write(self) -> None:
        """Write at once what was set; otherwise that happens a moment later."""
        self._settings.sync()

    @property
    def appearance(self) -> str:
        """One of `theme.MODES`; what stands in the file is not checked here."""
        return self._text("appearance", "system")

    @appearance.setter
    def appearance(self, mode: str) -> None:
        self._settings.setValue("appearance", mode)

    @property
    def figure(self) -> str:
        """Which figure stands on every block; what stands in the file is not checked here."""
        return self._text("figure", "parameters")

    @figure.setter
    def figure(self, figure: str) -> None:
        self._settings.setValue("figure", figure)

    @property
    def overview(self) -> bool:
        """Whether the canvas shows its overview map."""
        return self._text("overview", "yes") != "no"

    @overview.setter
    def overview(self, shown: bool) -> None:
        self._settings.setValue("overview", "yes" if shown else "no")

    @property
    def samples(self) -> bool:
        """Whether the blocks show what a sample looks like after them."""
        return self._text("samples", "yes") != "no"

    @samples.setter
    def samples(self, shown: bool) -> None:
        self._settings.setValue("samples", "yes" if shown else "no")

    @property
    def code(self) -> bool:
        """Whether the network's Python source stands beside the canvas."""
        return self._text("code", "no") == "yes"

    @code.setter
    def code(self, shown: bool) -> None:
        self._settings.setValue("code", "yes" if shown else "no")

    @property
    def training_place(self) -> str:
        """Where runs are trained, see `studio.training.places`; what stands in the file is not checked here."""
        return self._text("training_place", "thread")

    @training_place.setter
    def training_place(self, place: str) -> None:
        self._settings.setValue("training_place", place)

    @property
    def recent_projects(self) -> list[Path]:
        """Project files opened or saved lately, the last one first. They may be gone by now."""
        value = self._settings.value("recent_projects", [])
        paths = [value] if isinstance(value, str) else value  # a list of one comes back as its only text
        return [Path(path) for path in paths if isinstance(path, str) and path] if isinstance(paths, list) else []

    def add_recent_project(self, path: Path) -> None:
        """Put a project file at the head of the recent ones."""
        others = [known for known in self.recent_projects if known != path]
        self._settings.setValue("recent_projects", [str(known) for known in [path, *others][:MAX_RECENT]])

    def forget_recent_project(self, path: Path) -> None:
        """Take a file that is gone out of the recent ones."""
        self._settings.setValue("recent_projects", [str(known) for known in self.recent_projects if known != path])

    def data_folder(self, kind: str) -> Path | None:
        """Where the person keeps the files of a dataset; None if they never said."""
        text = self._text(f"data_folders/{kind}", "")
        return Path(text) if text else None

    def set_data_folder(self, kind: str, folder: Path | None) -> None:
        """Remember where the files of a dataset are; None for the studio's own cache."""
        if folder is None:
            self._settings.remove(f"data_folders/{kind}")
        else:
            self._settings.setValue(f"data_folders/{kind}", str(folder))

    @property
    def block_uses(self) -> dict[str, tuple[float, float]]:
        """How much each kind of block was used, and when last, in seconds since the epoch."""
        self._settings.beginGroup("block_uses")
        kinds = self._settings.childKeys()
        self._settings.endGroup()
        found = {}
        for kind in kinds:
            words = self._text(f"block_uses/{kind}", "").split()
            try:
                found[kind] = (max(0.0, min(1e6, float(words[0]))), float(words[1]))
            except (IndexError, ValueError):
                continue  # the file was edited by hand
        return found

    def set_block_use(self, kind: str, count: float, when_s: float) -> None:
        """Remember how much a kind of block was used, and when last."""
        self._settings.setValue(f"block_uses/{kind}", f"{count:.4f} {when_s:.0f}")

    def layout(self, name: str) -> QByteArray:
        """A saved window geometry or splitter state; empty if there is none."""
        value = self._settings.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_layout(self, name: str, state: QByteArray) -> None:
        """Save a window geometry or splitter state."""
        self._settings.setValue(f"layout/{name}", state)

    def _text(self, key: str, default: str) -> str:
        value = self._settings.value(key, default)
        return value if isinstance(value, str) else default
