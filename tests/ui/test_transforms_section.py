"""Augmentation in the Data place: the list, the settings, and what it makes of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.data import registry as sources
from studio.data.transforms import registry as transforms
from studio.project import read_template
from studio.ui.document import Document
from studio.ui.panels.transforms_section import TransformsSection
from studio.ui.preferences import Preferences
from studio.ui.transform_trials import TransformTrials
from tests.ui.window_help import LOADING_MS, redirect_folders


@pytest.fixture
def document() -> Document:
    return Document(read_template("digits-cnn"))


@pytest.fixture
def section(
    document: Document, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[TransformsSection]:
    redirect_folders(monkeypatch, tmp_path)
    trials = TransformTrials(document, Preferences())
    made = TransformsSection(document, trials)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    trials.start()
    yield made
    trials.close()


def offered(section: TransformsSection) -> dict[str, QAction]:
    """What the menu and its own menus hold, by name."""
    places = [section.menu, *(menu for action in section.menu.actions() if (menu := action.menu()) is not None)]
    return {action.objectName(): action for place in places for action in place.actions() if action.objectName()}


def add(section: TransformsSection, kind: str) -> None:
    section.menu.triggered.emit(offered(section)[f"add_{kind}"])


def titles(section: TransformsSection) -> list[str]:
    return [section.list.item(row).text() for row in range(section.list.count())]


def kinds(document: Document) -> list[str]:
    return [transform.kind for transform in document.project.data.transforms]


def test_transforms_are_added_moved_and_removed(document: Document, section: TransformsSection) -> None:
    for kind in ("flip_horizontally", "rotation", "erase"):
        add(section, kind)
    assert titles(section) == ["1. Flip left and right", "2. Rotate, scale and move", "3. Erase a part"]
    section.list.setCurrentRow(2)
    section.up_button.click()
    section.up_button.click()
    assert kinds(document) == ["erase", "flip_horizontally", "rotation"]
    assert not section.up_button.isEnabled()
    section.list.setCurrentRow(1)
    section.remove_button.click()
    assert kinds(document) == ["erase", "rotation"]
    assert document.history.count == 6
    for _ in range(6):
        document.history.undo()
    assert (kinds(document), titles(section)) == ([], [])
    assert section.list.isHidden()


def test_keys_move_and_remove(document: Document, section: TransformsSection, qtbot: QtBot) -> None:
    add(section, "flip_horizontally")
    add(section, "erase")
    section.list.setFocus()
    section.list.setCurrentRow(1)
    qtbot.keyClick(section.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert kinds(document) == ["erase", "flip_horizontally"]
    qtbot.keyClick(section.list, Qt.Key.Key_Delete)
    assert kinds(document) == ["flip_horizontally"]


def test_settings_are_edited_and_undone(document: Document, section: TransformsSection) -> None:
    add(section, "rotation")
    editor = section.form.editors["degrees"].control
    editor.setText("40")
    editor.editingFinished.emit()
    assert document.project.data.transforms[0].degrees == 40.0
    document.history.undo()
    assert document.project.data.transforms[0].degrees == 15.0
    assert kinds(document) == ["rotation"]


def test_only_what_the_data_can_take_is_offered(document: Document, section: TransformsSection) -> None:
    assert "add_token_dropout" not in offered(section)
    wine = document.project.data.with_source(sources.get("wine")())
    document.choose_data(wine)
    assert set(offered(section)) == {"add_table_noise"}


def test_one_that_cannot_be_used_is_marked_with_its_reason(document: Document, section: TransformsSection) -> None:
    data = document.project.data
    document.choose_data(replace(data, transforms=(transforms.get("token_dropout")(),)))
    section.list.setCurrentRow(0)
    assert "is for texts" in section.refusal.text()
    assert not section.list.item(0).icon().isNull()


def test_the_preview_shows_what_training_gets(document: Document, section: TransformsSection, qtbot: QtBot) -> None:
    assert section.preview.isHidden()
    add(section, "flip_vertically")
    qtbot.waitUntil(lambda: section.preview.caption.text() != "", timeout=LOADING_MS)
    first = section.preview.caption.text()
    assert "seed 0" in first
    trial = section._trials.tried.trial
    assert trial is not None
    assert trial.before.picture is not None
    assert len(trial.after) == 6
    button = section.findChild(QPushButton, "nextTrial")
    assert button is not None
    button.click()
    qtbot.waitUntil(lambda: section.preview.caption.text() != first, timeout=LOADING_MS)
    section.remove_button.click()
    assert section.preview.isHidden()
