"""The table of blocks leaves as CSV that a spreadsheet only shows."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from studio.compile.analysis import Analysis
from studio.compile.shapes import analyze
from studio.compile.table import COLUMNS, Row, table_rows, totals, write_csv
from studio.graph import Graph
from studio.graph.edits import SetRepeat
from studio.graph.group_edits import MakeGroup
from studio.graph.groups import GroupUse
from tests.helpers import block, chain


def test_a_group_is_counted_once(tmp_path: Path) -> None:
    graph = chain(block("input", shape=(4,)), block("dense", units=4), block("relu"), block("output"))
    graph = MakeGroup(frozenset({"n2", "n3"})).apply(graph)
    group = next(node.id for node in graph.nodes if isinstance(node.block, GroupUse))
    graph = SetRepeat(group, 3).apply(graph)
    analysis = analyze(graph)
    write_csv(tmp_path / "t.csv", graph, analysis)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert tuple(head) == COLUMNS
    assert [row[0] for row in rows] == [
        "input_1", "group_1", "  input_1", "  dense_1", "  relu_1", "  output_1", "output_1", "Total",
    ]  # fmt: skip
    assert rows[1][1] == "Group1 ×3"
    assert int(rows[-1][4]) == analysis.parameters == 3 * 20
    assert int(rows[-1][5]) == analysis.flops


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(tmp_path: Path) -> None:
    graph = chain(block("relu"))
    named = Graph((replace(graph.nodes[0], name="=cmd|' /C calc'!A0"),))
    write_csv(tmp_path / "t.csv", named, Analysis())
    assert "'=cmd" in (tmp_path / "t.csv").read_text(encoding="utf-8")


def test_what_is_unknown_is_empty() -> None:
    (row,) = table_rows(chain(block("relu")), Analysis())
    assert row == Row("n1", "relu_1", "ReLU", "", "", 0, 0, 0)
    assert totals([row]).kind == "1 block"
