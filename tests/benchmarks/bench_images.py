"""Many picture files: how soon they are shown, how fast they train from the cache, and how much memory that takes.

    open    50,000 files in class folders: recognise them, list them, show nine; the longest time for which no other
            thread could run meanwhile
    epoch   batches and whole training steps from the cache, beside the same pictures as a tensor in memory, as ratios
    large   200,000 pictures of 64×64: the memory of the process after decoding, and after a training epoch

Run: python tests/benchmarks/bench_images.py [open] [epoch] [large] [--files N] [--large-files N] [--rounds N]
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 10
BATCH = 64


def make_files(root: Path, count: int, size: int) -> None:
    """JPEG files in class folders; there are 200 different ones."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(200):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        file = io.BytesIO()
        small.resize((size, size), Image.Resampling.BICUBIC).save(file, "JPEG")
        contents.append(file.getvalue())
    for number in range(CLASSES):
        (root / f"class {number}").mkdir(parents=True)
    for number in range(count):
        (root / f"class {number % CLASSES}" / f"{number:06}.jpg").write_bytes(contents[number % 200])


class Heartbeat:
    """A thread that wants to run every millisecond, as a window does; remembers the longest wait."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat)

    def _beat(self) -> None:
        last = time.perf_counter()
        while not self._ended.wait(0.001):
            now = time.perf_counter()
            self.worst, last = max(self.worst, now - last), now

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        self._thread.join()


def bench_open(folder: Path) -> None:
    """Seconds until the first samples are there."""
    from studio.data.recognize import recognize

    started = time.perf_counter()
    with Heartbeat() as beat:
        (source,) = recognize(folder)
        recognised = time.perf_counter()
        listing = source.listing()
        listed = time.perf_counter()
        assert all(listing.show(number).picture is not None for number in range(9))
        shown = time.perf_counter()
    print(
        f"open   {listing.count:,} files: recognised {recognised - started:.2f} s, listed {listed - recognised:.2f} s, "
        f"nine shown {shown - listed:.2f} s; together {shown - started:.2f} s (at most 1); "
        f"longest wait of another thread {1000 * beat.worst:.0f} ms (at most 50)"
    )


def bench_epoch(folder: Path, rounds: int) -> None:
    """Throughput of the second epoch and later, from the cache and from memory in turns."""
    import torch

    from studio.data import DataChoice
    from studio.data.dataset import Dataset, prepare
    from studio.data.recognize import recognize

    torch.set_num_threads(1)
    (source,) = recognize(folder)
    started = time.perf_counter()
    cached = prepare(DataChoice(source))
    print(f"epoch  decoded and prepared in {time.perf_counter() - started:.1f} s")
    memory: Dataset = replace(cached, inputs=tuple(x.clone() for x in cached.inputs), files=())
    for name, run in (("batches alone", batches), ("training steps", steps)):
        run(cached), run(memory)  # a first epoch each
        in_memory, from_cache = zip(*((run(memory), run(cached)) for _ in range(rounds)), strict=True)
        # The fastest of each: other programs only ever add to the time.
        print(f"epoch  {name}: cache {min(in_memory) / min(from_cache):.3f} of memory (at least 0.95)")


def batches(dataset: object) -> float:
    """Seconds for all batches of an epoch."""
    import torch

    from studio.data.batches import Batches

    given = Batches(dataset, "train", BATCH, torch.device("cpu"), channels_last=True)
    started = time.perf_counter()
    for _ in given.epoch(torch.Generator().manual_seed(0)):
        pass
    return time.perf_counter() - started


def steps(dataset: object, most: int = 60) -> float:
    """Seconds for some steps of a small convolutional network."""
    import torch
    from torch import nn
    from torch.nn import functional

    from studio.data.batches import Batches

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 4, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, CLASSES)
    ).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    given = Batches(dataset, "train", BATCH, torch.device("cpu"), channels_last=True)
    started = time.perf_counter()
    for number, ((x,), y) in enumerate(given.epoch(torch.Generator().manual_seed(0))):
        loss = functional.cross_entropy(network(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if number == most:
            break
    return time.perf_counter() - started


def peak_megabytes() -> float:
    """The most memory that this process ever had, with all that was mapped."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def bench_large(folder: Path) -> None:
    """Memory of a process that decodes, and of one that trains, each alone."""
    for name in ("decode", "train"):
        subprocess.run([sys.executable, __file__, f"--{name}", str(folder)], check=True)


def large_decode(folder: Path) -> None:
    """Decode only."""
    from studio.data.recognize import recognize

    (source,) = recognize(folder)
    started = time.perf_counter()
    source.unpack()
    seconds = time.perf_counter() - started
    count = source.listing().count
    print(f"large  {count:,} decoded in {seconds:.0f} s ({count / seconds:,.0f} a second): {peak_megabytes():,.0f} MB")


def large_train(folder: Path) -> None:
    """Prepare, and one epoch of training steps, shuffled."""
    import torch

    from studio.data import DataChoice
    from studio.data.dataset import prepare
    from studio.data.recognize import recognize

    torch.set_num_threads(1)
    (source,) = recognize(folder)
    started = time.perf_counter()
    dataset = prepare(DataChoice(source))
    prepared = time.perf_counter()
    print(f"large  prepared from the cache in {prepared - started:.1f} s: {peak_megabytes():,.0f} MB")
    seconds = steps(dataset, most=10**9)
    count = len(dataset.splits["train"])
    print(f"large  trained on {count:,} in {seconds:.0f} s: {peak_megabytes():,.0f} MB at the most (at most 1,500)")


def within(count: int, size: int, use: Callable[[Path], None]) -> None:
    """Make files and a cache in a folder of their own, and use them."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRAINING_STUDIO_CACHE"] = str(Path(folder) / "cache")
        make_files(Path(folder) / "pictures", count, size)
        use(Path(folder) / "pictures")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["open", "epoch", "large"])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--large-files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decode", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.decode or options.train:
        large_decode(options.decode) if options.decode else large_train(options.train)
        return
    if "open" in options.parts:
        within(options.files, 32, bench_open)
    if "epoch" in options.parts:
        within(min(options.files, 20_000), 32, lambda folder: bench_epoch(folder, options.rounds))
    if "large" in options.parts:
        within(options.large_files, 64, bench_large)


if __name__ == "__main__":
    main()
