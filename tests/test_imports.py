"""What is loaded when: nothing heavy where the window starts, no Qt in the core."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "sklearn", "numpy", "scipy", "pyqtgraph", "safetensors", "datasets")
LIGHT_MODULES = (
    "studio", "studio.blocks", "studio.data", "studio.graph.edits", "studio.graph.placement", "studio.project",
    "studio.settings", "studio.runs", "studio.compile.analysis", "studio.training.events", "studio.training.control",
    "studio.training.errors", "studio.export.formats", "studio.cli.main", "studio.__main__",
)  # fmt: skip


def loaded_after(statement: str, names: tuple[str, ...]) -> list[str]:
    """Which of some packages a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_declarations_load_nothing_heavy() -> None:
    statement = "import " + ", ".join(LIGHT_MODULES)
    assert loaded_after(statement, (*HEAVY, "PySide6")) == []


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_after("import studio", ("studio.blocks", "studio.fields", "studio.storage")) == []


@pytest.mark.parametrize("module", ["studio.training.runner", "studio.export.write", "studio.compile.source"])
def test_the_core_loads_no_qt(module: str) -> None:
    assert loaded_after(f"import {module}", ("PySide6", "shiboken6", "pyqtgraph")) == []
