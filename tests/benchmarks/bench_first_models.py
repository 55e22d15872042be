"""The first model of each kind of data: one command each, its score beside the best answer that ignores the input.

Run: python tests/benchmarks/bench_first_models.py [NAME ...] [--proposed] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared" / "data"
# Name: template, where the data is below SHARED, and the score that is wanted; an archive is unpacked.
MODELS = {
    "hymenoptera": ("photos-cnn", "hymenoptera-subset/hymenoptera-41-imagefolder.tar.gz", None),
    "cifar10-jpeg": ("photos-cnn", "cifar10-jpeg/cifar10-8500-imagefolder.tar.gz", None),
    "titanic": ("table-classifier", "tabular/titanic.csv", None),
    "california-housing": ("table-regression", "tabular/california-housing.csv", None),
    "imdb-subset": ("imdb-average", "imdb-subset/aclImdb-2000-folders.tar.gz", None),
    "sms-spam": ("text-cnn", "sms-spam/spam.csv", 0.97),
    "ETTh1": ("series-gru", "timeseries/ETTh1.csv", None),
    "spoken-digits": ("spoken-digits-cnn", "spoken-digits/fsdd-train-240.tar.gz", 0.85),
    "nuclei": ("masks-unet", "nuclei-segmentation/dsb2018-37-images.tar.gz", None),
}


def place_of(path: Path, folder: Path) -> Path:
    """The data itself; unpacked where it is an archive."""
    if not path.name.endswith(".tar.gz"):
        return path
    target = folder / path.name.removesuffix(".tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(target, filter="data")
    inside = list(target.iterdir())
    return inside[0] if len(inside) == 1 else target


def finished(arguments: list[str]) -> dict[str, object]:
    """The last event of a run."""
    command = [sys.executable, "-m", "studio", "train", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    event: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return event


def verdict(score: float, baseline: float, metric: str, wanted: float | None) -> str:
    """Whether a score is good enough."""
    better = score < baseline if metric == "mae" else score > baseline
    reached = wanted is None or score >= wanted
    return "better" * better + " NOT BETTER" * (not better) + (f", BELOW {wanted}" if not reached else "")


def main() -> None:
    """Print one line for each model and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--proposed", action="store_true", help="the network that is proposed, not the template")
    parser.add_argument("--seeds", nargs="+", default=["0"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names or MODELS:
            template, data, wanted = MODELS[name]
            place = place_of(SHARED / data, Path(folder))
            network = [] if options.proposed else ["--template", template]
            for seed in options.seeds:
                end = finished([*network, "--data", str(place), "--seed", seed])
                test, baseline = end["metrics"]["test"], end["baseline"]["test"]  # type: ignore[index]
                metric = next(key for key in test if key != "loss")
                figures = f"{metric} {test[metric]:.4f}, baseline {baseline[metric]:.4f}"
                loss = f"loss {test['loss']:.4f}, baseline {baseline['loss']:.4f}"
                told = verdict(test[metric], baseline[metric], metric, wanted)
                print(f"{name} (seed {seed}): {figures}; {loss}; {end['seconds']:.0f} s; {told}", flush=True)


if __name__ == "__main__":
    main()
