"""Code from elsewhere in the inspector: read-only until it is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from studio import trust
from studio.blocks import Output
from studio.project import Project
from studio.ui.document import Document
from studio.ui.panels.block_page import BlockPage
from tests.helpers import block, chain

FOREIGN = "class Same(nn.Module):\n    def forward(self, x):\n        return x\n"


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlockPage:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path))
    trust.forget_for_now()
    document = Document(Project(chain(block("input"), block("custom_code", code=FOREIGN), Output())))
    made = BlockPage(document)
    qtbot.addWidget(made)
    document.graph_changed.connect(lambda before, after: made.show_node(after.node("n2")))
    made.document = document  # type: ignore[attr-defined]
    made.show_node(document.graph.node("n2"))
    made.show()
    return made


def editor(page: BlockPage) -> QPlainTextEdit:
    control = page.form.editors["code"].control
    assert isinstance(control, QPlainTextEdit)
    return control


def test_foreign_code_is_shown_and_runs_after_a_click(page: BlockPage, qtbot: QtBot) -> None:
    button = page.findChild(QPushButton, "trustCode")
    assert editor(page).toPlainText() == FOREIGN
    assert editor(page).isReadOnly()
    assert button.isVisible()
    with qtbot.waitSignal(page.trust.trusted):
        button.click()
    page.show_node(page.document.graph.node("n2"))
    assert trust.is_trusted(FOREIGN)
    assert not editor(page).isReadOnly()
    assert not button.isVisible()


def test_what_is_written_here_is_trusted_and_can_be_undone(page: BlockPage) -> None:
    trust.trust(FOREIGN)
    page.show_node(page.document.graph.node("n2"))
    editor(page).setFocus()
    editor(page).selectAll()
    QTest.keyClicks(editor(page), "x = 1")
    QTest.keyClick(editor(page), Qt.Key.Key_Tab)
    assert page.document.graph.node("n2").block.code == FOREIGN, "not at every key"
    QTest.keyClick(editor(page), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.document.graph.node("n2").block.code == "x = 1    "
    assert trust.is_trusted("x = 1    ")
    page.document.history.undo()
    assert editor(page).toPlainText() == FOREIGN


def test_an_edit_of_untrusted_code_stays_untrusted(page: BlockPage) -> None:
    """The editor is read-only then; whatever comes through anyway gets no trust."""
    page._change_block(block("custom_code", code=FOREIGN + "# more"), "code")
    assert not trust.is_trusted(FOREIGN + "# more")
