from __future__ import annotations

import gc
import importlib
import sys

import pytest
from pytestqt.qtbot import QtBot

from studio.ui.torch_loader import TorchLoader
from tests.ui.window_help import LOADING_MS


def test_after_loading_the_heavy_modules_and_the_devices_are_known(qtbot: QtBot) -> None:
    loader = TorchLoader()
    assert (loader.loaded, loader.devices) == (False, [])
    with qtbot.waitSignal(loader.ready, timeout=LOADING_MS):
        loader.start()
    assert loader.loaded
    assert {"torch", "pyqtgraph", "studio.training.runner"} <= sys.modules.keys()
    assert any(info.kind == "cpu" and info.available for info in loader.devices)
    loader.close()
    assert gc.isenabled()


def test_what_cannot_be_loaded_is_explained(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"no {name} here")

    monkeypatch.setattr(importlib, "import_module", refuse)
    loader = TorchLoader()
    with qtbot.assertNotEmitted(loader.ready), qtbot.waitSignal(loader.failed) as failure:
        loader.start()
    assert failure.args is not None
    assert "no torch here" in failure.args[0]
    assert "Install" in failure.args[0]
    loader.close()
    assert gc.isenabled()


def test_nothing_begins_after_it_was_closed(qtbot: QtBot) -> None:
    loader = TorchLoader()
    loader.close()
    loader.start()
    assert not loader._thread.isRunning()
