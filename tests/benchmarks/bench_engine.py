"""The studio's engine beside bare PyTorch and beside other frameworks: one run, all sides in turns, as ratios.

All sides train the same network, exported by the studio, from the same weights, on the same prepared samples, with the
same batch size and optimizer. Each lives in a process of its own and waits while another one is measured. The ratio is
that of a step's time to the time of a bare step (forward, backward, fused optimizer, on one batch that stays), measured
right before and after; shown is the median of the rounds. Other frameworks are no dependencies: name a folder for
them, and they are installed there; a side that cannot begin is left out with a word.

Run: python tests/benchmarks/bench_engine.py [--frameworks FOLDER] [--models NAME ...] [--sides NAME ...]
     [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[3] / "shared" / "data"
SIDES_FILE = Path(__file__).with_name("engine_sides.py")
# Name: template, where its data is below SHARED; nothing for what the studio brings along.
MODELS = {
    "digits MLP": ("digits-mlp", ""),
    "MNIST CNN": ("mnist-cnn", "mnist"),
    "GRU on texts": ("imdb-gru-classifier", "imdb-subset/aclImdb-2000-folders.tar.gz"),
    "Transformer encoder": ("digits-transformer", ""),
}
FRAMEWORKS = {"accelerate": "accelerate", "lightning": "lightning", "skorch": "skorch", "keras": "keras"}
OURS = ("bare", "studio", "auto", "window-thread", "window-process", "plain")
MOST_SECONDS_TO_BEGIN = 300


def make_case(template: str, data: str, folder: Path) -> None:
    """Write what all sides train from: network, weights, samples, settings."""
    import torch

    from studio.compile.network import build_network
    from studio.compile.plan import make_plan
    from studio.compile.source import class_source, source_imports
    from studio.data.batches import Batches
    from studio.data.dataset import prepare
    from studio.project import read_template, write_project
    from studio.training.devices import thread_count

    project = read_template(template)
    place = place_of(SHARED / data, folder) if data else None
    dataset = prepare(project.data, place)
    plan, settings = make_plan(project.graph), project.training
    parts = list(Batches(dataset, "train", settings.batch_size, torch.device("cpu")).epoch(None))
    torch.manual_seed(settings.seed)
    content = {
        "inputs": torch.cat([inputs[0] for inputs, _ in parts]),
        "targets": torch.cat([targets for _, targets in parts]),
        "state": build_network(plan).state_dict(),
    }
    torch.save(content, folder / "data.pt")
    lines = ["import torch", "from torch import nn", *source_imports(plan), "", "", class_source(plan, "Exported")]
    (folder / "exported.py").write_text("\n".join(lines))
    write_project(folder / "project.json", project)
    about = {
        "threads": thread_count(0), "batch_size": settings.batch_size, "optimizer": settings.optimizer.torch_class,
        "arguments": settings.optimizer.arguments(), "data_dir": str(place or ""),
    }  # fmt: skip
    (folder / "about.json").write_text(json.dumps(about))


def place_of(path: Path, folder: Path) -> Path:
    """Where the data lies; unpacked where it is an archive."""
    if not path.name.endswith(".tar.gz"):
        return path
    with tarfile.open(path) as archive:
        archive.extractall(folder / "data", filter="data")
    inside = list((folder / "data").iterdir())
    return inside[0] if len(inside) == 1 else folder / "data"


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment with the frameworks; made if it is not there.

    It sees the packages of this one, too, so all sides have the same PyTorch.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        inside = subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        (Path(inside) / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for package in FRAMEWORKS.values():
        try_it = [str(python), "-c", f"import os; os.environ['KERAS_BACKEND'] = 'torch'; import {package}"]
        if subprocess.run(try_it, capture_output=True, check=False).returncode:
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=False)
    return python


class Side:
    """One side's process."""

    def __init__(self, name: str, python: Path, folder: Path) -> None:
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root, "PYTHONWARNINGS": "ignore"}
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(python), str(SIDES_FILE), name, str(folder)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.failed = not self.process.stdout.readline()

    def reason(self) -> str:
        """The last line it said."""
        self.process.wait()
        return (self.log.read_text().strip().splitlines() or ["no reason was given"])[-1]

    def round(self, seconds: float) -> dict[str, Any] | None:
        """What it measured in a round; None if it broke off."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        self.failed = not answer
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def sides_of(names: list[str], python: Path | None, folder: Path) -> Iterator[dict[str, Side]]:
    """The processes of all sides that can begin, one started after the other."""
    sides: dict[str, Side] = {}
    try:
        for name in names:
            if name in FRAMEWORKS and python is None:
                print(f"  {name}: left out, no folder for frameworks was named")
                continue
            interpreter = python if name in FRAMEWORKS and python is not None else Path(sys.executable)
            sides[name] = Side(name, interpreter, folder)
            if sides[name].failed:
                print(f"  {name}: left out: {sides.pop(name).reason()}")
        yield sides
    finally:
        for side in sides.values():
            side.close()


def compare(model: str, options: argparse.Namespace, python: Path | None) -> None:
    """Print a line for each side."""
    template, data = MODELS[model]
    if data and not (SHARED / data).exists():
        print(f"{model}: left out, its data is not here")
        return
    # A run that was broken off may still write its last checkpoint.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        make_case(template, data, folder)
        print(f"{model} ({template})", flush=True)
        names = ["bare", *(side for side in options.sides if side != "bare")]
        found: dict[str, list[dict[str, Any]]] = {side: [] for side in names[1:]}
        with sides_of(names, python, folder) as sides:
            bare = sides.pop("bare")
            for number, (side, process) in itertools.product(range(options.rounds + 1), sides.items()):
                if process.failed:
                    continue
                before, result, after = (each.round(options.seconds) for each in (bare, process, bare))
                assert before is not None
                assert after is not None
                if result is None:
                    print(f"  {side}: broke off: {process.reason()}")
                elif number:  # the first round warms up
                    found[side].append({**result, "ratio": 2 * result["step"] / (before["step"] + after["step"])})
            bare.close()
        for side in names[1:]:
            if found[side]:
                print(line_of(side, found[side]), flush=True)


def line_of(side: str, rounds: list[dict[str, Any]]) -> str:
    """The median of a side's ratios, and their range."""
    ratios = sorted(result["ratio"] for result in rounds)
    step = statistics.median(result["step"] for result in rounds) * 1e3
    words = (
        f"{side:<15}{statistics.median(ratios):6.2f}x bare (from {ratios[0]:.2f} to {ratios[-1]:.2f}), {step:.3f} ms"
    )
    if "p99" in rounds[0]:
        p99 = statistics.median(result["p99"] for result in rounds)
        worst = max(result["worst"] for result in rounds)
        words += f"; gaps of a 10 ms timer: 99th percentile {p99:.0f} ms, longest {worst:.0f} ms"
    return f"  {words}{'; ' + rounds[0]['words'] if rounds[0].get('words') else ''}"


def main() -> None:
    """Compare for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", type=Path, help="folder of their virtual environment; made if it is not there")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--sides", nargs="+", choices=(*OURS, *FRAMEWORKS), default=[*OURS, *FRAMEWORKS])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a round of one side")
    options = parser.parse_args()
    python = python_of(options.frameworks) if options.frameworks else None
    for model in options.models:
        compare(model, options, python)


if __name__ == "__main__":
    main()
