from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from studio.ui.preferences import MAX_RECENT, Preferences
from tests.ui.window_help import redirect_folders


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    redirect_folders(monkeypatch, tmp_path)
    return tmp_path / "config"


def test_choices_come_back(folder: Path) -> None:
    preferences = Preferences()
    preferences.appearance = "dark"
    preferences.set_data_folder("mnist", Path("/data/mnist"))
    preferences.set_layout("window", QByteArray(b"\x00\x01"))
    again = Preferences()
    assert again.appearance == "dark"
    assert again.data_folder("mnist") == Path("/data/mnist")
    assert again.layout("window") == QByteArray(b"\x00\x01")
    del preferences, again
    assert (folder / "training-studio.ini").is_file()


def test_a_fresh_start_has_defaults() -> None:
    preferences = Preferences()
    assert preferences.appearance == "system"
    assert preferences.recent_projects == []
    assert preferences.data_folder("mnist") is None
    assert preferences.layout("window").isEmpty()


def test_the_last_project_comes_first_and_stands_once() -> None:
    for name in ("a", "b", "a"):
        Preferences().add_recent_project(Path(name))
    assert Preferences().recent_projects == [Path("a"), Path("b")]
    Preferences().forget_recent_project(Path("a"))
    assert Preferences().recent_projects == [Path("b")]


def test_recent_projects_are_few() -> None:
    for number in range(MAX_RECENT + 5):
        Preferences().add_recent_project(Path(str(number)))
    assert len(Preferences().recent_projects) == MAX_RECENT


def test_a_spoilt_file_does_no_harm(folder: Path) -> None:
    folder.mkdir()
    (folder / "training-studio.ini").write_text(
        "[General]\nappearance=@Invalid()\nrecent_projects=7\n[layout]\nwindow=no bytes\n"
    )
    preferences = Preferences()
    assert preferences.appearance == "system"
    assert preferences.recent_projects == [Path("7")]
    assert preferences.layout("window").isEmpty()
