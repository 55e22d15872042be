"""Numbers, settings and tables of a run in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from studio.data.choice import DataChoice
from studio.evaluation.intervals import Interval
from studio.evaluation.report import Report
from studio.export.facts import SPLIT, Facts
from studio.export.report.parts import Table
from studio.fields import Declared, specs, to_json
from studio.settings.measures import is_share, title_of
from studio.settings.training import CHOSEN, PARTS, TrainingSettings

MOST_ROWS = 200  # classes or numbers in a table
_MOST_PAIRS = 20  # of classes that are taken for each other


def number_text(value: float, name: str = "") -> str:
    """A figure as a person reads it."""
    if not math.isfinite(value):
        return "no number"
    return f"{value:.1%}" if is_share(name.replace(" ", "_")) else f"{value:.4g}"


def interval_text(interval: Interval, name: str = "") -> str:
    """A figure, and between which bounds it lies in 95 of 100 draws, where that is known."""
    value = number_text(interval.value, name)
    if interval.low is None or interval.high is None:
        return value
    return f"{value} ({number_text(interval.low, name)} to {number_text(interval.high, name)})"


def duration_text(seconds: float) -> str:
    """How long something took."""
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def results(facts: Facts) -> Table:
    """The figures of the kept weights on each split, beside the best answer that does not look at the input."""
    several = len(facts.runs) > 1
    metrics = facts.means if several and facts.means else facts.run.metrics or {SPLIT: dict(facts.checkpoint.metrics)}
    names = list(dict.fromkeys(name for figures in metrics.values() for name in figures))
    rows = [(_split_title(split), *(_figure(facts, split, name, several) for name in names)) for split in metrics]
    baseline = facts.run.baseline
    known = [split for split in metrics if split in baseline]
    rows += [
        (f"{_split_title(split)}, without looking", *(_cell(baseline[split], name) for name in names))
        for split in known
    ]
    return Table(("Split", *map(title_of, names)), tuple(rows))


def _split_title(split: str) -> str:
    return split[:40].capitalize()


def _cell(figures: Mapping[str, float], name: str) -> str:
    return number_text(figures[name], name) if name in figures else ""


def _figure(facts: Facts, split: str, name: str, several: bool) -> str:
    if several and facts.means:
        value = _cell(facts.means.get(split, {}), name)
        spread = facts.deviations.get(split, {}).get(name)
        return f"{value} ± {number_text(spread, name)}" if value and spread is not None else value
    if split == "test" and (tested := facts.tested().get(name)) is not None:
        return interval_text(tested, name)
    if split == SPLIT and facts.report is not None and not facts.changed and name in facts.report.figures:
        own = facts.run.metrics.get(split, {}).get(name)
        found = facts.report.figures[name]
        # The loss of the run may be another one than that of the report.
        if own is None or math.isclose(own, found.value, rel_tol=1e-3, abs_tol=1e-6):
            return interval_text(found, name)
    return _cell(facts.run.metrics.get(split, {}) or facts.checkpoint.metrics, name)


def all_figures(report: Report) -> Table:
    """All that was measured on the validation split, with intervals."""
    rows = tuple((name[0].upper() + name[1:], interval_text(found, name)) for name, found in report.figures.items())
    return Table(("Figure", "Value (95 % interval where it is known)"), rows)


def class_table(report: Report) -> Table | None:
    """How well each class is told; None if there are none."""
    if not report.classes:
        return None
    overlaps = report.overlaps or [None] * len(report.classes)
    head = ("Class", "Precision", "Recall", "F1", *(("IoU", "Dice") if report.overlaps else ()), "Samples")
    rows = []
    for score, overlap in list(zip(report.classes, overlaps, strict=True))[:MOST_ROWS]:
        shares = (score.precision, score.recall, score.f1, *(overlap or ()))
        rows.append((score.name, *(f"{share:.3f}" for share in shares), f"{score.support:,}"))
    return Table(head, tuple(rows), folded="" if len(rows) <= 30 else f"{len(rows)} classes")


def number_table(report: Report) -> Table | None:
    """How far each number is missed; None if there are none."""
    if not report.numbers:
        return None
    rows = [(n.name, f"{n.mae:.4g}", f"{n.rmse:.4g}", f"{n.r2:.3f}") for n in report.numbers[:MOST_ROWS]]
    return Table(("Number", "Mean absolute error", "Root mean squared error", "R²"), tuple(rows))


def mistaken_pairs(report: Report) -> Table | None:
    """Which classes are taken for others most often; None if none ever is."""
    pairs = [
        (count, true, answered)
        for true, row in enumerate(report.confusion) for answered, count in enumerate(row) if count and true != answered
    ]  # fmt: skip
    if not pairs:
        return None
    pairs.sort(key=lambda pair: -pair[0])
    names = report.names
    rows = tuple((names[true], names[answered], f"{count:,}") for count, true, answered in pairs[:_MOST_PAIRS])
    return Table(("True class", "Answered", "Times"), rows, folded="The most frequent mistakes")


def changed_settings(settings: TrainingSettings, data: DataChoice) -> Table | None:
    """Settings of the training and the data that are not as usual; None if all are."""
    usual = {row[0]: row[1] for row in _settings(TrainingSettings(), DataChoice(source=type(data.source)()))}
    rows = [(name, value, usual.get(name, "")) for name, value in _settings(settings, data)]
    found = tuple(row for row in rows if row[1] != row[2])
    return Table(("Setting", "Here", "Usually"), found) if found else None


def all_settings(settings: TrainingSettings, data: DataChoice) -> Table:
    """All of them."""
    return Table(("Setting", "Value"), tuple(_settings(settings, data)), folded="All settings")


def _settings(settings: TrainingSettings, data: DataChoice) -> list[tuple[str, str]]:
    rows = _fields("", settings)
    for name in CHOSEN:
        part = getattr(settings, name)
        rows += [(_title(name), part.kind), *_fields(f"{_title(name)}: ", part)]
    for name in PARTS:
        rows += _fields(f"{_title(name)}: ", getattr(settings, name))
    rows += [("Data", data.source.title), *_fields("Data: ", data.source), *_fields("Data: ", data)]
    rows += _fields("Split: ", data.split)
    for number, transform in enumerate(data.transforms, 1):
        rows.append((f"Transform {number}", f"{transform.kind} {_plain(to_json(transform))}"))
    if data.excluded:
        rows.append(("Samples left out", f"{len(data.excluded):,}"))
    return rows


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _fields(prefix: str, value: Declared) -> list[tuple[str, str]]:
    found = []
    for spec in specs(type(value)):
        text = _plain(getattr(value, spec.name))
        label = f"{prefix}{spec.label.lower()}" if prefix else spec.label
        found.append((label, f"{text} {spec.unit}".strip()))
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
