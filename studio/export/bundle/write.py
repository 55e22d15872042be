"""Writes a bundle, as a folder or as a ZIP file, after it has shown that it predicts without the studio."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from studio import storage
from studio.compile.plan import make_plan
from studio.evaluation.answering import Answerer
from studio.export.bundle.card import card
from studio.export.bundle.making import make_bundle
from studio.export.bundle.trial import try_bundle
from studio.export.clean_process import Tick
from studio.export.facts import Facts, Source, gather
from studio.export.formats import ExportError
from studio.export.report.charts import charts_of
from studio.export.report.drawing import drawing, png
from studio.export.report.parts import CURVE
from studio.training.checkpoint import Checkpoint

_WHEN = (1980, 1, 1, 0, 0, 0)  # of the files in a ZIP file: the same bundle has the same bytes


def write(
    source: Source, checkpoint: Checkpoint, target: Path, data_folder: Path | None = None, tick: Tick | None = None
) -> str:  # fmt: skip
    """Write a bundle.

    Args:
        target: a new folder, or a file that ends with .zip.

    Returns:
        what was written and how it was tried.

    Raises:
        ExportError: if it cannot be made for this network, or does not answer as the studio does.
    """
    zipped = target.suffix.lower() == ".zip"
    plan = make_plan(checkpoint.project.graph)
    if len(plan.outputs) != 1:
        raise ExportError("A bundle answers with one Output, and this network has several. Nothing was written.")
    answerer = Answerer.from_checkpoint(checkpoint, "cpu")
    bundle = make_bundle(checkpoint, plan, answerer.preparation)
    facts, trained = gather(source, checkpoint, data_folder, tick)
    if tick is not None:
        tick("Trying the bundle")
    trial = try_bundle(bundle.files, answerer, trained.dataset if trained is not None else None, tick)
    pictures = _pictures(facts)
    text = card(facts, bundle.parts, [(title, name) for name, (title, _) in pictures.items()], trial)
    files = {"README.md": text.encode(), **bundle.files, **{name: content for name, (_, content) in pictures.items()}}
    _write(target, files, zipped=zipped)
    return f"Wrote {target}: {len(files)} files. {trial}."


def _pictures(facts: Facts) -> dict[str, tuple[str, bytes]]:
    """Title and content of each curve, by the name of its file."""
    with drawing():
        return {
            f"{chart.name}.png": (chart.title, png(chart.draw(), 110))
            for chart in charts_of(facts)
            if chart.name.startswith(CURVE) or chart.name == "confusion"
        }


def _write(target: Path, files: dict[str, bytes], *, zipped: bool) -> None:
    if zipped:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(f"{target.stem}/{name}", _WHEN), content, zipfile.ZIP_DEFLATED)
        storage.write_bytes(target, buffer.getbuffer())
        return
    with storage.making_folder(target) as folder:
        for name, content in files.items():
            folder.write(name, [content])
