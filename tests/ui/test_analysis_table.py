"""The table of blocks follows the network, sorts, leads to the blocks and leaves as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.compile.shapes import analyze
from studio.graph.edits import Remove
from studio.graph.group_edits import MakeGroup
from studio.ui.analyzer import Analyzer
from studio.ui.document import Document
from studio.ui.panels.analysis_table import AnalysisTable
from studio.ui.prompts import Prompts


class Told(Prompts):
    """Remembers what it was to say."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def tell(self, text: str, details: str) -> None:
        self.said += [text, details]


@pytest.fixture
def table(document: Document, qtbot: QtBot) -> Iterator[AnalysisTable]:
    analyzer = Analyzer(document)
    table = AnalysisTable(document, analyzer, Told())
    qtbot.addWidget(table)
    table.show()
    yield table
    analyzer.close()


def column(table: AnalysisTable, number: int) -> list[str]:
    return [table.sorted.index(row, number).data() for row in range(table.sorted.rowCount())]


def test_it_lists_blocks_and_those_in_groups_below(table: AnalysisTable, document: Document) -> None:
    document.do(MakeGroup(frozenset({"n2", "n3"})), "Group")
    table.show_analysis(analyze(document.graph))
    assert column(table, 0) == ["input_1", "group_1", "  input_1", "  dense_2", "  relu_3", "  output_1", "output_4"]
    assert column(table, 4) == ["–", "4,160", "–", "4,160", "–", "–", "–"]
    assert table.total.text().startswith("3 blocks, 4,160 parameters; for one sample 8,320 operations and 512 bytes")


def test_numbers_are_sorted_as_numbers(table: AnalysisTable, document: Document) -> None:
    table.show_analysis(analyze(document.graph))
    table.table.sortByColumn(5, Qt.SortOrder.DescendingOrder)
    assert column(table, 0)[:2] == ["dense_2", "relu_3"]
    assert column(table, 5)[:2] == ["8,256", "64"]


def test_a_click_shows_the_block_and_the_choice_outlives_an_edit(table: AnalysisTable, document: Document) -> None:
    table.show_analysis(analyze(document.graph))
    chosen: list[str] = []
    table.node_chosen.connect(chosen.append)
    where = table.table.visualRect(table.sorted.index(2, 0)).center()
    QTest.mouseClick(table.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert chosen == ["n3"]
    document.do(Remove(frozenset({"n1"})), "Delete")
    table.show_analysis(analyze(document.graph))
    assert table.table.currentIndex().data() == "relu_3"


def test_it_is_saved_and_a_failure_is_told(table: AnalysisTable, document: Document, tmp_path: Path) -> None:
    table.show_analysis(analyze(document.graph))
    table.save(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Block,Kind,Input,Output,Parameters")
    assert lines[2] == 'dense_2,Dense,"(N, 64 D)","(N, 64 D)",4160,8256,256'
    assert lines[-1].startswith("Total,4 blocks,,,4160,8320,512")
    table.save(tmp_path / "a.csv" / "b.csv")  # a file is no folder
    assert table._prompts.said[0] == "The table was not saved."
