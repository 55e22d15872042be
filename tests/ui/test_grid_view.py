"""The gallery's grid: cells, keys, selection and scrolling."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QSize, QStringListModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.ui.gallery.grid_view import GridView

COUNT = 103
KEYS = Qt.Key
SHIFT, CTRL, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)


@pytest.fixture
def grid(qtbot: QtBot) -> GridView:
    """Ten columns of cells, 40 pixels wide and 30 high; six lines are in view."""
    view = GridView()
    qtbot.addWidget(view)
    model = QStringListModel([str(number) for number in range(COUNT)], view)
    view.setModel(model)
    view.set_cell(QSize(40, 30))
    view.resize(12 + 400 + view.verticalScrollBar().sizeHint().width(), 180)
    with qtbot.waitExposed(view):
        view.show()
    return view


def click(grid: GridView, row: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    place = grid.visualRect(grid.model().index(row, 0)).center()
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def chosen(grid: GridView) -> list[int]:
    return sorted(index.row() for index in grid.selectedIndexes())


def test_cells_fill_the_width_and_are_found_where_they_are(grid: GridView) -> None:
    assert grid.columns == 10
    for row in (0, 9, 10, 57):
        place = grid.visualRect(grid.model().index(row, 0))
        assert grid.indexAt(place.center()).row() == row
    assert not grid.indexAt(QPoint(2, 2)).isValid()
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    after_last = grid.visualRect(grid.model().index(COUNT - 1, 0)).center() + QPoint(40, 0)
    assert not grid.indexAt(after_last).isValid()


def test_arrows_go_along_and_between_lines(grid: GridView) -> None:
    click(grid, 0)
    for key, row in (
        (KEYS.Key_Right, 1), (KEYS.Key_Up, 1), (KEYS.Key_Down, 11), (KEYS.Key_Left, 10), (KEYS.Key_Up, 0),
        (KEYS.Key_Left, 0), (KEYS.Key_PageDown, 60), (KEYS.Key_End, 102), (KEYS.Key_Down, 102), (KEYS.Key_Home, 0),
    ):  # fmt: skip
        QTest.keyClick(grid, key)
        assert (grid.currentIndex().row(), chosen(grid)) == (row, [row]), key
        assert grid.viewport().rect().contains(grid.visualRect(grid.currentIndex()).center())


def test_shift_takes_all_between_in_reading_order(grid: GridView) -> None:
    click(grid, 13)
    click(grid, 21, SHIFT)
    assert chosen(grid) == list(range(13, 22))
    click(grid, 8, SHIFT)
    assert chosen(grid) == list(range(8, 14))
    QTest.keyClick(grid, KEYS.Key_Down, SHIFT)
    assert chosen(grid) == list(range(13, 19))
    click(grid, 40, CTRL)
    assert chosen(grid) == [*range(13, 19), 40]
    QTest.keyClick(grid, KEYS.Key_A, CTRL)
    assert len(chosen(grid)) == COUNT


def test_rows_in_view_follow_the_scroll_bar(grid: GridView, qtbot: QtBot) -> None:
    assert grid.visible_rows().start == 0
    with qtbot.waitSignal(grid.view_changed):
        grid.verticalScrollBar().setValue(6 + 4 * 30)
    assert grid.visible_rows().start == 40
    assert 90 <= grid.visible_rows().stop <= COUNT
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    assert grid.visible_rows().stop == COUNT


def test_what_was_in_view_stays_when_the_width_or_the_cells_change(grid: GridView) -> None:
    grid.verticalScrollBar().setValue(6 + 5 * 30)
    first = grid.first_row()
    grid.resize(grid.width() - 200, grid.height())
    assert grid.columns == 5
    assert grid.first_row() == first
    grid.set_cell(QSize(40, 60))
    assert grid.first_row() == first


def test_one_cell_in_a_row_takes_all_the_width(grid: GridView) -> None:
    grid.set_cell(QSize(40, 50), whole_width=True)
    assert grid.columns == 1
    assert grid.visualRect(grid.model().index(3, 0)).width() == grid.viewport().width() - 12


def test_enter_and_a_double_click_open(grid: GridView) -> None:
    opened: list[int] = []
    grid.opened.connect(lambda index: opened.append(index.row()))
    click(grid, 7)
    QTest.keyClick(grid, KEYS.Key_Return)
    place = grid.visualRect(grid.model().index(12, 0)).center()
    QTest.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, NONE, place)
    assert opened == [7, 12]


def test_another_model_content_starts_at_the_top(grid: GridView) -> None:
    grid.verticalScrollBar().setValue(100)
    model = grid.model()
    assert isinstance(model, QStringListModel)
    model.setStringList(["one"])
    assert grid.verticalScrollBar().value() == 0
    assert grid.visible_rows() == range(1)
    model.setStringList([])
    assert grid.visible_rows() == range(0)
    assert grid.moveCursor(GridView.CursorAction.MoveNext, NONE) == QModelIndex()
