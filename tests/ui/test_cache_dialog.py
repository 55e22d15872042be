"""What is kept of decoded data is listed, and goes when the person says so."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.data import cache, unpacked
from studio.ui.panels.cache_dialog import CacheDialog
from studio.ui.wording import size
from tests.ui.window_help import redirect_folders


@pytest.fixture
def dialog(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CacheDialog]:
    redirect_folders(monkeypatch, tmp_path)
    zeros = np.zeros(100_000, np.uint8)
    for name in ("<b>cats</b>", "dogs"):
        key = cache.key_of([name])
        cache.keep(key, name, {"pixels": ("|u1", (100_000,))}, lambda maker: maker.write("pixels", zeros))
    owner = QWidget()
    qtbot.addWidget(owner)
    made = CacheDialog(owner)
    made.show()
    yield made
    if Shiboken.isValid(made):
        made.reject()


def test_what_is_kept_is_listed_and_cleared(dialog: CacheDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 2)
    assert {dialog.table.item(row, 0).text() for row in range(2)} == {"<b>cats</b>", "dogs"}
    assert dialog.heading.text() == f"Cached data: {size(sum(entry.size_bytes for entry in cache.entries()))}"
    assert "20" in dialog.heading.text()
    dialog.clear.click()
    qtbot.waitUntil(lambda: dialog.heading.text() == "Cached data: 0 bytes")
    assert cache.entries() == []
    assert not dialog.clear.isEnabled()


def test_unpacked_archives_are_listed_and_cleared(dialog: CacheDialog, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 2)
    archive = tmp_path / "<i>pets.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("cat.txt", "x" * 50_000)
    place = unpacked.unpacked(archive)
    again = CacheDialog(dialog.parentWidget())
    again.show()
    qtbot.waitUntil(lambda: again.table.rowCount() == 3)
    shown = {again.table.item(row, 0).text(): again.table.item(row, 1).text() for row in range(3)}
    assert shown[str(archive)] == "50 kB"
    again.clear.click()
    qtbot.waitUntil(lambda: again.heading.text() == "Cached data: 0 bytes")
    assert not place.exists()
    assert archive.exists()
    again.reject()


def test_closing_waits_for_what_is_under_way(dialog: CacheDialog) -> None:
    dialog.reject()
    assert not dialog.isVisible()
