import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from studio.blocks import GROUPS, registry
from studio.ui.canvas.gestures import BLOCK_MIME, dragged_kind
from studio.ui.panels.palette import Palette


@pytest.fixture
def palette(qtbot: QtBot) -> Palette:
    palette = Palette()
    qtbot.addWidget(palette)
    palette.resize(220, 900)
    with qtbot.waitExposed(palette):
        palette.show()
    return palette


def shown(palette: Palette) -> list[str]:
    """Titles of the blocks that are shown."""
    tree = palette.tree
    groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return [
        group.child(i).text(0)
        for group in groups
        if not group.isHidden()
        for i in range(group.childCount())
        if not group.child(i).isHidden()
    ]


def row(palette: Palette, title: str) -> QTreeWidgetItem:
    return palette.tree.findItems(title, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)[-1]


def test_every_registered_block_is_in_its_group(palette: Palette) -> None:
    assert sorted(shown(palette)) == sorted(block.title for block in registry)
    groups = [palette.tree.topLevelItem(i).text(0) for i in range(palette.tree.topLevelItemCount())]
    assert groups == [group for group in GROUPS if any(block.group == group for block in registry)]
    assert row(palette, "Batch norm").parent().text(0) == "Normalization"


@pytest.mark.parametrize(
    ("text", "best"),
    [("conv", "Convolution 2D"), ("convolution 1", "Convolution 1D"), ("DROP", "Dropout"), ("fully connected", "Dense"),
     ("max_pool", "Max pooling"), ("rel", "ReLU")],
)  # fmt: skip
def test_enter_in_the_search_chooses_the_best_match(palette: Palette, qtbot: QtBot, text: str, best: str) -> None:
    QTest.keyClicks(palette.search, text)
    with qtbot.waitSignal(palette.block_chosen) as told:
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert told.args[0] == next(block for block in registry if block.title == best)()
    assert best in shown(palette)
    assert len(shown(palette)) < len(registry)


def test_a_search_without_a_match_says_so_and_chooses_nothing(palette: Palette, qtbot: QtBot) -> None:
    QTest.keyClicks(palette.search, "xyzzy")
    assert shown(palette) == []
    assert palette.nothing_found.isVisible()
    with qtbot.assertNotEmitted(palette.block_chosen):
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    palette.search.clear()
    assert len(shown(palette)) == len(registry)
    assert not palette.nothing_found.isVisible()


def test_arrows_in_the_search_walk_through_the_matches(palette: Palette, qtbot: QtBot) -> None:
    QTest.keyClicks(palette.search, "pooling")
    QTest.keyClick(palette.search, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.block_chosen) as told:
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert told.args[0].kind == "average_pool"


def test_without_a_search_enter_chooses_nothing(palette: Palette, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(palette.block_chosen):
        QTest.keyClick(palette.search, Qt.Key.Key_Return)


def test_a_double_click_chooses(palette: Palette, qtbot: QtBot) -> None:
    where = palette.tree.visualItemRect(row(palette, "Dense")).center()
    with qtbot.waitSignal(palette.block_chosen) as told:
        QTest.mouseClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=where)
        QTest.mouseDClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told.args[0].kind == "dense"


def test_a_double_click_on_a_group_chooses_nothing(palette: Palette, qtbot: QtBot) -> None:
    where = palette.tree.visualItemRect(palette.tree.topLevelItem(0)).center()
    with qtbot.assertNotEmitted(palette.block_chosen):
        QTest.mouseDClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_enter_in_the_tree_chooses(palette: Palette, qtbot: QtBot) -> None:
    palette.tree.setCurrentItem(row(palette, "LSTM"))
    with qtbot.waitSignal(palette.block_chosen) as told:
        QTest.keyClick(palette.tree, Qt.Key.Key_Return)
    assert told.args[0].kind == "lstm"


def test_a_dragged_row_carries_its_kind(palette: Palette) -> None:
    data = palette.tree.mimeData([row(palette, "ReLU")])
    assert data.hasFormat(BLOCK_MIME)
    assert dragged_kind(data) == "relu"


def test_rows_explain_their_block(palette: Palette) -> None:
    assert "Shape: in (N, *) out (N, *)" in row(palette, "ReLU").toolTip(0)


def test_focus_search_marks_the_old_text(palette: Palette) -> None:
    palette.search.setText("conv")
    palette.focus_search()
    assert palette.search.hasFocus()
    assert palette.search.selectedText() == "conv"
