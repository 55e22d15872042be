"""A look at data: at files of the person's own, and at those of known datasets, wherever they lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.data.base import WARNING, DataProblem, Findings, Source


def look(source: Source, folder: Path | None = None) -> Findings:
    """What is in a dataset, and what was left out of the archive in which it lies; may take seconds.

    Args:
        folder: where the person keeps the files of a known dataset; None for the studio's own cache folder.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken.
    """
    from studio.data.findings import describe
    from studio.data.unpacked import notes

    known_elsewhere = folder is not None and not source.needs_place
    findings = describe(source.spec, source.load(folder)) if known_elsewhere else source.look()
    place = Path(source.place) if source.needs_place else folder
    left_out = () if place is None else notes(place)
    return replace(findings, problems=(*findings.problems, *(DataProblem(note, WARNING) for note in left_out)))
