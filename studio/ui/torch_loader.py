"""Loads PyTorch and what else is slow, in a thread behind the window that is already shown."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from studio.ui.collector import no_collections

if TYPE_CHECKING:
    from studio.training.devices import DeviceInfo

logger = logging.getLogger(__name__)

# What checks a network, what draws its curves and what trains it.
_NEEDED = ("studio.compile.shapes", "pyqtgraph", "studio.ui.panels.curve_view", "studio.training.runner")
# Needed at the first run or export. Not waited for: whoever comes earlier imports it, or waits for the import.
_SOON_NEEDED = ("sklearn.datasets", "studio.export.write")
_REST_SECONDS = 0.5  # for the window to take in what is ready, before the rest is loaded

# Package, file in it, and whether its symbols are for everyone: the first one is loaded so by torch itself.
_LARGE_LIBRARIES = (
    ("torch", "lib/libtorch_global_deps.*", ctypes.RTLD_GLOBAL),
    ("torch", "lib/libtorch_python.*", ctypes.RTLD_LOCAL),
    ("torch", "_C.*", ctypes.RTLD_LOCAL),
    ("triton", "_C/libtriton.*", ctypes.RTLD_LOCAL),
    ("numpy", "_core/_multiarray_umath.*", ctypes.RTLD_LOCAL),
)


class TorchLoader(QObject):
    """Imports the heavy libraries without making the window hitch."""

    ready = Signal()  # networks can be checked, trained and plotted
    failed = Signal(str)  # why PyTorch cannot be loaded, and what to do
    completed = Signal()  # what is needed soon is loaded too

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = _LoadThread(self)
        self._thread.ready.connect(self._report_ready)
        self._thread.failed.connect(self.failed)
        self._thread.finished.connect(self._report_completed)
        self._loaded = False
        self._closed = False

    @property
    def loaded(self) -> bool:
        """Whether `ready` was emitted."""
        return self._loaded

    @property
    def devices(self) -> list[DeviceInfo]:
        """The devices that torch knows and whether they can be used here; empty until loaded."""
        return self._thread.devices if self._loaded else []

    def start(self) -> None:
        """Begin to load. Nothing happens if it was begun or closed before."""
        if not self._loaded and not self._closed and not self._thread.isRunning():
            self._thread.start()

    def close(self) -> None:
        """Give up and wait. An import cannot be broken off, so this takes as long as the one under way."""
        self._closed = True  # a signal on its way must not begin anything any more
        self._thread.requestInterruption()
        self._thread.interrupted.set()
        self._thread.wait()

    @Slot()
    def _report_ready(self) -> None:
        if not self._closed:
            self._loaded = True
            self.ready.emit()

    @Slot()
    def _report_completed(self) -> None:
        if self._loaded and not self._closed:
            self.completed.emit()


class _LoadThread(QThread):
    """Does the importing. `devices` is complete when `ready` is emitted."""

    ready = Signal()
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.devices: list[DeviceInfo] = []
        self.interrupted = threading.Event()

    def run(self) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # 3 times faster on a busy machine; read when torch loads
        try:
            with no_collections():
                self._load()
        except Exception as error:
            logger.exception("PyTorch could not be loaded")
            self.failed.emit(
                f"PyTorch could not be started: {error}. You can go on drawing, but shapes are not checked and nothing "
                "can be trained. Install the program's packages again."
            )

    def _load(self) -> None:
        _load_shared_libraries()
        for name in ("torch", *_NEEDED):
            if self.isInterruptionRequested():
                return
            importlib.import_module(name)
        _warm_up()
        self.devices = _list_devices()
        self.ready.emit()
        self.interrupted.wait(_REST_SECONDS)
        for name in _SOON_NEEDED:
            if self.isInterruptionRequested():
                return
            importlib.import_module(name)


def _load_shared_libraries() -> None:
    """Map the largest libraries into memory ahead of the import, in a way that lets the window run meanwhile.

    `import` holds the interpreter's lock for the 0.3 s that this takes, and so does the constructor of ctypes.CDLL;
    a call of a foreign function does not, so the C library's own dlopen is called.
    """
    if os.name != "posix":
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    for package, pattern, mode in _LARGE_LIBRARIES:
        spec = None if package in sys.modules else importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for library in Path(folder).glob(pattern):
                # If it fails, nothing is lost: the import that follows does it its own way, and explains failures.
                dlopen(str(library).encode(), os.RTLD_NOW | mode)


def _warm_up() -> None:
    """One tiny training step, so that what torch builds at first use is there."""
    import torch

    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.zeros(1, 2)).sum().backward()
    optimizer.step()


def _list_devices() -> list[DeviceInfo]:
    from studio.training.devices import list_devices

    return list_devices()
