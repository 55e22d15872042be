"""A Python file dropped on the window: shown and asked about before any of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio import trust
from studio.data import DataChoice
from studio.data.own_code.source import PythonFile
from studio.project import read_template
from studio.ui.document import Document
from studio.ui.own_data import OwnData
from studio.ui.panels.code_dialog import CodeDialog
from studio.ui.preferences import Preferences
from studio.ui.run_control import RunControl
from studio.ui.session import Session
from tests.ui.window_help import Person, redirect_folders

CODE = """
open({marker!r}, "w").close()
def dataset():
    return TensorDataset() if False else [([index / 40, 1.0], index % 2) for index in range(40)]
"""


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    redirect_folders(monkeypatch, tmp_path)
    trust.forget_for_now()
    return tmp_path / "it-ran"


@pytest.fixture
def file(tmp_path: Path, marker: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(CODE.format(marker=str(marker)))
    return path


@pytest.fixture
def document() -> Document:
    return Document(read_template("xor-mlp"))


@pytest.fixture
def own_data(document: Document, qtbot: QtBot) -> Iterator[OwnData]:
    made = OwnData(document, Preferences(), Person())
    made.start()
    yield made
    made.close()


def person(part: OwnData) -> Person:
    found = part._prompts
    assert isinstance(found, Person)
    return found


def test_a_dropped_file_is_shown_and_runs_if_it_is_trusted(
    own_data: OwnData, document: Document, file: Path, marker: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(own_data.message, check_params_cb=lambda text: text.startswith("Nothing of"), timeout=20_000):
        own_data.use(file)
    assert person(own_data).asked == [f"code own.py: {file.read_text()}"]
    assert not marker.exists()
    assert not isinstance(document.project.data.source, PythonFile)
    person(own_data).on_code = True
    with qtbot.waitSignals([own_data.trusted, own_data.adopted], timeout=20_000):
        own_data.use(file)
    assert marker.exists()
    assert document.project.data.source == PythonFile(path=file.as_posix())
    assert trust.is_trusted(file.read_text())


def test_training_asks_first(file: Path, marker: Path, document: Document, qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    document.choose_data(DataChoice(source=PythonFile(path=file.as_posix())))
    window, asked = QWidget(), Person()
    qtbot.addWidget(window)
    session = Session(window)
    control = RunControl(document, session, Preferences(), asked, window)
    try:
        with qtbot.waitSignal(control.failed, timeout=20_000) as told:
            control.start()
        assert "Nothing of it has run" in told.args[0]
        assert not marker.exists()
        assert len(asked.asked) == 1
    finally:
        control.close()
        session.close()


def test_the_dialog_shows_all_and_enter_runs_nothing(qtbot: QtBot) -> None:
    dialog = CodeDialog("own.py", "x = 1\n")
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.code.toPlainText() == "x = 1\n"
    assert dialog.code.isReadOnly()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == CodeDialog.DialogCode.Rejected
    dialog.open()
    dialog.trust.click()
    assert dialog.result() == CodeDialog.DialogCode.Accepted
