"""Two machines, simulated by network namespaces with a cable between them: a process is killed, the run finishes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"

MNIST = SHARED_DATA / "mnist"
FIRST, SECOND, PORT = "10.77.31.1", "10.77.31.2", 29431
SECONDS = 400  # two starts of PyTorch on a busy machine
NAMES = ("studio-first", "studio-second")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def cable() -> Iterator[None]:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs Linux, root and the program ip to make network namespaces")
    try:
        for name in NAMES:
            ip("netns", "add", name)
        ip("link", "add", "cable0", "netns", NAMES[0], "type", "veth", "peer", "name", "cable1", "netns", NAMES[1])
        for name, device, address in zip(NAMES, ("cable0", "cable1"), (FIRST, SECOND), strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")
            ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        _remove()
        pytest.skip(f"this machine makes no network namespaces: {error.stderr.decode().strip()}")
    yield
    _remove()


def _remove() -> None:
    for name in NAMES:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def start(name: str, folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command of the studio on one of the two machines, with files of its own."""
    own = {"TRAINING_STUDIO_DATA": str(folder / "data"), "TRAINING_STUDIO_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        ["ip", "netns", "exec", name, sys.executable, "-m", "studio", *words],
        env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs MNIST in ../shared/data")
@pytest.mark.usefixtures("cable")
def test_two_machines_train_mnist_though_a_process_is_killed(tmp_path: Path) -> None:
    together = ("--data-dir", str(MNIST), "--device", "cpu")
    lead = start(
        NAMES[0], tmp_path / "first", "train", "--template", "mnist-relu-mlp", *together, "--on", "hosts:2",
        "--rdzv", f"{FIRST}:{PORT}", "--run-dir", str(tmp_path / "run"), "--epochs", "2", "--json",
    )  # fmt: skip
    join = start(NAMES[1], tmp_path / "second", "join", f"{FIRST}:{PORT}", "--hosts", "2", *together)
    watchdog = threading.Timer(SECONDS, lead.kill)
    watchdog.start()
    events, killed = [], False
    try:
        assert lead.stdout is not None
        for line in lead.stdout:
            events.append(json.loads(line) if line.startswith("{") else {"event": line})
            if events[-1]["event"] == "progress" and not killed:
                joined = next(event for event in events if event["event"] == "joined")
                pid = re.search(r"process (\d+)", joined["members"][1])
                assert pid is not None
                os.kill(int(pid[1]), signal.SIGKILL)
                killed = True
        assert lead.wait(30) == 0, events[-5:]
        assert join.wait(30) == 0
    finally:
        watchdog.cancel()
        for process in (lead, join):
            process.kill()
            process.communicate()
    kinds = [event["event"] for event in events]
    assert kinds.count("joined") == 2
    assert "resumed" in kinds
    assert events[-1]["status"] == "finished"
    assert events[-1]["metrics"]["test"]["accuracy"] > 0.9
