"""One epoch of the studio's headless loop beside hand-written loops, interleaved, as ratios.

    bare    forward, backward and optimizer step on one fixed batch, as many steps
    plain   Dataset, DataLoader and loss.item() each step, as tutorials write it
    studio  the studio's loop: batches, figures, events and all
    watched the same, with looks at gradients, updates and units now and then, as a run has them

Run: python tests/benchmarks/bench_training.py [--data-dir DIR with the MNIST files] [--rounds N] [--threads N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.dataset import Dataset, prepare
from studio.fields import replace as replace_fields
from studio.project import Project, read_template
from studio.runs import RunFolder
from studio.training.checkup import Checkup
from studio.training.control import Control
from studio.training.devices import thread_count
from studio.training.setup import make_trainer

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def fresh_model(project: Project) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The network as torch users would write it, with the fused optimizer."""
    torch.manual_seed(0)
    model = build_network(make_plan(project.graph)).train()
    optimizer = project.training.optimizer
    return model, getattr(torch.optim, optimizer.torch_class)(model.parameters(), **optimizer.arguments(), fused=True)


def step(
    model: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """One hand-written training step."""
    loss = functional.cross_entropy(model(images), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss


def bare(project: Project, dataset: Dataset, steps: int) -> float:
    """Seconds for so many steps on one fixed batch."""
    model, optimizer = fresh_model(project)
    rows = dataset.splits["train"][: project.training.batch_size]
    images, labels = dataset.scalings[0].apply(dataset.inputs[0][rows]), dataset.targets[rows]
    for _ in range(3):
        step(model, optimizer, images, labels)
    started = time.perf_counter()
    for _ in range(steps):
        step(model, optimizer, images, labels)
    return time.perf_counter() - started


def plain(project: Project, dataset: Dataset, steps: int) -> float:
    """Seconds for so many steps the way tutorials write them."""
    model, optimizer = fresh_model(project)
    rows = dataset.splits["train"]
    images = dataset.scalings[0].apply(dataset.inputs[0][rows])
    loader = DataLoader(
        TensorDataset(images, dataset.targets[rows]), batch_size=project.training.batch_size, shuffle=True
    )
    total, done = 0.0, 0
    started = time.perf_counter()
    while done < steps:
        for batch, labels in loader:
            total += step(model, optimizer, batch, labels).item()
            done += 1
            if done == steps:
                break
    return time.perf_counter() - started


def watched(project: Project, dataset: Dataset, steps: int) -> float:
    """The same with looks at the health of the run."""
    return studio(project, dataset, steps, watch=True)


def studio(project: Project, dataset: Dataset, steps: int, *, watch: bool = False) -> float:
    """Seconds for so many steps of the studio's own loop, evaluation on the validation split left out."""
    with tempfile.TemporaryDirectory() as folder:
        run_folder = RunFolder.create(Path(folder) / "run", project)
        trainer = make_trainer(project, dataset, run_folder, torch.device("cpu"), Control())
        if watch:
            Checkup(project, make_plan(project.graph), trainer)
        done, epoch = 0, 0
        started = time.perf_counter()
        while done < steps:
            epoch += 1
            for _ in trainer.train_epoch(epoch):
                done = trainer.step
                if done >= steps:
                    break
        return time.perf_counter() - started


def compare(name: str, project: Project, dataset: Dataset, steps: int, rounds: int) -> None:
    """Print medians of each way's ratio to the bare steps of the same round."""
    ways: dict[str, Callable[[Project, Dataset, int], float]] = {
        "bare": bare, "studio": studio, "watched": watched, "plain": plain,
    }  # fmt: skip
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    bare_seconds = []
    for number in range(rounds + 1):
        seconds = {way: function(project, dataset, steps) for way, function in ways.items()}
        if number == 0:
            continue  # warm-up
        bare_seconds.append(seconds["bare"])
        for way in ways:
            ratios[way].append(seconds[way] / seconds["bare"])
    per_step = statistics.median(bare_seconds) / steps * 1e3
    print(f"{name}: {steps} steps, bare {per_step:.3f} ms a step, {torch.get_num_threads()} thread(s)")
    for way in ("studio", "watched", "plain"):
        values = sorted(ratios[way])
        print(f"  {way:<7} {statistics.median(values):.2f}x bare  (from {values[0]:.2f} to {values[-1]:.2f})")


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=MNIST)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(thread_count(options.threads))
    project = read_template("digits-mlp")
    compare("digits-mlp", project, prepare(project.data), 2000, options.rounds)
    project = read_template("mnist-cnn")
    project = replace(project, training=replace_fields(project.training, epochs=1))
    compare("mnist-cnn", project, prepare(project.data, options.data_dir), 200, options.rounds)


if __name__ == "__main__":
    main()
