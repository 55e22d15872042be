"""The figures of a run as a table for spreadsheets (CSV): a row for each epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from studio import storage
from studio.compile.table import harmless
from studio.export.facts import Epoch, OneRun, Source
from studio.export.formats import ExportError


def write(source: Source, target: Path) -> str:
    """Write the table. Returns what was written. Raises ExportError if there are no figures."""
    text, count = metrics_text(source.runs)
    if not count:
        raise ExportError(f"{source.path} has no figures of epochs. Nothing was written.")
    storage.write_text(target, text)
    return f"Wrote {target}: {count:,} rows."


def metrics_text(runs: tuple[OneRun, ...]) -> tuple[str, int]:
    """The table, and how many rows it has beside its head."""
    splits: dict[str, Callable[[Epoch], dict[str, float]]] = {
        "train": lambda epoch: epoch.train, "validation": lambda epoch: epoch.validation,
    }  # fmt: skip
    names = {
        split: list(dict.fromkeys(name for run in runs for epoch in run.epochs for name in get(epoch)))
        for split, get in splits.items()
    }
    several = len(runs) > 1
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [f"{split} {name}" for split, some in names.items() for name in some]
    writer.writerow([*(["run"] if several else []), "epoch", "step", *map(harmless, columns), "seconds", "best"])
    count = 0
    for run in runs:
        for epoch in run.epochs:
            figures = [
                repr(get(epoch)[name]) if name in get(epoch) else ""
                for split, get in splits.items()
                for name in names[split]
            ]
            own = [harmless(run.title)] if several else []
            writer.writerow([*own, epoch.epoch, epoch.step, *figures, f"{epoch.seconds:.3f}", int(epoch.best)])
            count += 1
    return text.getvalue(), count
