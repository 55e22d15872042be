"""Shared by all tests. With STUDIO_TESTS_WITHOUT_QT=1 the core is tested with Qt made unimportable."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

QT_PACKAGES = ("PySide6", "shiboken6", "pyqtgraph")


class NoQt(MetaPathFinder):
    """Refuses to import Qt."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in QT_PACKAGES:
            raise ImportError(f"{name} is not to be imported here: the core works without a window")


if os.environ.get("STUDIO_TESTS_WITHOUT_QT") == "1":
    sys.meta_path.insert(0, NoQt())
