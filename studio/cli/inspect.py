"""studio inspect: what a dataset or a person's own files are, and what is wrong with them."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

from studio.cli.project_options import (
    add_setting_option,
    add_trust_option,
    find_source,
    trust_data,
    with_settings,
)
from studio.data import DataChoice, Findings, Source
from studio.data.base import ERROR
from studio.data.looking import look
from studio.data.problem_words import printable


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("inspect", help="what is in a dataset, a file or a folder, and what is wrong with it")
    parser.add_argument("data", metavar="PATH|NAME", help="a file, a folder, or a dataset; see: studio list datasets")
    add_setting_option(parser)
    add_trust_option(parser)
    parser.add_argument("--quick", action="store_true", help="do not look for copies, rare classes and missing numbers")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look, and tell."""
    found, folder = find_source(options.data)
    source = with_settings(found, options.set)
    if options.trust:
        trust_data(source)
    findings = look(source, folder)
    # Data with an error cannot be loaded, and why is told already.
    if not options.quick and all(problem.severity != ERROR for problem in findings.problems):
        from studio.data.problems import find_problems  # loads torch

        # What the source said already is not said again.
        more = [problem for problem in find_problems(DataChoice(source), folder) if problem not in findings.problems]
        findings = replace(findings, problems=(*findings.problems, *more))
    if options.json:
        print(json.dumps(as_json(source, findings), indent=1, ensure_ascii=False))
    else:
        _print(source, findings)
    return 0


def as_json(source: Source, findings: Findings) -> dict[str, Any]:
    """What was found, as plain JSON values."""
    target = findings.spec.target
    return {
        "kind": source.kind,
        "rows": findings.rows,
        "columns": [
            {
                "name": c.name,
                "type": c.type,
                "missing": c.missing,
                "distinct": c.distinct,
                "used": c.used,
                "why_unused": c.why_unused,
                "summary": c.summary,
            }
            for c in findings.columns
        ],
        "target": findings.target[0] if len(findings.target) == 1 else list(findings.target) or None,
        "task": target.task,
        "classes": list(target.names) if target.task != "regression" else [],
        "counts": list(findings.counts),
        "inputs": [str(spec) for spec in findings.spec.inputs],
        "problems": [
            {"severity": p.severity, "message": p.message, "remedies": [remedy.text for remedy in p.remedies]}
            for p in findings.problems
        ],
    }


def _print(source: Source, findings: Findings) -> None:
    summary = " ".join((findings.summary or source.about).split())
    print(printable(f"{source.title}: {summary}"))
    print(f"{findings.rows:,} samples; the network gets {', '.join(map(str, findings.spec.inputs))}")
    width = max((len(column.name) for column in findings.columns), default=0)
    for column in findings.columns:
        role = "target" if column.name in findings.target else "input" if column.used else "not used"
        missing = f", {column.missing:,} missing" if column.missing else ""
        reason = f" ({column.why_unused})" if column.why_unused else ""
        print(printable(f"  {column.name:<{width}}  {column.type:<11}  {role:<8}  {column.summary}{missing}{reason}"))
    for problem in findings.problems:
        remedies = "".join(f" [{remedy.text}]" for remedy in problem.remedies)
        print(printable(f"{problem.severity}: {problem.message}{remedies}"))
