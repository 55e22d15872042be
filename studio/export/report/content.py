"""What a report of a run tells, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.compile.shapes import analyze
from studio.compile.table import COLUMNS, Row, table_rows, totals
from studio.data.choice import LABELS
from studio.export.facts import SPLIT, Facts
from studio.export.report import figures
from studio.export.report.charts import charts_of
from studio.export.report.network_picture import network_picture
from studio.export.report.parts import CURVE, Code, Part, Picture, Section, Table, Text
from studio.settings.measures import title_of

_MOST_BLOCKS = 2_000
_MOST_CHANGES = 200
_SPLITS = {"train": "training", "validation": "validation", "test": "test"}
_STATUS = {
    "finished": "It came to its end.", "stopped": "It was stopped before its end.",
    "diverged": "It diverged: its numbers became infinite, or none at all.",
    "failed": "It ended with an error.", "running": "It was under way when this was written, or was interrupted.",
}  # fmt: skip


def report_sections(facts: Facts) -> list[Section]:
    """All sections."""
    sections = [
        Section("Result", tuple(_summary(facts))),
        Section("Network", tuple(_network(facts))),
        Section("Data", tuple(data_parts(facts))),
        Section("Curves", tuple(_curves(facts))),
        Section("On the validation split", tuple(_validation(facts))),
        Section("Settings", tuple(_settings(facts))),
        Section("Health", tuple(_health(facts))),
        Section("Changes while it ran", tuple(_changes(facts))),
        Section("How to make it again", tuple(reproduction(facts))),
    ]
    return [section for section in sections if section.parts]


def _summary(facts: Facts) -> list[Part]:
    parts: list[Part] = [Text(facts.project.notes)] if facts.project.notes.strip() else []
    parts.append(Text(status_text(facts)))
    parts.append(figures.results(facts))
    if facts.changed:
        parts.append(Text("The data is no longer that of the run, so what was measured now does not belong to it."))
    if len(facts.runs) > 1:
        parts += [Text("The figures are means of all runs, ± one standard deviation."), _members(facts)]
    uses = facts.run.record.get("test_uses")
    if isinstance(uses, int) and uses > 1:
        parts.append(
            Text(f"The test samples were used {uses:,} times on this machine, so they tell less than they seem to.")
        )
    return parts


def status_text(facts: Facts) -> str:
    """How the run ended, and what is kept of it."""
    run, checkpoint = facts.run, facts.checkpoint
    status = _STATUS.get(str(run.record.get("status")), "How it ended is not known.")
    whose = (
        f"The best weights are those of {run.title}, after" if len(facts.runs) > 1 else "The weights are those after"
    )
    kept = f"{whose} epoch {checkpoint.epoch:,} (step {checkpoint.step:,})"
    epochs = f" of {len(run.epochs):,}" if run.epochs else ""
    seconds = run.result.get("seconds")
    took = f" It took {figures.duration_text(seconds)}." if isinstance(seconds, int | float) else ""
    reason = run.result.get("reason")
    why = f" {reason}" if isinstance(reason, str) and reason else ""
    return f"{status}{why} {kept}{epochs}.{took}"


def _members(facts: Facts) -> Table:
    names = list(dict.fromkeys(name for run in facts.runs for name in run.metrics.get(SPLIT, {})))
    rows = []
    for run in facts.runs:
        told = run.metrics.get(SPLIT, {})
        cells = (figures.number_text(told[name], name) if name in told else "" for name in names)
        rows.append((run.title, str(run.record.get("status", "unknown"))[:40], *cells))
    return Table(("Run", "Status", *(f"Validation: {title_of(name)}" for name in names)), tuple(rows))


def _network(facts: Facts) -> list[Part]:
    graph = facts.project.graph
    analysis = analyze(graph)
    rows = list(table_rows(graph, analysis))
    told = f"{analysis.parameters:,} learned numbers; {analysis.flops:,} operations for one sample."
    parts: list[Part] = [
        Picture("network", "The network, from its input at the top", lambda: network_picture(graph, analysis)),
        Text(told),
    ]
    cells = [_cells(row) for row in [*rows[:_MOST_BLOCKS], totals(rows)]]
    return [*parts, Table(COLUMNS, tuple(cells), folded="All blocks")]


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(f"{cell:,}" if isinstance(cell, int) else cell for cell in row.cells)


def data_parts(facts: Facts) -> list[Part]:
    """What it was trained on."""
    data = facts.project.data
    parts: list[Part] = [Text(f"{data.source.title}. {data.source.about}")]
    if facts.samples:
        rows = tuple((_SPLITS.get(split, split), f"{count:,}") for split, count in facts.samples.items())
        parts.append(Table(("Split", "Samples"), rows))
    else:
        parts.append(Text(f"How many samples there were is not known: {facts.no_data}"))
    goal = "the labels" if data.target == LABELS else "the input itself"
    scaling = f"Its numbers were scaled ({data.scaling})." if data.scaling != "none" else "Its numbers were not scaled."
    parts.append(Text(f"To be predicted: {goal}. {scaling} It was divided by the method “{data.split.method}”."))
    if data.transforms:
        kinds = ", ".join(transform.kind for transform in data.transforms)
        parts.append(Text(f"Training samples were changed at random by: {kinds}."))
    if data.excluded:
        parts.append(Text(f"{len(data.excluded):,} samples were left out by hand."))
    return parts


def _curves(facts: Facts) -> list[Part]:
    found: list[Part] = []
    for chart in charts_of(facts):
        if chart.name.startswith(CURVE):
            found.append(Picture(chart.name, chart.title, chart.draw))
    return found


def _validation(facts: Facts) -> list[Part]:
    report = facts.report
    if report is None:
        reason = facts.no_data or "the split is empty."
        return [Text(f"Nothing was measured now, since the data was not there: {reason}")] if facts.no_data else []
    parts: list[Part] = [Text(f"Measured now with the kept weights on {report.samples:,} samples.")]
    parts.append(figures.all_figures(report))
    drawn = [chart for chart in charts_of(facts) if not chart.name.startswith(CURVE)]
    parts += [Picture(chart.name, chart.title, chart.draw) for chart in drawn]
    tables = (figures.mistaken_pairs(report), figures.class_table(report), figures.number_table(report))
    return [*parts, *(table for table in tables if table is not None)]


def _settings(facts: Facts) -> list[Part]:
    project = facts.project
    changed = figures.changed_settings(project.training, project.data)
    first: Part = changed if changed is not None else Text("All settings are the usual ones.")
    return [first, figures.all_settings(project.training, project.data)]


def _health(facts: Facts) -> list[Part]:
    parts: list[Part] = []
    for finding in facts.run.entries("findings"):
        told = [str(finding.get(name) or "") for name in ("title", "evidence", "advice")]
        name = str(finding.get("name") or "")
        parts.append(Text(" ".join([f"{name}:" if name else "", *(text for text in told if text)]).strip()))
    if not parts and facts.run.record.get("status") == "finished":
        parts.append(Text("Nothing was found, or the run is older than this record."))
    return parts


def _changes(facts: Facts) -> list[Part]:
    changes = facts.run.entries("changes")[-_MOST_CHANGES:]
    parts: list[Part] = []
    if changes:
        rows = tuple(
            tuple(_told(change, key) for key in ("epoch", "step", "name", "before", "after")) for change in changes
        )
        parts.append(Table(("Epoch", "Step", "Setting", "Before", "After"), rows))
    resumed = [step for step in facts.run.record.get("resumed_at") or [] if isinstance(step, int)]
    if resumed:
        parts.append(Text(f"It went on after a break at step {', '.join(f'{step:,}' for step in resumed)}."))
    return parts


def _told(change: Mapping[str, Any], key: str) -> str:
    value = change.get(key, "")
    return f"{value:g}" if isinstance(value, float) else str(value)[:200]


def reproduction(facts: Facts) -> list[Part]:
    """With what it was made, and the command that does the same."""
    run = facts.run
    rows = [
        (name.capitalize() if name != "studio" else "Training Studio", value) for name, value in run.versions.items()
    ]
    for name in ("device", "threads", "data_fingerprint"):
        if name in run.record:
            rows.append((name.replace("_", " ").capitalize(), str(run.record[name])[:200]))
    rows.append(("Seed", str(facts.project.training.seed)))
    parts: list[Part] = [Table(("", ""), tuple(rows))]
    if (run.folder / "project.json").is_file():
        # Where the folder is on this machine is nobody's business who gets the report.
        parts.append(Text(f"In the run’s folder, {run.folder.name}. {_as_exact(facts)}"))
        parts.append(Code("studio train project.json"))
    return parts


def _as_exact(facts: Facts) -> str:
    """Whether the same comes out of the same command."""
    if facts.run.entries("changes"):
        return "Settings were changed while it ran, which this command does not do:"
    return "With the same data, versions, device and number of threads the same bits come out of this:"
