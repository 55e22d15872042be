"""Formats that tell of a run and what came of it, not only of its weights: they take its folder, or that of a group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from studio.export import metrics, tensorboard
from studio.export.bundle import write as bundle
from studio.export.clean_process import Tick
from studio.export.facts import Source, find
from studio.export.report import write as report
from studio.training.checkpoint import Checkpoint

__all__ = ["WRITERS", "find"]

Writer = Callable[[Source, Checkpoint, Path, Path | None, Tick | None], str]

WRITERS: dict[str, Writer] = {
    "bundle": bundle.write,
    "report": report.write_html,
    "report-pdf": report.write_pdf,
    "metrics": lambda source, checkpoint, target, data_folder, tick: metrics.write(source, target),
    "tensorboard": lambda source, checkpoint, target, data_folder, tick: tensorboard.write(
        source, checkpoint.project, target
    ),
    "plots": report.write_plots,
}
