"""The README of a bundle: how to use it, and a model card. Only what is known is said.

Source: Mitchell et al., “Model Cards for Model Reporting”, 2019.
"""

from __future__ import annotations

import re

from studio.compile.shapes import analyze
from studio.export.bundle.parts import BundlePart
from studio.export.bundle.trial import Trial
from studio.export.facts import Facts
from studio.export.report import figures
from studio.export.report.content import data_parts, reproduction, status_text
from studio.export.report.parts import Code, Part, Table, Text

_MOST_NAMES = 100
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")  # what Markdown or HTML in it would take for its own


def card(facts: Facts, parts: tuple[BundlePart, ...], pictures: list[tuple[str, str]], trial: Trial) -> str:
    """The text, in Markdown.

    Args:
        parts: what is to be given.
        pictures: title and file of each curve.
        trial: how the bundle was tried.
    """
    sections = [
        f"# {_escaped(facts.project.title)}",
        _escaped(facts.project.notes),
        "## Use",
        _use(parts, trial),
        "## What it was trained on",
        *map(_markdown, data_parts(facts)),
        "## How good it is",
        _escaped(status_text(facts)),
        *_worth(facts),
        *(f"![{_escaped(title)}]({file})" for title, file in pictures),
        "## Limits",
        _limits(facts),
        "## How it was made",
        f"{analyze(facts.project.graph).parameters:,} learned numbers. The network is in `network.py`.",
        *_settings(facts),
        *map(_markdown, reproduction(facts)),
        "## Licence",
        "Not stated yet: whoever passes this on says under which licence. The licence of the data may limit that.",
    ]
    return "\n\n".join(section for section in sections if section.strip()) + "\n"


def _use(parts: tuple[BundlePart, ...], trial: Trial) -> str:
    given = parts[0].example if len(parts) == 1 else f"[{', '.join(part.example for part in parts)}]"
    files = " ".join("FILE" for _ in parts)
    return f"""Needs Python 3.11 or later and what `requirements.txt` names; nothing of Training Studio.

```
pip install -r requirements.txt
```

```python
from predict import load

model = load(".")
print(model.predict({given}))
```

Or on the command line: `python predict.py {files}`; `--help` tells more. Tried when it was written: {trial}."""


def _worth(facts: Facts) -> list[str]:
    found = [_table(figures.results(facts))]
    if facts.report is not None and not facts.changed:
        found += [
            f"On the {facts.report.samples:,} samples of the validation split:",
            _table(figures.all_figures(facts.report)),
        ]
        tables = (figures.class_table(facts.report), figures.number_table(facts.report))
        found += [_table(table) for table in tables if table is not None]
    return found


def _limits(facts: Facts) -> str:
    names = facts.checkpoint.preparation["names"]
    lines = []
    if facts.checkpoint.preparation["task"] == "classification":
        some = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
        lines.append(
            f"It always answers with one of {len(names):,} classes, also where none of them fits: {_escaped(some)}."
        )
        lines.append("Its probabilities need not be as reliable as they look.")
    lines.append("How well it does on data from elsewhere is not known: it was measured on samples of the same data.")
    if not facts.run.metrics.get("test"):
        lines.append("It was not measured on the test samples.")
    lines.append("Whether it treats groups of people alike was not looked into.")
    if facts.changed:
        lines.append("The data has changed since the run, so it was not measured again.")
    if facts.no_data:
        lines.append("Its data was not there when this was written, so figures are those that the run left.")
    return "\n".join(f"- {line}" for line in lines)


def _settings(facts: Facts) -> list[str]:
    table = figures.changed_settings(facts.project.training, facts.project.data)
    if table is None:
        return []
    # A folder of this machine means nothing elsewhere.
    rows = tuple(row for row in table.rows if row[0] != "Data: path")
    return ["Settings that are not the usual ones:", _table(Table(table.head, rows))] if rows else []


def _markdown(part: Part) -> str:
    match part:
        case Text(text):
            return _escaped(text)
        case Code(text):
            return f"```\n{text.replace('```', '')}\n```"
        case Table():
            return _table(part)
    return ""


def _table(table: Table) -> str:
    head = table.head if any(table.head) else ("What", "Value")
    lines = [head, tuple("---" for _ in head), *table.rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else _escaped(cell) for cell in row)} |" for row in lines)


def _escaped(text: str) -> str:
    """A text in which Markdown finds nothing of its own; made by Training Studio or from a file alike."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
