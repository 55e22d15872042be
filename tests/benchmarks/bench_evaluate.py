"""Evaluating a split beside a bare forward pass over the same samples, prepared before: in turns, in one process.

    bare       batches of 512 that lie in memory, scaled and laid out, go through the network; nothing is kept
    evaluate   `predict`: samples are gathered and scaled, answered, and losses, answers and targets are kept

The network is the template of MNIST with fresh weights; the samples are the 10,000 of its test set.

Run: python tests/benchmarks/bench_evaluate.py [--data-dir DIR] [--rounds N] [--threads N] [--template NAME]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.batches import Batches
from studio.data.dataset import prepare
from studio.evaluation.predictions import BATCH, predict
from studio.evaluation.trained import Trained
from studio.project import read_template
from studio.training.checkpoint import Checkpoint
from studio.training.setup import has_images

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
SPLIT = "test"


def ready(template: str, folder: Path) -> Trained:
    """A network with fresh weights, and its data."""
    project = read_template(template)
    plan = make_plan(project.graph)
    torch.manual_seed(0)
    model = build_network(plan).eval()
    if has_images(plan):
        model = model.to(memory_format=torch.channels_last)
    checkpoint = Checkpoint(model.state_dict(), {}, 0, 0, {}, project, {})
    return Trained(Path("fresh.pt"), checkpoint, plan, model, prepare(project.data, folder), torch.device("cpu"), False)


def prepared(trained: Trained) -> list[tuple[torch.Tensor, ...]]:
    """The inputs of all batches, as the network wants them."""
    batches = Batches(trained.dataset, SPLIT, BATCH, trained.device, trained.channels_last)
    return [tuple(value.clone() for value in inputs) for inputs, _ in batches.epoch(None)]


def bare(trained: Trained, batches: list[tuple[torch.Tensor, ...]]) -> float:
    """Seconds for a pass over prepared batches."""
    started = time.perf_counter()
    with torch.inference_mode():
        for inputs in batches:
            trained.model(*inputs)
    return time.perf_counter() - started


def evaluated(trained: Trained) -> float:
    """Seconds for an evaluation of the same samples."""
    started = time.perf_counter()
    predict(trained, SPLIT, lambda _done, _total: None)
    return time.perf_counter() - started


def main() -> None:
    """Measure in turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=SHARED)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--template", default="mnist-cnn")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trained = ready(options.template, options.data_dir)
    batches = prepared(trained)
    for _ in range(2):  # memory is taken and kernels are chosen in the first passes
        bare(trained, batches)
        evaluated(trained)
    pairs = [(bare(trained, batches), evaluated(trained)) for _ in range(options.rounds)]
    ratios = sorted(second / first for first, second in pairs)
    fastest = tuple(1000 * min(times) for times in zip(*pairs, strict=True))
    print(
        f"{options.template}, {len(trained.dataset.splits[SPLIT]):,} samples, {options.threads} thread(s): bare "
        f"{fastest[0]:.0f} ms, evaluate {fastest[1]:.0f} ms; ratio median {statistics.median(ratios):.3f} "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
    )


if __name__ == "__main__":
    main()
