"""Data from the hub in the window: nothing is fetched before size and licence were shown and Download was pressed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from studio.data.hub.sources import HuggingFace
from studio.ui.panels.hub_dialog import HubDialog
from tests.hub_server import NAME, SHA, Hub, opened_hub
from tests.ui.window_help import redirect_folders


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    redirect_folders(monkeypatch, tmp_path)
    made = opened_hub(monkeypatch)
    yield made
    made.close()


@pytest.fixture
def dialog(hub: Hub, qtbot: QtBot) -> Iterator[HubDialog]:
    made = HubDialog()
    made.open()
    yield made
    if Shiboken.isValid(made):
        made.done(0)


def looked_up(dialog: HubDialog, qtbot: QtBot) -> None:
    dialog.look_up.click()
    qtbot.waitUntil(lambda: dialog.look_up.isEnabled(), timeout=20_000)


def test_shown_agreed_and_used(dialog: HubDialog, hub: Hub, qtbot: QtBot) -> None:
    assert not dialog.download.isEnabled()
    dialog.name.setText(NAME)
    assert not hub.asked
    looked_up(dialog, qtbot)
    assert "Licence: cc-by-4.0" in dialog.found.text()
    assert SHA in dialog.found.text()
    assert dialog.download.text().startswith("Download ")
    assert [path for path, _ in hub.asked] == [f"api/datasets/{NAME}"]
    with qtbot.waitSignal(dialog.chosen, timeout=20_000) as chosen:
        dialog.download.click()
    (source,) = chosen.args
    assert isinstance(source, HuggingFace)
    assert (source.name, source.revision, source.licence, source.input_type) == (NAME, SHA, "cc-by-4.0", "text")
    assert source.look().rows == 40


def test_another_name_has_to_be_looked_up_anew(dialog: HubDialog, qtbot: QtBot) -> None:
    dialog.name.setText(NAME)
    looked_up(dialog, qtbot)
    qtbot.keyClicks(dialog.name, "x")
    assert not dialog.download.isEnabled()
    assert not dialog.found.text()
    looked_up(dialog, qtbot)
    assert "has no dataset" in dialog.found.text()
    assert not dialog.download.isEnabled()
