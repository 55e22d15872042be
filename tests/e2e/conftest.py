"""A virtual screen with a window manager, and the real program on it."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SECONDS_TO_WAIT = 60.0
NEEDED = ("Xvfb", "openbox", "xdotool")


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A screen of 1280x800 that no one sees; its name."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"a virtual screen needs {', '.join(missing)}")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as answer:
            name = f":{answer.readline().strip()}"
        with subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": name}, stderr=subprocess.DEVNULL) as manager:
            yield name
            manager.terminate()
        server.terminate()


class Studio:
    """The running program: looked at through the driver, moved with a real pointer and keys."""

    def __init__(self, process: subprocess.Popen[str], display: str) -> None:
        self.process = process
        self._environment = {**os.environ, "DISPLAY": display}
        self._answers = selectors.DefaultSelector()
        assert process.stdout is not None
        self._answers.register(process.stdout, selectors.EVENT_READ)

    def ask(self, expression: str) -> Any:
        """The value of an expression in the window's process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        if not self._answers.select(SECONDS_TO_WAIT):
            raise TimeoutError(f"the window did not answer: {expression}")
        value = json.loads(self.process.stdout.readline())
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{expression}: {value['error']}")
        return value

    def wait(self, expression: str, accept: Callable[[Any], bool] = bool, seconds: float = SECONDS_TO_WAIT) -> Any:
        """Ask until the answer is accepted."""
        end = time.monotonic() + seconds
        while not accept(value := self.ask(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:g} s, {expression} was still {value!r}")
        return value

    def pointer(self, *arguments: object) -> None:
        """Move the pointer or press keys, by xdotool."""
        subprocess.run(["xdotool", *map(str, arguments)], env=self._environment, check=True, timeout=SECONDS_TO_WAIT)

    def click(self, name: str) -> None:
        """Click in the middle of a widget, once it is visible."""
        self._click_in(self.wait(f"rect({name!r})"))

    def answer(self, text: str) -> None:
        """Click a button of the dialog that is open or about to open."""
        self._click_in(self.wait(f"dialog_button({text!r})"))

    def _click_in(self, rect: list[int]) -> None:
        x, y, width, height = rect
        self.pointer("mousemove", "--sync", x + width // 2, y + height // 2, "click", 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press at one point, move in steps as a hand does, release at another."""
        self.pointer("mousemove", "--sync", *start, "mousedown", 1)
        steps = 12
        for step in range(1, steps + 1):
            x, y = (round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            self.pointer("mousemove", "--sync", x, y)
        self.pointer("mouseup", 1)

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.pointer("key", key)


@pytest.fixture
def studio(display: str, tmp_path: Path) -> Iterator[Studio]:
    """The program, shown and with PyTorch ready; folders of its own."""
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "HOME": str(tmp_path),
        **{f"TRAINING_STUDIO_{name}": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "CACHE")},
    }
    command = [sys.executable, str(Path(__file__).with_name("driver.py"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=Path.cwd()) as process:
        studio = Studio(process, display)
        studio.wait("window.isVisible() and window.analyzer.analysis is not None")
        yield studio
        if process.poll() is None:
            process.kill()
