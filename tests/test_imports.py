"""What is loaded when: nothing heavy where the window starts, no Qt in the core."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import studio
from tests.conftest import QT_PACKAGES, NoQt

HEAVY = ("torch", "torchvision", "sklearn", "numpy", "scipy", "pyqtgraph", "safetensors", "datasets",
         "tokenizers")  # fmt: skip
LIGHT_MODULES = (
    "studio", "studio.blocks", "studio.data", "studio.graph.edits", "studio.graph.placement", "studio.project",
    "studio.settings", "studio.runs", "studio.compile.analysis", "studio.training.events", "studio.training.control",
    "studio.training.errors", "studio.training.places.process", "studio.training.places.worker",
    "studio.export.formats", "studio.cli.main", "studio.__main__",
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


def test_only_the_window_loads_qt() -> None:
    root = Path(studio.__file__).parent
    parts = [path.relative_to(root.parent).with_suffix("").parts for path in root.rglob("*.py")]
    names = [".".join(part) for part in parts if part[:2] != ("studio", "ui") and part[-1] != "__init__"]
    assert len(names) > 40
    assert loaded_after(f"import {', '.join(names)}", QT_PACKAGES) == []


@pytest.mark.parametrize("name", QT_PACKAGES)
def test_qt_is_refused_where_the_core_is_tested(name: str) -> None:
    with pytest.raises(ImportError, match="the core works without a window"):
        NoQt().find_spec(f"{name}.anything", None)
    assert NoQt().find_spec(f"{name}_else", None) is None
