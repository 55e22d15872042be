"""Files dropped on the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.main_window import MainWindow
from tests.ui.window_help import Person, opened_window, redirect_folders

MNIST_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def window(qtbot: QtBot, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    redirect_folders(monkeypatch, tmp_path)
    yield from opened_window(qtbot, person, "digits-cnn")


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    folder = tmp_path / "handwriting"
    folder.mkdir()
    for name in MNIST_FILES:
        (folder / name).write_bytes(b"")
    return folder


def drop(target: object, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    for event_class, point in ((QDragEnterEvent, QPoint(5, 5)), (QDropEvent, QPointF(5, 5))):
        event = event_class(
            point, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(target, event)
        assert event.isAccepted()


def test_a_folder_of_a_dataset_becomes_the_data_after_a_question(
    window: MainWindow, person: Person, qtbot: QtBot, mnist: Path
) -> None:
    person.on_dataset = 1
    before = window.document.project
    drop(window, mnist)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "fashion_mnist")
    assert person.asked == ["use MNIST or Fashion-MNIST"]
    assert window.preferences.data_folder("fashion_mnist") == mnist
    assert window.document.graph.inputs[0].block.shape == (1, 28, 28)
    window.document.history.undo()
    assert window.document.project == before


def test_one_of_its_files_will_do(window: MainWindow, person: Person, qtbot: QtBot, mnist: Path) -> None:
    folder = mnist.rename(mnist.with_name("MNIST"))
    person.on_dataset = 0
    drop(window, folder / MNIST_FILES[2])
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "mnist")
    assert person.asked == ["use MNIST"]  # the folder's name decides
    assert window.preferences.data_folder("mnist") == folder


def test_no_is_an_answer(window: MainWindow, person: Person, qtbot: QtBot, mnist: Path) -> None:
    drop(window, mnist)
    qtbot.waitUntil(lambda: bool(person.asked))
    assert window.document.history.count == 0
    assert window.preferences.data_folder("mnist") is None
    assert person.told == []


def test_texts_are_named_in_the_project_itself(
    window: MainWindow, person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    table = tmp_path / "films.csv"
    table.write_text("label,text\n" + "".join(f"{i % 2},some longer text {i}\n" for i in range(12)))
    person.on_dataset = 0
    drop(window, table)
    qtbot.waitUntil(lambda: window.document.project.data.source.kind == "text-files")
    assert person.asked == ["use Text files"]
    assert window.document.project.data.source.path == str(table)
    assert window.preferences.data_folder("text-files") is None
    assert window.document.graph.inputs[0].block.spec.dtype == "int"


def test_anything_else_is_told_what_can_be_dropped(
    window: MainWindow, person: Person, qtbot: QtBot, mnist: Path, tmp_path: Path
) -> None:
    (mnist / "readme.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for number, paths in enumerate(([mnist / "readme.txt"], [tmp_path / "empty"], [mnist, tmp_path / "empty"]), 1):
        drop(window, *paths)
        qtbot.waitUntil(lambda number=number: len(person.told) == number)
        assert "IMDB reviews, Tiny Shakespeare, MNIST, Fashion-MNIST or CIFAR-10" in person.told[-1]
        assert ".studio.json" in person.told[-1]
    assert "“readme.txt” is nothing" in person.told[0]
    assert "2 files" in person.told[2]
    assert person.asked == []
