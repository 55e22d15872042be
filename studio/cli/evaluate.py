"""studio evaluate: what trained weights are worth on a split, and whether others are really better."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.project_options import add_trust_option
from studio.cli.train import DEVICES

if TYPE_CHECKING:
    from studio.evaluation.comparison import Comparison
    from studio.evaluation.predictions import Predictions, Progress
    from studio.evaluation.report import Report
    from studio.evaluation.trained import Trained

SPLITS = ("train", "validation", "test")
MOST_CLASSES = 20  # in the table for people; JSON has all


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("evaluate", help="measure trained weights on a split; several runs are compared")
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN|CHECKPOINT", help="folders of runs, or .pt checkpoints"
    )
    parser.add_argument("--split", choices=SPLITS, default="validation", help="each use of “test” is counted")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the dataset’s files are")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, and compare the others with the first."""
    from studio.evaluation.compare_runs import check_comparable, compare  # loads torch
    from studio.evaluation.report import report_on
    from studio.evaluation.trained import open_trained
    from studio.evaluation.wording import in_words

    trained = [open_trained(path, options.data_dir, options.device, trusted=options.trust) for path in options.runs]
    check_comparable(trained, options.split)
    predictions = [_predict(each, options.split) for each in trained]
    reports = [report_on(each) for each in predictions]
    comparisons = [compare(predictions[0], other) for other in predictions[1:]]
    uses = _count_uses(trained, options.split)
    if options.json:
        runs = [
            {"checkpoint": str(each.path), "data_changed": each.changed, **report.to_json()}
            for each, report in zip(trained, reports, strict=True)
        ]
        print(json.dumps(_document(runs, comparisons, uses), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        for each, report in zip(trained, reports, strict=True):
            _print(each, report)
        for path, comparison in zip(options.runs[1:], comparisons, strict=True):
            print(f"{path} beside {options.runs[0]}: {in_words(comparison)}")
        if uses:
            print(f"The test samples were used {uses:,} time{'s' if uses > 1 else ''} so far.")
    return 0


def _predict(trained: Trained, split: str) -> Predictions:
    from studio.evaluation.predictions import predict

    with _progress(len(trained.dataset.splits[split])) as progress:
        return predict(trained, split, progress)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Progress]:
    from tqdm import tqdm

    with tqdm(total=total, unit="sample", desc="Predict", disable=None, leave=False, file=sys.stderr) as bar:
        yield lambda done, _total: bar.update(done - bar.n)


def _count_uses(trained: list[Trained], split: str) -> int:
    """Write down that the test samples were looked at; returns how often that was so far, 0 for other splits."""
    from studio.runs import record_use

    if split != "test":
        return 0
    return max(record_use(each.dataset.test_fingerprint(), each.path.absolute().parent.parent) for each in trained)


def _document(runs: list[dict[str, Any]], comparisons: list[Comparison], uses: int) -> dict[str, Any]:
    from dataclasses import asdict

    document: dict[str, Any] = {"runs": runs}
    if comparisons:
        document["compared_with_the_first"] = [{**asdict(each), "is_real": each.is_real} for each in comparisons]
    return {**document, "test_uses": uses} if uses else document


def _print(trained: Trained, report: Report) -> None:
    from studio.evaluation.wording import interval_text

    print(f"{trained.path}: {report.samples:,} samples of the {report.split} split")
    if trained.changed:
        print("  The data is no longer that of the run, so these figures do not belong to it.")
    for name, interval in report.figures.items():
        print(f"  {name:<20}{interval_text(interval)}")
    for score in report.classes[:MOST_CLASSES]:
        print(
            f"  {score.name[:18]:<20}precision {score.precision:.3f}  recall {score.recall:.3f}  F1 {score.f1:.3f}  "
            f"of {score.support:,}"
        )
    if len(report.classes) > MOST_CLASSES:
        print(f"  and {len(report.classes) - MOST_CLASSES:,} more classes; --json has all")
    for number in report.numbers[:MOST_CLASSES]:
        print(f"  {number.name[:18]:<20}MAE {number.mae:.4g}  RMSE {number.rmse:.4g}  R² {number.r2:.3f}")
    if report.calibration is not None:
        print(f"  calibration error   {report.calibration.error:.4f}")
