"""Formats that tell of a run and what came of it, not only of its weights: they take its folder, or that of a group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from studio.export import metrics, tensorboard
from studio.export.bundle import write as bundle
from studio.export.clean_process import Tick
from studio.export.facts import Source, find
from studio.export.report import write as report
from studio.graph.groups import trust_code
from studio.training.checkpoint import Checkpoint, read_checkpoint

Writer = Callable[[Source, Checkpoint, Path, Path | None, Tick | None], str]

_WRITERS: dict[str, Writer] = {
    "bundle": bundle.write,
    "report": report.write_html,
    "report-pdf": report.write_pdf,
    "metrics": lambda source, checkpoint, target, data_folder, tick: metrics.write(source, target),
    "tensorboard": lambda source, checkpoint, target, data_folder, tick: tensorboard.write(
        source, checkpoint.project, target
    ),
    "plots": report.write_plots,
}
KINDS = tuple(_WRITERS)


def export_run(
    path: Path, kind: str, target: Path, data_folder: Path | None = None, *, trusted: bool = False,
    tick: Tick | None = None,
) -> str:  # fmt: skip
    """Write one of these formats; see `studio.export.write.export`.

    Args:
        path: of a run's folder, that of a group of runs, or a checkpoint.
        kind: one of KINDS.
        tick: told what is being done; may raise to give up.
    """
    source = find(path)
    checkpoint = read_checkpoint(source.checkpoint_file)
    if trusted:
        trust_code(checkpoint.project.graph)
    return _WRITERS[kind](source, checkpoint, target, data_folder, tick)
