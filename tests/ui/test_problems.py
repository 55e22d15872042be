from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.compile.analysis import ERROR, WARNING, Analysis, Problem, Repair
from studio.graph.edits import Remove
from studio.ui.panels.problems import Problems

WRONG = Problem(ERROR, "Dense does not fit.", "n2")
ODD = Problem(WARNING, "“<b>relu</b>” leads to no Output.", "n3")
WHOLE = Problem(ERROR, "The network has no Output.")


@pytest.fixture
def panel(qtbot: QtBot) -> Problems:
    panel = Problems()
    qtbot.addWidget(panel)
    panel.resize(600, 200)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def click(panel: Problems, row: int) -> None:
    where = panel.list.visualItemRect(panel.list.item(row)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_problems_are_listed_and_counted(panel: Problems) -> None:
    panel.show_analysis(Analysis(problems=(WRONG, WHOLE, ODD)))
    assert [panel.list.item(i).text() for i in range(3)] == [WRONG.message, WHOLE.message, ODD.message]
    assert panel.heading.text() == "2 errors and 1 warning"
    panel.show_analysis(Analysis())
    assert panel.list.count() == 0
    assert "can be trained" in panel.heading.text()


def test_before_the_first_analysis_nothing_is_claimed(panel: Problems) -> None:
    assert "PyTorch" in panel.heading.text()
    assert not panel.list.isVisible()


def test_a_click_chooses_the_block(panel: Problems, qtbot: QtBot) -> None:
    panel.show_analysis(Analysis(problems=(WRONG, ODD)))
    with qtbot.waitSignal(panel.node_chosen) as told:
        click(panel, 1)
    assert told.args == ["n3"]


def test_a_problem_of_the_whole_network_chooses_nothing(panel: Problems, qtbot: QtBot) -> None:
    panel.show_analysis(Analysis(problems=(WHOLE,)))
    with qtbot.assertNotEmitted(panel.node_chosen):
        click(panel, 0)


def test_the_same_problems_leave_the_list_alone(panel: Problems) -> None:
    panel.show_analysis(Analysis(problems=(WRONG, ODD)))
    panel.list.setCurrentRow(1)
    panel.show_analysis(Analysis({}, (WRONG, ODD)))
    assert panel.list.currentRow() == 1


def test_thousands_of_problems_are_counted_but_not_all_listed(panel: Problems) -> None:
    panel.show_analysis(Analysis(problems=(ODD,) * 3000))
    assert panel.heading.text() == "3000 warnings"
    assert panel.list.count() == 500


def test_a_screen_reader_hears_the_severity(panel: Problems) -> None:
    panel.show_analysis(Analysis(problems=(ODD,)))
    assert panel.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("Warning: ")


def test_when_only_repairs_come_the_list_stays_and_they_are_offered(panel: Problems) -> None:
    panel.show_analysis(Analysis(problems=(WRONG, ODD)))
    panel.list.setCurrentRow(1)
    item = panel.list.item(1)
    repair = Repair("Join it", Remove(frozenset({"n3"})))
    panel.show_analysis(Analysis(problems=(WRONG, replace(ODD, repairs=(repair,)))))
    assert panel.list.item(1) is item
    assert [button.text() for button in panel.repairs.findChildren(QPushButton) if button.isVisible()] == ["Join it"]
    panel.show_analysis(Analysis(problems=(replace(WRONG, severity=WARNING), ODD)))
    assert panel.heading.text() == "2 warnings"
